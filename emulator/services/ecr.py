"""ECR: repositories and what was pushed to them. Bytes come and go through services/registry.py."""

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from emulator.errors import AwsError
from emulator.resources.kinds import REPOSITORY
from emulator.resources.store import Query, Resource, Scope
from emulator.services import registry_tokens, repositories
from emulator.services.context import Operation, Services
from emulator.services.images import registry_host
from emulator.services.repositories import Pushed
from emulator.wire.caller import Caller

# ECRM: what maxResults is when it is not given.
_PAGE = 100
_Params = dict[str, Any]


def create_repository(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """CreateRepository."""
    _only_whole_mutability(params)
    spec = {**params, "Tags": params.get("tags", [])}
    return {"repository": _shown(services, services.resources.create(REPOSITORY, _owner(params, caller), spec))}


def describe_repositories(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeRepositories: those named, in the order asked for, or all, by name."""
    owner = _owner(params, caller)
    if params.get("repositoryNames"):
        rows = [services.resources.get(REPOSITORY, owner, name) for name in params["repositoryNames"]]
        return {"repositories": [_shown(services, row) for row in rows]}
    scope = Scope(owner.account, owner.region)
    found = services.resources.store.find(Query(REPOSITORY.noun, scope, order_by="name"))
    return _paged("repositories", found, params, lambda row: row.name, lambda row: _shown(services, row))


def delete_repository(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DeleteRepository; `force` deletes the images with it."""
    repository = _repository(services, params, caller)
    images = repositories.images(repository)
    if images and not params.get("force"):
        # Observed in public logs.
        raise AwsError(
            "RepositoryNotEmptyException",
            f"The repository with name '{repository.name}' in registry with id '{repository.account}' cannot be "
            "deleted because it still contains images",
        )
    services.resources.delete(repository)
    _forget(services, repository, [image.digest for image in images])
    return {"repository": _shown(services, repository)}


def get_authorization_token(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetAuthorizationToken: what `docker login` wants. The region of the request is the region of the token."""
    data = []
    for account in params.get("registryIds") or [caller.account]:
        token = registry_tokens.issue(services.secret, account, caller.region, services.clock())
        endpoint = f"http://{registry_host(services.settings)}"
        data.append({"authorizationToken": token.basic, "expiresAt": token.expires, "proxyEndpoint": endpoint})
    return {"authorizationData": data}


def describe_images(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeImages: digests, tags, sizes."""
    repository = _repository(services, params, caller)

    def shown(image: Pushed) -> dict[str, Any]:
        detail = {
            "registryId": repository.account,
            "repositoryName": repository.name,
            "imageDigest": image.digest,
            "imageSizeInBytes": _size(services, repository, image),
            "imagePushedAt": image.at,
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        }
        return {**detail, "imageTags": list(image.tags)} if image.tags else detail

    if params.get("imageIds"):
        asked = [_image(repository, identifier) for identifier in params["imageIds"]]
        return {"imageDetails": [shown(image) for image in dict.fromkeys(asked)]}
    images = [image for image in repositories.images(repository) if _has_status(params, bool(image.tags))]
    return _paged("imageDetails", sorted(images, key=_digest), params, _digest, shown)


def list_images(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListImages: one entry for each tag, one for each image without any."""
    repository = _repository(services, params, caller)
    rows = [(image.digest, tag) for image in repositories.images(repository) for tag in image.tags or ("",)]
    rows = sorted(row for row in rows if _has_status(params, bool(row[1])))

    def shown(row: tuple[str, str]) -> dict[str, str]:
        return {"imageDigest": row[0], "imageTag": row[1]} if row[1] else {"imageDigest": row[0]}

    return _paged("imageIds", rows, params, " ".join, shown)


def batch_get_image(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """BatchGetImage: manifests."""
    repository = _repository(services, params, caller)
    images, failures = [], []
    for identifier in params["imageIds"]:
        found, failure = _look(repository, identifier)
        body = found and services.registry.manifest(repositories.name_in_registry(repository), found.digest)
        if found is None or not body:
            failures.append(failure)
            continue
        tag = {"imageTag": identifier["imageTag"]} if "imageTag" in identifier else {}
        images.append(
            {
                "registryId": repository.account,
                "repositoryName": repository.name,
                "imageId": {"imageDigest": found.digest, **tag},
                "imageManifest": body.decode(),
                "imageManifestMediaType": found.media_type,
            }
        )
    return {"images": images, "failures": failures}


def batch_delete_image(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """BatchDeleteImage: by tag, only the tag goes until it was the last; by digest, the image with all its tags."""
    repository = _repository(services, params, caller)
    deleted: list[dict[str, str]] = []
    failures = []
    listed = _listed_by_indexes(services, repository)
    for identifier in params["imageIds"]:
        found, failure = _look(repository, identifier)
        digest, tag = identifier.get("imageDigest"), identifier.get("imageTag")
        if found is None:
            failures.append(failure)
        elif digest is not None and digest in listed:
            reason = "Requested image referenced by manifest list: [" + ", ".join(sorted(listed[digest])) + "]"
            failures.append(_failure(identifier, "ImageReferencedByManifestList", reason))
        elif digest is not None:
            repository = services.resources.change(repository, partial(_without_image, digest))
            deleted += [{"imageDigest": digest, "imageTag": one} for one in found.tags] or [{"imageDigest": digest}]
        else:
            repository = services.resources.change(repository, partial(_without_tag, tag or ""))
            deleted.append({"imageDigest": found.digest, "imageTag": tag or ""})
    kept = {image.digest for image in repositories.images(repository)}
    _forget(services, repository, sorted({one["imageDigest"] for one in deleted} - kept))
    return {"imageIds": deleted, "failures": failures}


def set_repository_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """SetRepositoryPolicy. The policy is kept and given back; nothing enforces it."""
    repository = _repository(services, params, caller)
    text = params["policyText"]
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise _invalid("'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
    services.resources.change(repository, lambda _: {"Policy": text})
    return _policy(repository, text)


def get_repository_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetRepositoryPolicy."""
    repository = _repository(services, params, caller)
    return _policy(repository, _policy_text(repository))


def delete_repository_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DeleteRepositoryPolicy; answers with what it was."""
    repository = _repository(services, params, caller)
    text = _policy_text(repository)
    services.resources.change(repository, lambda _: {"Policy": None})
    return _policy(repository, text)


def put_image_tag_mutability(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutImageTagMutability; the registry obeys it at the next push."""
    _only_whole_mutability(params)
    repository = _repository(services, params, caller)
    mutability = params["imageTagMutability"]
    services.resources.respecify(repository, lambda row: {**row.spec, "imageTagMutability": mutability})
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageTagMutability": mutability,
    }


def tag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """TagResource."""
    services.resources.tag(_by_arn(services, params, caller), {tag["Key"]: tag["Value"] for tag in params["tags"]})


def untag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """UntagResource."""
    services.resources.tag(_by_arn(services, params, caller), {}, remove=tuple(params["tagKeys"]))


def list_tags_for_resource(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = _by_arn(services, params, caller).tags
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _owner(params: Mapping[str, Any], caller: Caller) -> Caller:
    # Nobody here has policies that would forbid one account another's registry.
    return Caller(params.get("registryId") or caller.account, caller.region)


def _repository(services: Services, params: Mapping[str, Any], caller: Caller) -> Resource:
    return services.resources.get(REPOSITORY, _owner(params, caller), params["repositoryName"])


def _by_arn(services: Services, params: Mapping[str, Any], caller: Caller) -> Resource:
    arn: str = params["resourceArn"]
    found = services.resources.by_arn(arn)
    if found is not None and found.kind == REPOSITORY.noun and found.region == caller.region:
        return found
    if arn.count(":") < 5:
        raise _invalid(f"Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN {arn}'")
    raise REPOSITORY.missing(arn)


def _shown(services: Services, repository: Resource) -> dict[str, Any]:
    return {
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
        **repository.spec,
        "repositoryArn": repository.arn,
        "registryId": repository.account,
        "repositoryName": repository.name,
        "repositoryUri": f"{registry_host(services.settings)}/{repository.name}",
        "createdAt": repository.created,
    }


def _only_whole_mutability(params: Mapping[str, Any]) -> None:
    if params.get("imageTagMutability", "MUTABLE") not in ("MUTABLE", "IMMUTABLE"):
        raise AwsError("NotImplemented", f"samebox does not implement {params['imageTagMutability']}.", 501)


def _image(repository: Resource, identifier: Mapping[str, str]) -> Pushed:
    digest, tag = identifier.get("imageDigest"), identifier.get("imageTag")
    if digest is None and tag is None:
        raise _invalid("Invalid request parameters: an image identifier needs imageDigest or imageTag")
    found = repositories.find(repository, tag, digest)
    if found is None:
        # Observed 2026, with the word null where no digest, or no tag, was given.
        raise AwsError(
            "ImageNotFoundException",
            f"The image with imageId {{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}} does not exist "
            f"within the repository with name '{repository.name}' in the registry with id '{repository.account}'",
        )
    return found


def _look(repository: Resource, identifier: Mapping[str, str]) -> tuple[Pushed | None, dict[str, Any]]:
    """The image, or why there is none as BatchGetImage and BatchDeleteImage say it."""
    digest, tag = identifier.get("imageDigest"), identifier.get("imageTag")
    if digest is None and tag is None:
        reason = "Invalid request parameters: both tag and digest cannot be null"
        return None, _failure(identifier, "MissingDigestAndTag", reason)
    if digest is not None and tag is not None:
        both = repositories.find(repository, tag, digest)
        if both is None and repositories.find(repository, None, digest):
            reason = "Requested image tag does not match the image digest"
            return None, _failure(identifier, "ImageTagDoesNotMatchDigest", reason)
    return repositories.find(repository, tag, digest), _failure(
        identifier, "ImageNotFound", "Requested image not found"
    )


def _failure(identifier: Mapping[str, str], code: str, reason: str) -> dict[str, Any]:
    return {"imageId": dict(identifier), "failureCode": code, "failureReason": reason}


def _size(services: Services, repository: Resource, image: Pushed) -> int | None:
    """Compressed bytes of configuration and layers; an index has none of its own."""
    body = services.registry.manifest(repositories.name_in_registry(repository), image.digest)
    if body is None:
        return None
    manifest = json.loads(body)
    parts = [manifest.get("config", {}), *manifest.get("layers", [])]
    return sum(int(part.get("size", 0)) for part in parts)


def _listed_by_indexes(services: Services, repository: Resource) -> dict[str, set[str]]:
    """Digest -> the indexes of the repository that list it."""
    listed: dict[str, set[str]] = {}
    for image in repositories.images(repository):
        if image.media_type in repositories.INDEXES:
            body = services.registry.manifest(repositories.name_in_registry(repository), image.digest)
            for part in json.loads(body)["manifests"] if body else ():
                listed.setdefault(part["digest"], set()).add(image.digest)
    return listed


def _without_image(digest: str, row: Resource) -> dict[str, Any]:
    return repositories.without_image(row.state, digest)


def _without_tag(tag: str, row: Resource) -> dict[str, Any]:
    return repositories.without_tag(row.state, tag)


def _forget(services: Services, repository: Resource, digests: list[str]) -> None:
    for digest in digests:
        services.registry.delete(repositories.name_in_registry(repository), digest)


def _digest(image: Pushed) -> str:
    return image.digest


def _has_status(params: Mapping[str, Any], is_tagged: bool) -> bool:
    wanted: str = params.get("filter", {}).get("tagStatus", "ANY")
    return wanted == "ANY" or (wanted == "TAGGED") == is_tagged


def _policy_text(repository: Resource) -> str:
    text: str | None = repository.state.get("Policy")
    if text is None:
        # Observed in public logs.
        raise AwsError(
            "RepositoryPolicyNotFoundException",
            f"Repository policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{repository.account}'",
        )
    return text


def _policy(repository: Resource, text: str) -> dict[str, Any]:
    return {"registryId": repository.account, "repositoryName": repository.name, "policyText": text}


def _paged(
    member: str, rows: list[Any], params: Mapping[str, Any], key: Callable[[Any], str], show: Callable[[Any], Any]
) -> dict[str, Any]:
    """One page of rows that are sorted by `key`; the token is the key of the last row seen."""
    after = None
    if params.get("nextToken"):
        try:
            after = base64.urlsafe_b64decode(params["nextToken"].encode()).decode()
        except ValueError:
            raise _invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'") from None
    left = [row for row in rows if after is None or key(row) > after]
    page = left[: params.get("maxResults", _PAGE)]
    answer: dict[str, Any] = {member: [show(row) for row in page]}
    if len(left) > len(page):
        answer["nextToken"] = base64.urlsafe_b64encode(key(page[-1]).encode()).decode()
    return answer


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


OPERATIONS: dict[str, Operation] = {
    "CreateRepository": create_repository,
    "DescribeRepositories": describe_repositories,
    "DeleteRepository": delete_repository,
    "GetAuthorizationToken": get_authorization_token,
    "DescribeImages": describe_images,
    "ListImages": list_images,
    "BatchGetImage": batch_get_image,
    "BatchDeleteImage": batch_delete_image,
    "SetRepositoryPolicy": set_repository_policy,
    "GetRepositoryPolicy": get_repository_policy,
    "DeleteRepositoryPolicy": delete_repository_policy,
    "PutImageTagMutability": put_image_tag_mutability,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
