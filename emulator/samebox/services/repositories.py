"""What a repository of ECR holds: its images and tags, kept as facts of the repository's resource.

The registry keeps the bytes, this the truth: an image exists from when its push is written down here. A manifest that
the registry has and this has not was never answered for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from samebox.resources.facts import from_json
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


@dataclass(frozen=True)
class StoredImage:
    """What is kept of an image, by its digest."""

    media_type: str
    pushed_at: float


@dataclass(frozen=True)
class RepositoryFacts:
    """The facts of a repository: its images by digest, the digests of its tags, and the texts of its policies."""

    images: Mapping[str, StoredImage] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: str | None = None
    lifecycle_policy: str | None = None


def facts_of(repository: Resource) -> RepositoryFacts:
    """The facts of a repository's row."""
    return from_json(RepositoryFacts, repository.facts)


def images(repository: Resource) -> tuple[Pushed, ...]:
    """All images, the oldest first."""
    facts = facts_of(repository)
    tags: dict[str, list[str]] = {}
    for tag, digest in facts.tags.items():
        tags.setdefault(digest, []).append(tag)
    return tuple(
        Pushed(digest, image.media_type, image.pushed_at, tuple(sorted(tags.get(digest, ()))))
        for digest, image in facts.images.items()
    )


def find(repository: Resource, tag: str | None, digest: str | None) -> Pushed | None:
    """The image of this tag or digest (both given: of both); without either, of the tag `latest`."""
    tags = facts_of(repository).tags
    if digest is None:
        digest = tags.get(tag or "latest")
    elif tag is not None and tags.get(tag) != digest:
        return None
    return next((one for one in images(repository) if one.digest == digest), None)


def is_immutable(repository: Resource, tag: str) -> bool:
    """True when the tag exists and may not be moved."""
    return repository.spec.get("imageTagMutability") == "IMMUTABLE" and tag in facts_of(repository).tags


def immutable(repository: Resource, tag: str) -> str:
    """ECR's sentence for a tag that may not be moved (observed in public logs)."""
    return (
        f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten because "
        "the tag is immutable."
    )


def with_image(repository: Resource, digest: str, media_type: str, tag: str | None, at: float) -> RepositoryFacts:
    """The facts after a push."""
    facts = facts_of(repository)
    image = facts.images.get(digest) or StoredImage(media_type, at)
    tags = facts.tags if tag is None else {**facts.tags, tag: digest}
    return replace(facts, images={**facts.images, digest: image}, tags=tags)


def without_tag(repository: Resource, tag: str) -> RepositoryFacts:
    """The facts when a tag is taken away; its image stays as long as it has another."""
    facts = facts_of(repository)
    digest = facts.tags.get(tag)
    tags = {name: of for name, of in facts.tags.items() if name != tag}
    if digest is None or digest in tags.values():
        return replace(facts, tags=tags)
    return _without_image(facts, digest)


def without_image(repository: Resource, digest: str) -> RepositoryFacts:
    """The facts when an image is deleted with all its tags."""
    return _without_image(facts_of(repository), digest)


def name_in_registry(repository: Resource) -> str:
    """What the registry behind us calls it: accounts and regions see nothing of each other."""
    return f"{repository.account}/{repository.region}/{repository.name}"


def _without_image(facts: RepositoryFacts, digest: str) -> RepositoryFacts:
    return replace(
        facts,
        images={name: image for name, image in facts.images.items() if name != digest},
        tags={tag: of for tag, of in facts.tags.items() if of != digest},
    )
