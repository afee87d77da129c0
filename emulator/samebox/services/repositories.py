"""What a repository of ECR holds: its images and tags, kept in the state of the repository's resource.

The registry keeps the bytes, this the truth: an image exists from when its push is written down here. A manifest that
the registry has and this has not was never answered for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samebox.resources.store import Resource

# An image index or manifest list: what it lists are images too.
INDEXES = ("application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json")
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    *INDEXES,
)


@dataclass(frozen=True)
class Pushed:
    """One image of a repository. `at` is when it was pushed, epoch seconds."""

    digest: str
    media_type: str
    at: float
    tags: tuple[str, ...]


def images(repository: Resource) -> tuple[Pushed, ...]:
    """All images, the oldest first."""
    tags: dict[str, list[str]] = {}
    for tag, digest in _tags(repository.state).items():
        tags.setdefault(digest, []).append(tag)
    return tuple(
        Pushed(digest, facts["MediaType"], facts["PushedAt"], tuple(sorted(tags.get(digest, ()))))
        for digest, facts in _images(repository.state).items()
    )


def find(repository: Resource, tag: str | None, digest: str | None) -> Pushed | None:
    """The image of this tag or digest (both given: of both); without either, of the tag `latest`."""
    if digest is None:
        digest = _tags(repository.state).get(tag or "latest")
    elif tag is not None and _tags(repository.state).get(tag) != digest:
        return None
    return next((one for one in images(repository) if one.digest == digest), None)


def is_immutable(repository: Resource, tag: str) -> bool:
    """True when the tag exists and may not be moved."""
    return repository.spec.get("imageTagMutability") == "IMMUTABLE" and tag in _tags(repository.state)


def immutable(repository: Resource, tag: str) -> str:
    """ECR's sentence for a tag that may not be moved (observed in public logs)."""
    return (
        f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten because "
        "the tag is immutable."
    )


def with_image(state: Mapping[str, Any], digest: str, media_type: str, tag: str | None, at: float) -> dict[str, Any]:
    """What is new in the state after a push."""
    known = _images(state)
    facts = known.get(digest) or {"MediaType": media_type, "PushedAt": at}
    tags = _tags(state) if tag is None else {**_tags(state), tag: digest}
    return {"Images": {**known, digest: facts}, "Tags": tags}


def without_tag(state: Mapping[str, Any], tag: str) -> dict[str, Any]:
    """What is new in the state when a tag is taken away; its image stays as long as it has another."""
    digest = _tags(state).get(tag)
    tags = {name: of for name, of in _tags(state).items() if name != tag}
    if digest is None or digest in tags.values():
        return {"Tags": tags}
    return without_image({**state, "Tags": tags}, digest)


def without_image(state: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """What is new in the state when an image is deleted with all its tags."""
    return {
        "Images": {name: facts for name, facts in _images(state).items() if name != digest},
        "Tags": {tag: of for tag, of in _tags(state).items() if of != digest},
    }


def name_in_registry(repository: Resource) -> str:
    """What the registry behind us calls it: accounts and regions see nothing of each other."""
    return f"{repository.account}/{repository.region}/{repository.name}"


def _images(state: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = state.get("Images", {})
    return found


def _tags(state: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = state.get("Tags", {})
    return found
