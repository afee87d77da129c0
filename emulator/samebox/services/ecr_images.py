"""Images of ECR's repositories: which there are, their manifests, and a manifest that is put under another tag."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from samebox.errors import AwsError
from samebox.resources.kinds import REPOSITORY
from samebox.resources.store import Changed, Resource
from samebox.services import repositories
from samebox.services.context import Operation, Services
from samebox.services.ecr_requests import forget, image_of, invalid, paged, repository_of
from samebox.services.repositories import ManifestFacts, Pushed, TagTaken
from samebox.wire.caller import Caller

_Params = dict[str, Any]
_SCHEMA = 2
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def describe_images(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeImages: digests, tags, sizes."""
    repository = repository_of(services, params, caller)

    tags = services.pushed.tags(repository)

    def shown(image: Pushed) -> dict[str, Any]:
        detail = {
            "registryId": repository.account,
            "repositoryName": repository.name,
            "imageDigest": image.digest,
            "imageSizeInBytes": _known(services, repository, image).size,
            "imagePushedAt": image.at,
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        }
        return {**detail, "imageTags": list(tags[image.digest])} if image.digest in tags else detail

    if params.get("imageIds"):
        asked = [image_of(services, repository, identifier) for identifier in params["imageIds"]]
        return {"imageDetails": [shown(image) for image in dict.fromkeys(asked)]}
    images = [image for image in services.pushed.all(repository) if _has_status(params, image.digest in tags)]
    return paged("imageDetails", sorted(images, key=_digest), params, _digest, shown)


def list_images(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListImages: one entry for each tag, one for each image without any."""
    repository = repository_of(services, params, caller)
    tags = services.pushed.tags(repository)
    rows = [(image.digest, tag) for image in services.pushed.all(repository) for tag in tags.get(image.digest, ("",))]
    rows = sorted(row for row in rows if _has_status(params, bool(row[1])))

    def shown(row: tuple[str, str]) -> dict[str, str]:
        return {"imageDigest": row[0], "imageTag": row[1]} if row[1] else {"imageDigest": row[0]}

    return paged("imageIds", rows, params, " ".join, shown)


def batch_get_image(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """BatchGetImage: manifests."""
    repository = repository_of(services, params, caller)
    images, failures = [], []
    for identifier in params["imageIds"]:
        found, failure = _look(services, repository, identifier)
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
    repository = repository_of(services, params, caller)
    deleted: list[dict[str, str]] = []
    failures = []
    gone: set[str | None] = set()
    listed = _listed_by_indexes(services, repository)
    for identifier in params["imageIds"]:
        found, failure = _look(services, repository, identifier)
        digest, tag = identifier.get("imageDigest"), identifier.get("imageTag")
        if found is None:
            failures.append(failure)
        elif digest is not None and digest in listed:
            reason = "Requested image referenced by manifest list: [" + ", ".join(sorted(listed[digest])) + "]"
            failures.append(_failure(identifier, "ImageReferencedByManifestList", reason))
        elif digest is not None:
            tags = services.pushed.tags(repository).get(digest, ())
            services.pushed.delete(repository, digest)
            gone.add(digest)
            deleted += [{"imageDigest": digest, "imageTag": one} for one in tags] or [{"imageDigest": digest}]
        else:
            gone.add(services.pushed.untag(repository, tag or ""))
            deleted.append({"imageDigest": found.digest, "imageTag": tag or ""})
    forget(services, repository, sorted(digest for digest in gone if digest))
    return {"imageIds": deleted, "failures": failures}


def put_image(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutImage: a manifest whose layers are there already, under a tag. So an image that is there gets another tag."""
    repository = repository_of(services, params, caller)
    body: bytes = params["imageManifest"].encode()
    media_type = _media_type(params)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    tag = params.get("imageTag")
    if params.get("imageDigest", digest) != digest:
        # Choice: ECR's words are not known.
        raise AwsError(
            "ImageDigestDoesNotMatchException",
            f"The image digest '{params['imageDigest']}' is not that of the manifest, '{digest}'",
        )
    known = services.pushed.find(repository, None, digest)
    if known is not None and (tag is None or services.pushed.find(repository, tag, digest)):
        raise AwsError(
            "ImageAlreadyExistsException",
            f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository with name "
            f"'{repository.name}' in registry with id '{repository.account}'",
        )
    if tag is not None and services.pushed.is_immutable(repository, tag):
        raise AwsError("ImageTagAlreadyExistsException", repositories.immutable(repository, tag))
    if known is None:
        _store(services, repository, digest, media_type, body)
    try:
        services.pushed.put(repository, digest, repositories.manifest_facts(media_type, body), tag)
    except TagTaken:  # by a push that was faster
        raise AwsError("ImageTagAlreadyExistsException", repositories.immutable(repository, tag or "")) from None
    except Changed:
        raise REPOSITORY.missing(repository.arn) from None
    image = {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageId": {"imageDigest": digest, **({"imageTag": tag} if tag else {})},
        "imageManifest": params["imageManifest"],
        "imageManifestMediaType": media_type,
    }
    return {"image": image}


def describe_image_scan_findings(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeImageScanFindings: nothing scans here, so no image was ever scanned."""
    repository = repository_of(services, params, caller)
    image_of(services, repository, params["imageId"])
    digest, tag = (params["imageId"].get(member, "null") for member in ("imageDigest", "imageTag"))
    raise AwsError(
        "ScanNotFoundException",
        f"Image scan does not exist for the image with '{{imageDigest:'{digest}', imageTag:'{tag}'}}' in the "
        f"repository with name '{repository.name}' in the registry with id '{repository.account}'",
    )


def _media_type(params: _Params) -> str:
    try:
        document = json.loads(params["imageManifest"])
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise invalid("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'")
    media_type = params.get("imageManifestMediaType") or document.get("mediaType")
    # Choice of both: ECR's words are not known.
    if media_type not in repositories.MANIFESTS or document.get("mediaType", media_type) != media_type:
        raise invalid(
            "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Manifest media type is not supported'"
        )
    if not _is_manifest(document, str(media_type)):
        raise invalid("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid manifest'")
    return str(media_type)


def _is_manifest(document: Mapping[str, Any], media_type: str) -> bool:
    """Whether it lists what a manifest of its type lists: the registry answers other documents as faults of its own."""
    is_index = media_type in repositories.INDEXES
    listed = document.get("manifests" if is_index else "layers")
    parts = [*listed, *(() if is_index else (document.get("config"),))] if isinstance(listed, list) else []
    return document.get("schemaVersion") == _SCHEMA and bool(parts) and all(_is_descriptor(part) for part in parts)


def _is_descriptor(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    digest, size = part.get("digest"), part.get("size")
    return (
        isinstance(digest, str)
        and bool(_DIGEST.fullmatch(digest))
        and isinstance(size, int)
        and not isinstance(size, bool)
        and 0 <= size < 2**63
        and isinstance(part.get("mediaType"), str)
    )


def _store(services: Services, repository: Resource, digest: str, media_type: str, body: bytes) -> None:
    refusal = services.registry.put(repositories.name_in_registry(repository), digest, media_type, body)
    if not refusal:
        return
    if refusal == "MANIFEST_BLOB_UNKNOWN":
        what, code = "Layers", "LayersNotFoundException"
        if media_type in repositories.INDEXES:
            what, code = "Images", "ReferencedImagesNotFoundException"
        # Choice: ECR's words are not known.
        raise AwsError(
            code,
            f"{what} of the manifest '{digest}' do not exist in the repository with name '{repository.name}' in the "
            f"registry with id '{repository.account}'",
        )
    raise invalid(f"Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{refusal}'")


def _look(
    services: Services, repository: Resource, identifier: Mapping[str, str]
) -> tuple[Pushed | None, dict[str, Any]]:
    """The image, or why there is none as BatchGetImage and BatchDeleteImage say it."""
    digest, tag = identifier.get("imageDigest"), identifier.get("imageTag")
    if digest is None and tag is None:
        reason = "Invalid request parameters: both tag and digest cannot be null"
        return None, _failure(identifier, "MissingDigestAndTag", reason)
    if digest is not None and tag is not None:
        both = services.pushed.find(repository, tag, digest)
        if both is None and services.pushed.find(repository, None, digest):
            reason = "Requested image tag does not match the image digest"
            return None, _failure(identifier, "ImageTagDoesNotMatchDigest", reason)
    return services.pushed.find(repository, tag, digest), _failure(
        identifier, "ImageNotFound", "Requested image not found"
    )


def _failure(identifier: Mapping[str, str], code: str, reason: str) -> dict[str, Any]:
    return {"imageId": dict(identifier), "failureCode": code, "failureReason": reason}


def _known(services: Services, repository: Resource, image: Pushed) -> ManifestFacts:
    """What is known of an image's manifest; of one that an earlier version wrote down, the registry is asked once."""
    if image.manifest.size is not None and image.manifest.lists is not None:
        return image.manifest
    body = services.registry.manifest(repositories.name_in_registry(repository), image.digest)
    if body is None:
        return image.manifest
    found = repositories.manifest_facts(image.media_type, body)
    services.pushed.learn(repository, image.digest, found)
    return found


def _listed_by_indexes(services: Services, repository: Resource) -> dict[str, set[str]]:
    """Digest -> the indexes of the repository that list it."""
    listed: dict[str, set[str]] = {}
    for image in services.pushed.all(repository):
        if image.media_type in repositories.INDEXES:
            for digest in _known(services, repository, image).lists or ():
                listed.setdefault(digest, set()).add(image.digest)
    return listed


def _digest(image: Pushed) -> str:
    return image.digest


def _has_status(params: Mapping[str, Any], is_tagged: bool) -> bool:
    asked = params.get("filter", {})
    wanted: str = asked.get("tagStatus", "ANY")
    # No image is ever archived here.
    is_active = asked.get("imageStatus", "ANY") in ("ANY", "ACTIVE")
    return is_active and (wanted == "ANY" or (wanted == "TAGGED") == is_tagged)


OPERATIONS: dict[str, Operation] = {
    "DescribeImages": describe_images,
    "ListImages": list_images,
    "BatchGetImage": batch_get_image,
    "BatchDeleteImage": batch_delete_image,
    "PutImage": put_image,
    "DescribeImageScanFindings": describe_image_scan_findings,
}
