"""Reads image archives, as `docker save` and buildx write them: a tar, a compressed tar, a folder or a stream.

The archive is read once, from beginning to end: layers go into the file table as they are met. Which of them belong to
the image, and in which order, is known only at the end, where such archives have their manifest.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import zstandard
from isal import igzip, isal_zlib

from samebox.check import tar
from samebox.check.files import Layer

if TYPE_CHECKING:
    from pathlib import Path

_MOST_JSON = 16 << 20  # of a manifest or configuration
_GZIP, _ZSTD, _BZIP2, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0"
ATTESTATION = "attestation-manifest"

_ISAL_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stubs say an instance
_DAMAGED: tuple[type[Exception], ...] = (
    tar.BadTar,
    EOFError,
    lzma.LZMAError,
    gzip.BadGzipFile,
    zlib.error,
    zstandard.ZstdError,
    _ISAL_ERROR,
)

Tick = Callable[[int], None]  # called with the bytes read so far; may raise


class NotAnImage(Exception):
    """Not a readable image; the message names what it is instead, or what is missing."""


@dataclass(frozen=True)
class Blob:
    """One manifest, or a list of manifests, of the archive: what a registry would be given."""

    media_type: str
    digest: str
    body: dict[str, Any]


@dataclass(frozen=True)
class ImageArchive:
    """An image, read. `manifest` is None where the archive is docker's own, older form, which knows none."""

    config: dict[str, Any]
    layers: list[Layer]
    layer_media_types: tuple[str, ...] = ()
    manifest: Blob | None = None
    attestations: int = 0  # manifests beside the image that describe how it was built
    platforms: tuple[str, ...] = ()  # of all images in the archive: "linux/amd64"
    docker_manifest: bool = False  # it has docker's manifest.json, so `docker load` reads it
    index_media_types: tuple[str, ...] = ()  # of the lists of manifests that lead to it
    compressed_sizes: tuple[int, ...] = ()  # as the archive holds the layers


@dataclass
class _Parts:
    """What a pass has found, by name."""

    keep: frozenset[str]
    documents: dict[str, Any] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    bytes: int = 0


def read_path(
    path: Path, tick: Tick = lambda _: None, platform: str = "linux/amd64", keep: frozenset[str] = frozenset()
) -> ImageArchive:
    """A tar, compressed or not, or a folder in OCI layout. Raises NotAnImage, OSError."""
    if path.is_dir():
        if not (path / "index.json").is_file():
            raise NotAnImage("it is a folder and not in OCI layout: there is no index.json in it")
        parts = _Parts(keep)
        for below in sorted(path.rglob("*")):
            if below.is_file():
                with below.open("rb") as stream:
                    _take(parts, below.relative_to(path).as_posix(), below.stat().st_size, stream.read, tick)
        return _assemble(parts, platform)
    with path.open("rb") as stream:
        return read_stream(stream, tick, platform, keep)


def read_stream(
    stream: BinaryIO, tick: Tick = lambda _: None, platform: str = "linux/amd64", keep: frozenset[str] = frozenset()
) -> ImageArchive:
    """An archive as it comes; `keep`: paths of files whose content is wanted.

    Raises NotAnImage, and whatever the stream raises.
    """
    parts = _Parts(keep)
    try:
        with _uncompressed(_peekable(stream)) as plain:
            for entry, read in tar.entries(plain):
                name = entry.name.removeprefix("./")
                if entry.kind in (tar.SYMBOLIC_LINK, tar.HARD_LINK):
                    parts.links[name] = _beside(name, entry.link) if entry.kind == tar.SYMBOLIC_LINK else entry.link
                elif entry.kind == tar.FILE:
                    _take(parts, name, entry.size, read, tick)
    except _DAMAGED as error:
        if not parts.documents and not parts.layers:
            raise NotAnImage(f"it is neither a docker nor an OCI archive: {error}") from error
        raise NotAnImage(f"the archive is cut off or damaged: {error}") from error
    return _assemble(parts, platform)


def _take(parts: _Parts, name: str, size: int, read: tar.Read, tick: Tick) -> None:
    """Put one file of the archive where it belongs, by what it begins with."""
    start = parts.bytes
    parts.bytes += size
    tick(start)
    content = _LayerStream(read)
    buffered = io.BufferedReader(content, 1 << 20)
    head = buffered.peek(512)[:512]
    if head.lstrip()[:1] in (b"{", b"[") and size <= _MOST_JSON:
        try:
            parts.documents[name] = json.loads(buffered.read())
        except ValueError as error:
            raise NotAnImage(f"{name} in the archive is not JSON: {error}") from error
        return
    if not _looks_like_layer(head, size):
        return
    layer = Layer(parts.keep)
    try:
        with _uncompressed(buffered) as plain:
            layer.read(plain, lambda: tick(start + content.count))
    except _DAMAGED as error:
        raise NotAnImage(f"the layer {_short(name)} is cut off or damaged: {error}") from error
    parts.layers[name] = layer
    parts.sizes[name] = size


def _looks_like_layer(head: bytes, size: int) -> bool:
    if head[:2] == _GZIP or head[:4] == _ZSTD or head[:3] == _BZIP2 or head[:6] == _XZ:
        return True
    # An empty layer is two blocks of zeros. A tar from before ustar is recognised by its checksum, when it is read.
    return size >= 1024 and (head[257:262] == b"ustar" or head == b"\0" * 512)


def _assemble(parts: _Parts, platform: str) -> ImageArchive:
    manifest, media_types, attestations, platforms = _chosen(parts, platform)
    if manifest is not None:
        config_name = _blob_name(str(manifest.body["config"]["digest"]))
        layer_facts = manifest.body.get("layers", [])
        names = [_blob_name(str(one["digest"])) for one in layer_facts]
        types = tuple(str(one.get("mediaType", "")) for one in layer_facts)
    else:
        listed = parts.documents.get("manifest.json")
        if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
            raise NotAnImage(_what_is_missing(parts))
        config_name = str(listed[0].get("Config", ""))
        names = [str(name) for name in listed[0].get("Layers") or []]
        types = ()
    config = parts.documents.get(config_name)
    if not isinstance(config, dict):
        raise NotAnImage(f"the archive is not whole: its configuration, {_short(config_name)}, is missing")
    layers = [_layer(parts, name) for name in names]
    return ImageArchive(
        config,
        layers,
        types,
        manifest,
        attestations,
        platforms or (f"{config.get('os', 'linux')}/{config.get('architecture', '')}",),
        "manifest.json" in parts.documents,
        media_types,
        tuple(parts.sizes.get(parts.links.get(name, name), 0) for name in names),
    )


def _layer(parts: _Parts, name: str) -> Layer:
    for _ in range(len(parts.links) + 1):
        if name not in parts.links:
            break
        name = parts.links[name]
    if name not in parts.layers:
        raise NotAnImage(f"the archive is not whole: the layer {_short(name)} is missing")
    return parts.layers[name]


def _chosen(parts: _Parts, platform: str) -> tuple[Blob | None, tuple[str, ...], int, tuple[str, ...]]:
    """The manifest of the platform, through as many lists as lead to it."""
    index = parts.documents.get("index.json")
    if not isinstance(index, dict):
        return None, (), 0, ()
    found: list[tuple[str, Blob]] = []
    attestations = 0
    types: list[str] = []
    lists: list[dict[str, Any]] = [index]
    while lists:
        for entry in lists.pop().get("manifests", []):
            digest = str(entry.get("digest", ""))
            body = parts.documents.get(_blob_name(digest))
            media_type = str(entry.get("mediaType", ""))
            if entry.get("annotations", {}).get("vnd.docker.reference.type") == ATTESTATION:
                attestations += 1
            elif isinstance(body, dict) and "manifests" in body:
                types.append(media_type)
                lists.append(body)
            elif isinstance(body, dict) and "config" in body:
                where = entry.get("platform") or _platform_of(parts, body)
                words = f"{where.get('os', '')}/{where.get('architecture', '')}"
                found.append((words, Blob(str(body.get("mediaType") or media_type), digest, body)))
            elif body is None and entry.get("platform", {}).get("architecture") != "unknown":
                # Other platforms of a list are often left out of an archive; they do no harm.
                continue
    if not found:
        if "manifest.json" in parts.documents:
            return None, (), attestations, ()
        raise NotAnImage("the archive is not whole: its index names no manifest that is in it")
    platforms = tuple(words for words, _ in found)
    fitting = [blob for words, blob in found if words == platform] or [found[0][1]]
    return fitting[0], tuple(types), attestations, platforms


def _platform_of(parts: _Parts, manifest: dict[str, Any]) -> dict[str, Any]:
    config = parts.documents.get(_blob_name(str(manifest["config"].get("digest", ""))))
    return config if isinstance(config, dict) else {}


def _what_is_missing(parts: _Parts) -> str:
    if any(len(layer) for layer in parts.layers.values()) or parts.documents:
        return "the archive has no manifest.json and no index.json: it is not what `docker save` or buildx writes"
    return (
        "it is a tar, and no image: there is no manifest.json or index.json in it "
        "(`docker export` writes a container's files; `docker save` writes an image)"
    )


def _blob_name(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _short(name: str) -> str:
    return name if len(name) < 30 else name.removeprefix("blobs/")[:19] + "…"


def _beside(name: str, link: str) -> str:
    """docker's older archives link one layer.tar to another: ../<id>/layer.tar."""
    parts = name.split("/")[:-1]
    for part in link.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


class _LayerStream(io.RawIOBase):
    """One file of the archive as a stream, which knows how much of it has been read."""

    def __init__(self, read: tar.Read) -> None:
        super().__init__()
        self._read = read
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        self.count += len(data)
        buffer[: len(data)] = data
        return len(data)


def _peekable(stream: BinaryIO) -> io.BufferedReader[Any]:
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast("io.RawIOBase", stream), 1 << 20)


@contextmanager
def _uncompressed(stream: io.BufferedReader[Any]) -> Iterator[BinaryIO]:
    head = stream.peek(6)[:6]
    if head[:2] == _GZIP:
        with igzip.IGzipFile(fileobj=stream) as plain:  # type: ignore[no-untyped-call]
            yield cast("BinaryIO", plain)
    elif head[:3] == _BZIP2:
        with bz2.BZ2File(stream) as plain_bz2:
            yield cast("BinaryIO", plain_bz2)
    elif head == _XZ:
        with lzma.LZMAFile(stream) as plain_xz:
            yield cast("BinaryIO", plain_xz)
    elif head[:4] == _ZSTD:
        with zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True, closefd=False) as plain_zstd:
            yield cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", plain_zstd), 1 << 20))
    else:
        yield stream
