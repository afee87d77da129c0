"""What a repository of ECR holds: its images and its tags, each a row of its own whose parent is the repository's.

The registry keeps the bytes, this the truth: an image exists from when its push is written down here. A manifest that
the registry has and this has not was never answered for.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samebox.resources.facts import from_json, to_json
from samebox.resources.query import Scope
from samebox.resources.resources import Resources
from samebox.resources.store import Changed, Resource

# An image index or manifest list: what it lists are images too.
INDEXES = ("application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json")
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    *INDEXES,
)
# The kinds of the rows. They are no nouns of a service: nothing but this module asks for them.
_IMAGE, _TAG = "EcrImage", "EcrTag"


@dataclass(frozen=True)
class RepositoryFacts:
    """The facts of a repository: the texts of its policies."""

    policy: str | None = None
    lifecycle_policy: str | None = None


@dataclass(frozen=True)
class ManifestFacts:
    """What is kept of a manifest, which never changes: the compressed bytes of its layers, and what an index lists.

    Both are None where an earlier version wrote the row: the registry is then asked for the manifest, once.
    """

    media_type: str
    size: int | None = None
    lists: tuple[str, ...] | None = None


@dataclass(frozen=True)
class TagFacts:
    """What a tag means."""

    digest: str


@dataclass(frozen=True)
class Pushed:
    """One image of a repository. `at` is when it was pushed, epoch seconds."""

    digest: str
    at: float
    manifest: ManifestFacts

    @property
    def media_type(self) -> str:
        return self.manifest.media_type


class TagTaken(Exception):
    """The tag is there, in a repository whose tags are immutable."""


class PushedImages:
    """The images of every repository. Threads may share it; `put` and what deletes happen one at a time."""

    def __init__(self, resources: Resources) -> None:
        self._store = resources.store
        self._now = resources.now
        self._writing = threading.Lock()

    def all(self, repository: Resource) -> tuple[Pushed, ...]:
        """All images, the oldest first."""
        return tuple(_pushed(row) for row in self._store.children(repository.arn, _IMAGE))

    def tags(self, repository: Resource) -> Mapping[str, tuple[str, ...]]:
        """The tags of each image, by its digest, in order."""
        found: dict[str, list[str]] = {}
        for row in self._store.children(repository.arn, _TAG):
            found.setdefault(_digest(row), []).append(row.name.rpartition(":")[2])
        return {digest: tuple(sorted(tags)) for digest, tags in found.items()}

    def find(self, repository: Resource, tag: str | None, digest: str | None) -> Pushed | None:
        """The image of this tag or digest (both given: of both); without either, of the tag `latest`."""
        if tag is not None or digest is None:
            row = self._tag(repository, tag or "latest")
            if row is None or digest not in (None, _digest(row)):
                return None
            digest = _digest(row)
        found = self._image(repository, digest)
        return None if found is None else _pushed(found)

    def is_immutable(self, repository: Resource, tag: str) -> bool:
        """True when the tag exists and may not be moved."""
        return repository.spec.get("imageTagMutability") == "IMMUTABLE" and self._tag(repository, tag) is not None

    def put(self, repository: Resource, digest: str, manifest: ManifestFacts, tag: str | None) -> None:
        """Write down a push. Raises TagTaken, and Changed where the repository was deleted meanwhile."""
        with self._writing:
            newest = self._store.by_arn(repository.arn)
            if newest is None or newest.created != repository.created:
                raise Changed(repository.arn)
            if tag is not None and self.is_immutable(newest, tag):
                raise TagTaken(tag)
            if self._image(repository, digest) is None:
                self._insert(repository, _IMAGE, f"@{digest}", manifest)
            if tag is None:
                return
            row = self._tag(repository, tag)
            if row is None:
                self._insert(repository, _TAG, f":{tag}", TagFacts(digest))
            else:
                self._store.update(row, modified=self._now(), facts=to_json(TagFacts(digest)))

    def learn(self, repository: Resource, digest: str, manifest: ManifestFacts) -> None:
        """Add what is known of a manifest to its row, if it is still there."""
        with self._writing:
            row = self._image(repository, digest)
            if row is not None:
                self._store.update(row, modified=row.modified, facts=to_json(manifest))

    def untag(self, repository: Resource, tag: str) -> str | None:
        """Take a tag away. The digest of its image, where that had no other tag and goes with it."""
        with self._writing:
            row = self._tag(repository, tag)
            if row is None:
                return None
            self._store.delete(row)
            digest = _digest(row)
            if digest in self.tags(repository):
                return None
            self._delete(repository, digest)
            return digest

    def delete(self, repository: Resource, digest: str) -> None:
        """Delete an image with all its tags."""
        with self._writing:
            self._delete(repository, digest)

    def clear(self, repository: Resource) -> None:
        """Delete every image."""
        with self._writing:
            # The tags first: whenever the process ends, none means an image that is gone.
            for row in (*self._store.children(repository.arn, _TAG), *self._store.children(repository.arn, _IMAGE)):
                self._store.delete(row)

    def _delete(self, repository: Resource, digest: str) -> None:
        rows = [row for row in self._store.children(repository.arn, _TAG) if _digest(row) == digest]
        image = self._image(repository, digest)
        for row in (*rows, *([] if image is None else [image])):
            self._store.delete(row)

    def _image(self, repository: Resource, digest: str) -> Resource | None:
        return self._store.get(_IMAGE, _scope(repository), f"{repository.name}@{digest}")

    def _tag(self, repository: Resource, tag: str) -> Resource | None:
        return self._store.get(_TAG, _scope(repository), f"{repository.name}:{tag}")

    def _insert(self, repository: Resource, kind: str, suffix: str, facts: object) -> None:
        at = self._now()
        # No ARN that a request could name.
        arn = f"{'image' if kind == _IMAGE else 'tag'}:{repository.arn}{suffix}"
        name, scope = f"{repository.name}{suffix}", (repository.account, repository.region)
        row = Resource(kind, *scope, name, arn, "", at, at, 1, {}, {}, {}, repository.arn, to_json(facts))
        self._store.insert(row)


def facts_of(repository: Resource) -> RepositoryFacts:
    """The facts of a repository's row."""
    return from_json(RepositoryFacts, repository.facts)


def manifest_facts(media_type: str, body: bytes) -> ManifestFacts:
    """What is kept of a manifest that the registry has taken. Of what it took though it is none, only the type."""
    try:
        manifest: Any = json.loads(body)
        parts = [manifest.get("config", {}), *manifest.get("layers", [])]
        size = sum(int(part.get("size", 0)) for part in parts)
        lists = tuple(str(part["digest"]) for part in manifest.get("manifests", []))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return ManifestFacts(media_type, 0, ())
    return ManifestFacts(media_type, size, lists)


def immutable(repository: Resource, tag: str) -> str:
    """ECR's sentence for a tag that may not be moved (observed in public logs)."""
    return (
        f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten because "
        "the tag is immutable."
    )


def name_in_registry(repository: Resource) -> str:
    """What the registry behind us calls it: accounts and regions see nothing of each other."""
    return f"{repository.account}/{repository.region}/{repository.name}"


def _pushed(row: Resource) -> Pushed:
    return Pushed(row.name.partition("@")[2], row.created, from_json(ManifestFacts, row.facts))


def _digest(tag: Resource) -> str:
    return from_json(TagFacts, tag.facts).digest


def _scope(repository: Resource) -> Scope:
    return Scope(repository.account, repository.region)
