"""ManifestFile: a JSON list of the objects of a channel, `[{"prefix": "s3://bucket/folder/"}, "a.csv", "b/c.csv"]`."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.data.objects import Location, NotS3

if TYPE_CHECKING:
    from samebox.data.objects import Object, Objects

_AT_ONCE = 8


class BadManifest(Exception):
    """The object is not a manifest; the message says where and why."""


@dataclass(frozen=True)
class Manifest:
    """What one names: the address of each object is `prefix` + one of `names`, its path in the channel's folder."""

    prefix: str
    names: tuple[str, ...]

    @property
    def uris(self) -> tuple[str, ...]:
        """The addresses, as `s3://bucket/key`."""
        place = Location.parse(self.prefix)
        # A prefix may be a bucket without a slash behind it, which its names then have.
        start = str(place) if place.key or self.prefix.endswith("/") else f"s3://{place.bucket}"
        return tuple(f"{start}{name}" for name in self.names)


def read(uri: str, body: bytes) -> Manifest:
    """The manifest at `uri` (SM:S3DataSource.S3Uri, contract §1.5). Raises BadManifest."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise BadManifest(f"{uri} is not JSON: {error}") from None
    if not isinstance(given, list) or not given:
        raise BadManifest(f"{uri} is not a JSON list of a prefix and names.")
    first, *names = given
    prefix = first.get("prefix") if isinstance(first, dict) else None
    if not isinstance(prefix, str) or set(first) != {"prefix"}:
        raise BadManifest(f'{uri}: the first element must be {{"prefix": "s3://bucket/…"}}, not {json.dumps(first)}.')
    try:
        bucket = Location.parse(prefix).bucket
    except NotS3 as error:
        raise BadManifest(f"{uri}: the prefix {prefix} is not an S3 address: {error}") from None
    for number, name in enumerate(names, 1):
        if not isinstance(name, str) or not name:
            raise BadManifest(f"{uri}: element {number} must be the rest of a key, not {json.dumps(name)}.")
    found = Manifest(prefix, tuple(names))
    for number, one in enumerate(found.uris, 1):
        if not one.startswith(f"s3://{bucket}/") or one == f"s3://{bucket}/":
            raise BadManifest(f"{uri}: element {number}: {one} is not an object of the bucket {bucket}.")
    return found


def listed(manifest: Manifest, objects: Objects) -> tuple[Object, ...]:
    """The objects that a manifest names, in its order. Raises NoSuchKey for one that is not there, NoSuchBucket."""
    with ThreadPoolExecutor(_AT_ONCE, "manifest") as pool:
        return tuple(pool.map(objects.head, manifest.uris))
