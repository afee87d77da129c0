"""The input and output of a transform job as objects of S3: which are read, by which instance, and stored where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from samebox.data import manifests
from samebox.data.objects import Location

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samebox.data.objects import Object, Objects


def inputs(request: Mapping[str, Any], objects: Objects, whole_keys: bool = False) -> tuple[tuple[Object, str], ...]:
    """Each object of the input with the address of its output, in the order of the listing or the manifest.

    `whole_keys`: all of a key is in that of its output, and not what is below the prefix alone (contract §3.3).

    Raises BadManifest, NoSuchKey, NoSuchBucket; ValueError for a manifest that is too large.
    """
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    uri = source["S3Uri"]
    if source["S3DataType"] == "ManifestFile":
        manifest = manifests.read(uri, objects.get(uri))
        prefix, found = Location.parse(manifest.prefix).key, manifests.listed(manifest, objects)
    else:
        # A key that ends with a slash and has no bytes is the folder of other tools.
        prefix = Location.parse(uri).key
        found = tuple(one for one in objects.list(uri) if one.size or not one.key.endswith("/"))
    root = request["TransformOutput"]["S3OutputPath"].rstrip("/")
    prefix = "" if whole_keys else prefix
    return tuple((one, f"{root}/{output_name(prefix, one.key)}") for one in found)


def output_name(prefix: str, key: str) -> str:
    """The rest of the key, or the name of the object that the prefix names whole, and `.out` (contract §3.3).

    A prefix that ends inside a path segment keeps that segment whole, as in a channel; AWS's rule is not known.
    """
    folder = prefix.rpartition("/")[0]
    name = key[len(folder) + 1 :] if folder else key
    if prefix and not prefix.endswith("/") and key.startswith(f"{prefix}/"):
        name = key[len(prefix) + 1 :]
    return f"{name.lstrip('/')}.out"


def share(all_inputs: Sequence[tuple[Object, str]], instance: int, instances: int) -> list[tuple[Object, str]]:
    """What one of several instances transforms, which count from 0: objects are dealt out in turn, by key."""
    return list(all_inputs[instance::instances])


def captured(request: Mapping[str, Any], found: Sequence[tuple[Object, str]], name: str) -> Mapping[str, bytes]:
    """The manifests of data capture by their addresses: what the job has read and what it has stored (contract §2.12).

    `name` is the end of both addresses: yyyy/mm/dd/hh/<uuid>.json. Without DataCaptureConfig there are none.
    """
    if "DataCaptureConfig" not in request:
        return {}
    root = request["DataCaptureConfig"]["DestinationS3Uri"].rstrip("/")
    sides = (("input", [one.uri for one, _ in found]), ("output", [target for _, target in found]))
    return {f"{root}/{side}/{name}": _manifest(uris) for side, uris in sides if uris}


def _manifest(uris: Sequence[str]) -> bytes:
    folder = uris[0].rpartition("/")[0]
    while not all(uri.startswith(f"{folder}/") for uri in uris):
        folder = folder.rpartition("/")[0]
    return json.dumps([{"prefix": f"{folder}/"}, *(uri[len(folder) + 1 :] for uri in uris)]).encode()
