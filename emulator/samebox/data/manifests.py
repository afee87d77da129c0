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
    """What one names: each object is `prefix` + one of `names`, which is its path in the channel's folder, too."""

    prefix: str
    names: tuple[str, ...]


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
        Location.parse(prefix)
    except NotS3 as error:
        raise BadManifest(f"{uri}: the prefix {prefix} is not an S3 address: {error}") from None
    for number, name in enumerate(names, 1):
        if not isinstance(name, str) or not name:
            raise BadManifest(f"{uri}: element {number} must be the rest of a key, not {json.dumps(name)}.")
    return Manifest(prefix, tuple(names))


def listed(manifest: Manifest, objects: Objects) -> tuple[Object, ...]:
    """The objects that a manifest names, in its order. Raises NoSuchKey for one that is not there, NoSuchBucket."""
    place = Location.parse(manifest.prefix)
    uris = [f"s3://{place.bucket}/{place.key}{name}" for name in manifest.names]
    with ThreadPoolExecutor(_AT_ONCE, "manifest") as pool:
        return tuple(pool.map(objects.head, uris))
