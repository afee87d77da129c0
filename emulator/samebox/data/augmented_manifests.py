"""AugmentedManifestFile: JSON Lines, each a sample of a channel in Pipe mode: `{"image-ref": "s3://…", "label": 3}`."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from samebox.data.manifests import BadManifest
from samebox.data.objects import Location, NotS3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.data.objects import Object, Objects

_REFERENCE = "-ref"  # ends the name of an attribute whose value is an address, and whose object is sent
_AT_ONCE = 8

# What is sent of a line, attribute by attribute: an object, or the value itself.
Sample = tuple["Object | bytes", ...]


def read(uri: str, body: bytes, names: Sequence[str], objects: Objects) -> tuple[Sample, ...]:
    """The samples of the manifest at `uri`: of each line the attributes `names`, in their order (contract §1.5).

    Raises BadManifest for a line that is not JSON, or lacks an attribute; NoSuchKey for an object that is not there.
    Empty lines are left out.
    """
    lines = [
        _attributes(f"{uri}, line {number}", line, names)
        for number, line in enumerate(body.split(b"\n"), 1)
        if line.strip()
    ]
    if not lines:
        raise BadManifest(f"{uri} has no lines.")
    wanted = list(dict.fromkeys(value for line in lines for value in line if isinstance(value, str)))
    with ThreadPoolExecutor(_AT_ONCE, "manifest") as pool:
        found = dict(zip(wanted, pool.map(objects.head, wanted), strict=True))
    return tuple(tuple(found[value] if isinstance(value, str) else value for value in line) for line in lines)


def _attributes(place: str, line: bytes, names: Sequence[str]) -> list[str | bytes]:
    """The address of each attribute that refers to an object, and the bytes of each other one."""
    try:
        given = json.loads(line)
    except ValueError as error:
        raise BadManifest(f"{place} is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise BadManifest(f"{place} is not a JSON object.")
    missing = [name for name in names if name not in given]
    if missing:
        raise BadManifest(f"{place} has no attribute {missing[0]!r}.")
    return [_value(place, name, given[name]) for name in names]


def _value(place: str, name: str, value: Any) -> str | bytes:
    if not name.endswith(_REFERENCE):
        return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()
    try:
        return str(Location.parse(value))
    except (NotS3, AttributeError) as error:
        raise BadManifest(f"{place}: the attribute {name!r} is not an S3 address: {error}") from None
