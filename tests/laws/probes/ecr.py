"""Probes of ECR."""

import json
from collections.abc import Mapping
from typing import Any

from tests.conftest import ACCOUNT
from tests.laws.probes.values import DESCRIBE_IMAGES, OTHER_ACCOUNT, REPOSITORY, REPOSITORY_ARN, SECOND_MANIFEST, TAGS
from tests.laws.probing import Call, Either, Params, Probe
from tests.laws.whole_emulator import MANIFEST

_TOKEN = "enp6eg=="
_SECOND_IMAGE = {"imageTag": "v2"}
_PUT_SECOND: Params = {"repositoryName": "$", "imageManifest": SECOND_MANIFEST, "imageTag": "latest"}
_EXISTING = {
    "repositoryName": "nowhere",
    "nextToken": _TOKEN,
    "filter.imageStatus": Either("ACTIVE", "ARCHIVED"),
    "filter.tagStatus": "TAGGED",
}
_ECR_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}
]})  # fmt: skip
_LIFECYCLE = json.dumps({"rules": [{
    "rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
    "action": {"type": "expire"},
}]})  # fmt: skip
_SET_POLICY: Call = ("ecr", "SetRepositoryPolicy", {"repositoryName": "$", "policyText": _ECR_POLICY})
_PUT_LIFECYCLE: Call = ("ecr", "PutLifecyclePolicy", {"repositoryName": "$", "lifecyclePolicyText": _LIFECYCLE})
_OF_REPOSITORY: Params = {"repositoryName": "$"}
_TAGGED: Params = {"repositoryName": "$", "imageIds": [{"imageTag": "latest"}]}
_DIGEST = f"sha256:{'0' * 64}"


def _of_repository(
    request: Params = _OF_REPOSITORY, *after: Call, before: tuple[Call, ...] = (), **values: Any
) -> Probe:
    return Probe(request, (*REPOSITORY, *before), after, values={**_EXISTING, **values})


ECR: Mapping[str, Probe] = {
    "CreateRepository": Probe(
        {"repositoryName": "$", "tags": TAGS},
        after=(
            *REPOSITORY[1:],
            ("ecr", "PutImage", _PUT_SECOND),
            DESCRIBE_IMAGES,
            ("ecr", "ListTagsForResource", {"resourceArn": REPOSITORY_ARN}),
        ),
        values={"repositoryName": "digits"},
    ),
    "DescribeRepositories": Probe({}, REPOSITORY, makes=False, values={**_EXISTING, "repositoryNames[]": "digits"}),
    "DeleteRepository": _of_repository(),
    "GetAuthorizationToken": Probe({}, makes=False, values={"registryIds": [ACCOUNT, OTHER_ACCOUNT]}),
    "PutImageScanningConfiguration": _of_repository(
        {"repositoryName": "$", "imageScanningConfiguration": {"scanOnPush": False}}, DESCRIBE_IMAGES
    ),
    "PutImageTagMutability": _of_repository(
        {"repositoryName": "$", "imageTagMutability": "MUTABLE"}, ("ecr", "PutImage", _PUT_SECOND), DESCRIBE_IMAGES
    ),
    "TagResource": Probe(
        {"resourceArn": REPOSITORY_ARN, "tags": [{"Key": "c", "Value": "d"}]},
        REPOSITORY,
        (("ecr", "ListTagsForResource", {"resourceArn": REPOSITORY_ARN}),),
        values={"resourceArn": REPOSITORY_ARN.replace("$", "nowhere")},
    ),
    "UntagResource": Probe(
        {"resourceArn": REPOSITORY_ARN, "tagKeys": ["a"]},
        REPOSITORY,
        (("ecr", "ListTagsForResource", {"resourceArn": REPOSITORY_ARN}),),
        values={"resourceArn": REPOSITORY_ARN.replace("$", "nowhere"), "tagKeys[]": "other"},
    ),
    "ListTagsForResource": Probe(
        {"resourceArn": REPOSITORY_ARN},
        REPOSITORY,
        makes=False,
        values={"resourceArn": REPOSITORY_ARN.replace("$", "nowhere")},
    ),
    "DescribeImages": _of_repository(),
    "ListImages": _of_repository(),
    "BatchGetImage": _of_repository(_TAGGED),
    "BatchDeleteImage": _of_repository(_TAGGED, DESCRIBE_IMAGES),
    "PutImage": _of_repository(
        {"repositoryName": "$", "imageManifest": SECOND_MANIFEST, "imageTag": "v2"},
        ("ecr", "BatchGetImage", {"repositoryName": "$", "imageIds": [_SECOND_IMAGE]}),
        imageManifest=MANIFEST,
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
        imageTag="v3",
        imageDigest=_DIGEST,
    ),
    "DescribeImageScanFindings": _of_repository(
        {"repositoryName": "$", "imageId": {"imageTag": "latest"}}, nextToken="x", maxResults=1
    ),
    "SetRepositoryPolicy": _of_repository(
        _SET_POLICY[2], DESCRIBE_IMAGES, policyText=_ECR_POLICY.replace("Allow", "Deny")
    ),
    "GetRepositoryPolicy": _of_repository(before=(_SET_POLICY,)),
    "DeleteRepositoryPolicy": _of_repository(before=(_SET_POLICY,)),
    "PutLifecyclePolicy": _of_repository(
        _PUT_LIFECYCLE[2],
        DESCRIBE_IMAGES,
        lifecyclePolicyText=_LIFECYCLE.replace('"countNumber": 1', '"countNumber": 2'),
    ),
    "GetLifecyclePolicy": _of_repository(before=(_PUT_LIFECYCLE,)),
    "DeleteLifecyclePolicy": _of_repository(before=(_PUT_LIFECYCLE,)),
}
