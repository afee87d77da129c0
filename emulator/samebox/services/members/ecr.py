"""What the members of ECR's requests do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members, refused

_REPOSITORY = acted_on("registryId", "repositoryName")
_PAGE = acted_on("nextToken", "maxResults")
# An archived image, or one on its way there, is never there.
_FILTER = acted_on("filter")
_SCANNING = "scans each pushed image; here no image is scanned"
_MUTABILITY = members(
    refused("imageTagMutability", "MUTABLE", "IMMUTABLE"),
    refused("imageTagMutabilityExclusionFilters", []),
)

MEMBERS: Mapping[str, Members] = {
    "CreateRepository": members(
        _REPOSITORY,
        acted_on("tags"),
        _MUTABILITY,
        accepted("imageScanningConfiguration", _SCANNING),
        accepted("encryptionConfiguration", "encryption of what is pushed"),
    ),
    "DescribeRepositories": members(acted_on("registryId", "repositoryNames"), _PAGE),
    "DeleteRepository": members(_REPOSITORY, acted_on("force")),
    "GetAuthorizationToken": acted_on("registryIds"),
    "PutImageScanningConfiguration": members(_REPOSITORY, accepted("imageScanningConfiguration", _SCANNING)),
    "PutImageTagMutability": members(_REPOSITORY, _MUTABILITY),
    "TagResource": acted_on("resourceArn", "tags"),
    "UntagResource": acted_on("resourceArn", "tagKeys"),
    "ListTagsForResource": acted_on("resourceArn"),
    "DescribeImages": members(_REPOSITORY, acted_on("imageIds"), _PAGE, _FILTER),
    "ListImages": members(_REPOSITORY, _PAGE, _FILTER),
    "BatchGetImage": members(
        _REPOSITORY,
        acted_on("imageIds"),
        accepted("acceptedMediaTypes", "the preferred media types of manifests"),
    ),
    "BatchDeleteImage": members(_REPOSITORY, acted_on("imageIds")),
    "PutImage": members(_REPOSITORY, acted_on("imageManifest", "imageManifestMediaType", "imageTag", "imageDigest")),
    "DescribeImageScanFindings": members(
        _REPOSITORY,
        acted_on("imageId"),
        accepted("nextToken", "the page of the findings; no image is scanned"),
        accepted("maxResults", "the size of a page; no image is scanned"),
    ),
    "SetRepositoryPolicy": members(
        _REPOSITORY,
        accepted("policyText", "who may pull and push; here only its form is checked"),
        accepted("force", "lets a policy pass that would lock its author out"),
    ),
    "GetRepositoryPolicy": _REPOSITORY,
    "DeleteRepositoryPolicy": _REPOSITORY,
    "PutLifecyclePolicy": members(
        _REPOSITORY, accepted("lifecyclePolicyText", "which images expire; here only its form is checked")
    ),
    "GetLifecyclePolicy": _REPOSITORY,
    "DeleteLifecyclePolicy": _REPOSITORY,
}
