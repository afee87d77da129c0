"""ECR through boto3: repositories, images, policies, tags, and AWS's words for what is not there."""

import base64
import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.kinds import REPOSITORY
from samebox.services.repositories import ManifestFacts
from tests.conftest import ACCOUNT, CALLER, DIGEST, DOCKER_MANIFEST, REGION, Aws

INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
NEVER = f"The repository with name 'never' does not exist in the registry with id '{ACCOUNT}'"


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def store_manifest(aws: Aws, document: dict[str, Any], repository: str = "digits", digest: str = DIGEST) -> None:
    """Put into the registry what a push would have left there."""
    name = f"{ACCOUNT}/{REGION}/{repository}"
    aws.registry.manifests[name, digest] = (DOCKER_MANIFEST, json.dumps(document).encode())


def test_a_repository_is_where_docker_finds_it(aws: Aws) -> None:
    made = aws.ecr.create_repository(repositoryName="team/app", tags=[{"Key": "a", "Value": "b"}])["repository"]
    assert made["repositoryUri"] == f"localhost:{aws.services.settings.port}/team/app"
    assert made["repositoryArn"] == f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/app"
    assert (made["registryId"], made["imageTagMutability"]) == (ACCOUNT, "MUTABLE")
    assert aws.ecr.describe_repositories(repositoryNames=["team/app"])["repositories"] == [made]


def test_an_invalid_name_is_refused_with_the_message_of_ecr(aws: Aws) -> None:
    code, message = error_of(aws.ecr.create_repository, repositoryName="My_Repository")
    assert code == "InvalidParameterException"
    assert message.startswith(
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '[a-z0-9]"
    )


def test_a_repository_is_made_once(aws: Aws) -> None:
    assert error_of(aws.ecr.create_repository, repositoryName="digits") == (
        "RepositoryAlreadyExistsException",
        f"The repository with name 'digits' already exists in the registry with id '{ACCOUNT}'",
    )


def test_a_missing_resource_is_an_error(aws: Aws) -> None:
    ecr = aws.ecr
    for call, params in (
        (ecr.describe_repositories, {"repositoryNames": ["never"]}),
        (ecr.delete_repository, {"repositoryName": "never"}),
        (ecr.describe_images, {"repositoryName": "never"}),
        (ecr.list_images, {"repositoryName": "never"}),
        (ecr.get_repository_policy, {"repositoryName": "never"}),
        (ecr.list_tags_for_resource, {"resourceArn": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/never"}),
    ):
        assert error_of(call, **params) == ("RepositoryNotFoundException", NEVER)


def test_repositories_come_in_pages_by_name(aws: Aws) -> None:
    for name in ("cc", "aa", "bb"):
        aws.ecr.create_repository(repositoryName=name)
    pages = aws.ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})
    names = [[one["repositoryName"] for one in page["repositories"]] for page in pages]
    assert names == [["aa", "bb"], ["cc", "digits"]]


def test_a_repository_with_images_is_deleted_by_force(aws: Aws) -> None:
    store_manifest(aws, {})
    assert error_of(aws.ecr.delete_repository, repositoryName="digits") == (
        "RepositoryNotEmptyException",
        f"The repository with name 'digits' in registry with id '{ACCOUNT}' cannot be deleted because it still "
        "contains images",
    )
    aws.ecr.delete_repository(repositoryName="digits", force=True)
    assert aws.registry.manifests == {}
    aws.ecr.create_repository(repositoryName="digits")
    assert aws.ecr.list_images(repositoryName="digits")["imageIds"] == []


def test_a_login_token_has_its_account_and_its_expiry(aws: Aws) -> None:
    (data,) = aws.ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert (user, len(password) > 64) == ("AWS", True)
    assert data["expiresAt"].timestamp() == pytest.approx(aws.clock.now + 12 * 3600, abs=60)
    assert data["proxyEndpoint"] == f"http://localhost:{aws.services.settings.port}"


def test_an_image_is_described_with_its_compressed_size(aws: Aws) -> None:
    store_manifest(aws, {"config": {"size": 10}, "layers": [{"size": 200}, {"size": 3000}]})
    aws.push(tag="v1")
    (shown,) = aws.ecr.describe_images(repositoryName="digits")["imageDetails"]
    assert (shown["imageDigest"], shown["imageTags"]) == (DIGEST, ["latest", "v1"])
    assert (shown["imageSizeInBytes"], shown["imageManifestMediaType"]) == (3210, DOCKER_MANIFEST)
    (same,) = aws.ecr.describe_images(repositoryName="digits", imageIds=[{"imageTag": "v1"}, {"imageDigest": DIGEST}])[
        "imageDetails"
    ]
    assert same == shown


def test_the_registry_is_asked_for_a_manifest_once_and_for_none_that_was_pushed_here(aws: Aws) -> None:
    store_manifest(aws, {"config": {"size": 10}, "layers": []})
    before = len(aws.registry.requests)
    for _ in range(3):  # `aws` has written this image down as versions did that kept no sizes
        (shown,) = aws.ecr.describe_images(repositoryName="digits")["imageDetails"]
        assert shown["imageSizeInBytes"] == 10
    assert len(aws.registry.requests) - before == 1
    row = aws.resources.get(REPOSITORY, CALLER, "digits")
    for number in range(5):
        aws.services.pushed.put(row, f"sha256:{number:064}", ManifestFacts(DOCKER_MANIFEST, number, ()), f"v{number}")
    details = aws.ecr.describe_images(repositoryName="digits")["imageDetails"]
    assert [one["imageSizeInBytes"] for one in details] == [0, 1, 2, 3, 4, 10]
    assert len(aws.registry.requests) - before == 1


def test_a_push_writes_no_row_but_its_own(aws: Aws) -> None:
    before = aws.resources.get(REPOSITORY, CALLER, "digits")
    aws.push(tag="v2")
    assert aws.resources.get(REPOSITORY, CALLER, "digits") == before


def test_a_missing_image_is_an_error_with_its_name(aws: Aws) -> None:
    assert error_of(aws.ecr.describe_images, repositoryName="digits", imageIds=[{"imageTag": "v9"}]) == (
        "ImageNotFoundException",
        "The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the repository with name "
        f"'digits' in the registry with id '{ACCOUNT}'",
    )


def test_images_are_listed_by_tag(aws: Aws) -> None:
    aws.push(tag="v1")
    listed = aws.ecr.list_images(repositoryName="digits", filter={"tagStatus": "TAGGED"})["imageIds"]
    assert listed == [{"imageDigest": DIGEST, "imageTag": "latest"}, {"imageDigest": DIGEST, "imageTag": "v1"}]
    assert aws.ecr.list_images(repositoryName="digits", filter={"tagStatus": "UNTAGGED"})["imageIds"] == []
    pages = aws.ecr.get_paginator("list_images").paginate(repositoryName="digits", PaginationConfig={"PageSize": 1})
    assert [len(page["imageIds"]) for page in pages] == [1, 1]


def test_a_manifest_is_given_as_it_was_pushed(aws: Aws) -> None:
    store_manifest(aws, {"schemaVersion": 2})
    answer = aws.ecr.batch_get_image(repositoryName="digits", imageIds=[{"imageTag": "latest"}, {"imageTag": "never"}])
    (image,), (failure,) = answer["images"], answer["failures"]
    assert image["imageId"] == {"imageDigest": DIGEST, "imageTag": "latest"}
    assert json.loads(image["imageManifest"]) == {"schemaVersion": 2}
    assert (failure["failureCode"], failure["failureReason"]) == ("ImageNotFound", "Requested image not found")


def test_a_tag_goes_before_its_image(aws: Aws) -> None:
    store_manifest(aws, {})
    aws.push(tag="v1")
    ecr = aws.ecr
    ecr.batch_delete_image(repositoryName="digits", imageIds=[{"imageTag": "v1"}])
    assert ecr.list_images(repositoryName="digits")["imageIds"] == [{"imageDigest": DIGEST, "imageTag": "latest"}]
    assert aws.registry.manifests
    answer = ecr.batch_delete_image(repositoryName="digits", imageIds=[{"imageTag": "latest"}, {"imageTag": "x"}])
    assert answer["imageIds"] == [{"imageDigest": DIGEST, "imageTag": "latest"}]
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]
    assert ecr.list_images(repositoryName="digits")["imageIds"] == []
    assert aws.registry.manifests == {}


def test_an_image_that_an_index_lists_stays(aws: Aws) -> None:
    child = f"sha256:{'c' * 64}"
    aws.push("many", media_type=INDEX)
    store_manifest(aws, {"manifests": [{"digest": child}]}, "many")
    row = aws.resources.get(REPOSITORY, CALLER, "many")
    aws.services.pushed.put(row, child, ManifestFacts(DOCKER_MANIFEST), None)
    answer = aws.ecr.batch_delete_image(repositoryName="many", imageIds=[{"imageDigest": child}])
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageReferencedByManifestList"]


def test_a_policy_is_kept_given_back_and_deleted(aws: Aws) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": []})
    aws.ecr.set_repository_policy(repositoryName="digits", policyText=text)
    assert aws.ecr.get_repository_policy(repositoryName="digits")["policyText"] == text
    assert aws.ecr.delete_repository_policy(repositoryName="digits")["policyText"] == text
    assert error_of(aws.ecr.get_repository_policy, repositoryName="digits") == (
        "RepositoryPolicyNotFoundException",
        f"Repository policy does not exist for the repository with name 'digits' in the registry with id '{ACCOUNT}'",
    )
    for wrong in ("no json", "[]", '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*"}]}'):
        assert error_of(aws.ecr.set_repository_policy, repositoryName="digits", policyText=wrong) == (
            "InvalidParameterException",
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
        )


def test_tags_of_a_repository(aws: Aws) -> None:
    arn = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/digits"
    aws.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    aws.ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert aws.ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]


def test_mutability_is_changed(aws: Aws) -> None:
    aws.ecr.put_image_tag_mutability(repositoryName="digits", imageTagMutability="IMMUTABLE")
    (shown,) = aws.ecr.describe_repositories(repositoryNames=["digits"])["repositories"]
    assert shown["imageTagMutability"] == "IMMUTABLE"
    assert [one["imageTags"] for one in _details(aws)] == [["latest"]], "what was pushed stays"


def _details(aws: Aws) -> list[Any]:
    store_manifest(aws, {})
    return list(aws.ecr.describe_images(repositoryName="digits")["imageDetails"])


def manifest_of(blob: str, **members: Any) -> dict[str, Any]:
    part = {"mediaType": "application/octet-stream", "size": 1, "digest": blob}
    return {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": part, "layers": [], **members}


NOWHERE = f"sha256:{'1' * 64}"


def pushed(aws: Aws, tag: str = "latest", repository: str = "digits") -> str:
    """An image whose layers the registry has; gives its manifest."""
    blob = f"sha256:{'b' * 64}"
    manifest = json.dumps(manifest_of(blob))
    aws.registry.blobs[f"{ACCOUNT}/{REGION}/{repository}", blob] = b"1"
    aws.ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)
    return manifest


def tags(aws: Aws, digest: str) -> list[str]:
    (detail,) = aws.ecr.describe_images(repositoryName="digits", imageIds=[{"imageDigest": digest}])["imageDetails"]
    return detail.get("imageTags", [])


def test_an_image_gets_another_tag_by_its_manifest(aws: Aws) -> None:
    manifest = pushed(aws, "first")
    asked = aws.ecr.batch_get_image(repositoryName="digits", imageIds=[{"imageTag": "first"}])["images"][0]
    assert asked["imageManifest"] == manifest
    image = aws.ecr.put_image(repositoryName="digits", imageManifest=asked["imageManifest"], imageTag="second")["image"]
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    assert image == {
        "registryId": ACCOUNT,
        "repositoryName": "digits",
        "imageId": {"imageDigest": digest, "imageTag": "second"},
        "imageManifest": manifest,
        "imageManifestMediaType": DOCKER_MANIFEST,
    }
    assert tags(aws, digest) == ["first", "second"]
    assert (
        aws.services.images.resolve(f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/digits:second", CALLER).digest == digest
    )


def test_an_image_that_has_the_tag_is_there_already(aws: Aws) -> None:
    manifest = pushed(aws, "first")
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    assert error_of(aws.ecr.put_image, repositoryName="digits", imageManifest=manifest, imageTag="first") == (
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}' and tag 'first' already exists in the repository with name 'digits' in registry "
        f"with id '{ACCOUNT}'",
    )


def test_a_tag_that_may_not_be_moved_is_not_moved_by_a_manifest(aws: Aws) -> None:
    aws.ecr.put_image_tag_mutability(repositoryName="digits", imageTagMutability="IMMUTABLE")
    assert error_of(pushed, aws=aws, tag="latest") == (
        "ImageTagAlreadyExistsException",
        "The image tag 'latest' already exists in the 'digits' repository and cannot be overwritten because the tag is "
        "immutable.",
    )
    assert aws.registry.manifests == {}


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        ("no JSON", "InvalidParameterException"),
        ([], "InvalidParameterException"),
        ({"schemaVersion": 1}, "InvalidParameterException"),
        ({"mediaType": DOCKER_MANIFEST}, "InvalidParameterException"),
        (manifest_of(NOWHERE, mediaType="text/plain"), "InvalidParameterException"),
        (manifest_of(NOWHERE, schemaVersion=1), "InvalidParameterException"),
        (manifest_of(NOWHERE, config=None), "InvalidParameterException"),
        (manifest_of(NOWHERE, layers="x"), "InvalidParameterException"),
        (manifest_of(NOWHERE, layers=[{"digest": "x", "size": 1, "mediaType": "x"}]), "InvalidParameterException"),
        (manifest_of(NOWHERE, config={"digest": NOWHERE, "size": -1, "mediaType": "x"}), "InvalidParameterException"),
        (manifest_of(NOWHERE, mediaType=INDEX, manifests=[]), "InvalidParameterException"),
        (manifest_of(NOWHERE), "LayersNotFoundException"),
    ],
)
def test_a_manifest_of_nothing_is_refused(aws: Aws, manifest: Any, code: str) -> None:
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    assert error_of(aws.ecr.put_image, repositoryName="digits", imageManifest=text)[0] == code
    assert len(aws.ecr.list_images(repositoryName="digits")["imageIds"]) == 1


def test_a_digest_is_that_of_the_manifest(aws: Aws) -> None:
    given = {"repositoryName": "digits", "imageManifest": json.dumps(manifest_of(NOWHERE)), "imageDigest": DIGEST}
    assert error_of(aws.ecr.put_image, **given)[0] == "ImageDigestDoesNotMatchException"


def test_no_image_was_ever_scanned(aws: Aws) -> None:
    made = aws.ecr.create_repository(repositoryName="app", imageScanningConfiguration={"scanOnPush": True})[
        "repository"
    ]
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    off = aws.ecr.put_image_scanning_configuration(
        repositoryName="app", imageScanningConfiguration={"scanOnPush": False}
    )
    assert off["imageScanningConfiguration"] == {"scanOnPush": False}
    (shown,) = aws.ecr.describe_repositories(repositoryNames=["app"])["repositories"]
    assert shown["imageScanningConfiguration"] == {"scanOnPush": False}
    asked = {"repositoryName": "digits", "imageId": {"imageTag": "latest"}}
    assert error_of(aws.ecr.describe_image_scan_findings, **asked) == (
        "ScanNotFoundException",
        "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'latest'}' in the repository with "
        f"name 'digits' in the registry with id '{ACCOUNT}'",
    )
    assert error_of(aws.ecr.start_image_scan, **asked)[0] == "NotImplemented"


EXPIRE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "keep the last ten",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}


def test_a_lifecycle_policy_is_kept_given_back_and_deleted(aws: Aws) -> None:
    text = json.dumps(EXPIRE)
    put = aws.ecr.put_lifecycle_policy(repositoryName="digits", lifecyclePolicyText=text)
    assert (put["registryId"], put["repositoryName"], put["lifecyclePolicyText"]) == (ACCOUNT, "digits", text)
    assert aws.ecr.get_lifecycle_policy(repositoryName="digits")["lifecyclePolicyText"] == text
    assert aws.ecr.delete_lifecycle_policy(repositoryName="digits")["lifecyclePolicyText"] == text
    for call in (aws.ecr.get_lifecycle_policy, aws.ecr.delete_lifecycle_policy):
        assert error_of(call, repositoryName="digits") == (
            "LifecyclePolicyNotFoundException",
            "Lifecycle policy does not exist for the repository with name 'digits' in the registry with id "
            f"'{ACCOUNT}'",
        )
    # What would expire is not known, so no preview pretends to know.
    assert error_of(aws.ecr.start_lifecycle_policy_preview, repositoryName="digits")[0] == "NotImplemented"


def test_a_lifecycle_policy_that_is_none_is_refused(aws: Aws) -> None:
    text = json.dumps({"rules": "x", "why": "y" * 100})
    assert error_of(aws.ecr.put_lifecycle_policy, repositoryName="digits", lifecyclePolicyText=text) == (
        "InvalidParameterException",
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure:"
        ' object instance has properties which are not allowed by the schema: ["why"]\'',
    )


def test_tags_that_are_immutable_but_for_some_are_refused(aws: Aws) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    for given in ({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}, {"imageTagMutabilityExclusionFilters": filters}):
        assert error_of(aws.ecr.create_repository, repositoryName="app", **given)[0] == "NotImplemented"


def test_images_are_active_or_not_there(aws: Aws) -> None:
    for status, count in (("ACTIVE", 1), ("ARCHIVED", 0), ("ANY", 1)):
        asked: dict[str, Any] = {"repositoryName": "digits", "filter": {"imageStatus": status}}
        assert len(aws.ecr.list_images(**asked)["imageIds"]) == count
        assert len(aws.ecr.describe_images(**asked)["imageDetails"]) == count
