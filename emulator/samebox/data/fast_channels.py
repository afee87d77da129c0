"""A channel in FastFile mode: what is on this machine is linked, and the rest is read from S3 on demand."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from samebox.data import channels, fast_file_server, fuse_mounts
from samebox.data.fast_files import FastChannel, FastFile, Piece
from samebox.data.fuse_mounts import MountError
from samebox.data.objects import disk_errors

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from samebox.data.channel_cache import ChannelCache
    from samebox.data.channels import ChannelPlan
    from samebox.data.objects import Object, Objects

__all__ = ["MountError", "clear", "fill"]

# Of our own S3: it has small objects in its index, and a mount for their sake would be slower than a copy.
_SMALL_BYTES = 1 << 20


class _NotHere(Exception):
    """An object that is not one file of this machine."""


def fill(
    plan: ChannelPlan, objects: Objects, cache: ChannelCache, place: Path, label: str, cancelled: Event | None = None
) -> Path:
    """The folder that has the channel, to be mounted read-only; no byte of a large object is moved.

    `label` names a mount in the kernel's table. What an earlier call left below `place` is replaced. Raises
    MountError where some objects are not here whole and nothing can be mounted; NoSuchKey, NoSuchBucket,
    S3AccessDenied, Unreachable, DiskFull, Cancelled.
    """
    clear(place)
    with disk_errors(place):
        try:
            return _linked(plan, objects, cache, place / "files", cancelled)
        except _NotHere:
            shutil.rmtree(place / "files")
        return _mounted(plan, objects, cache, place, label)


def clear(folder: Path) -> None:
    """Unmount what is mounted below a folder. Raises MountError."""
    for one in fuse_mounts.below(folder):
        fuse_mounts.unmount(one.folder)


def _linked(plan: ChannelPlan, objects: Objects, cache: ChannelCache, files: Path, cancelled: Event | None) -> Path:
    """All files, where S3 or the cache has each of them as one. Raises _NotHere."""
    is_own = objects.address() is None

    def fetch(item: Object, path: Path, stop: Event) -> None:
        if is_own and item.size <= _SMALL_BYTES:
            cache.fetch(item, path, stop)
        elif not cache.link(item, path):
            raise _NotHere

    channels.fill(plan, fetch, files, cancelled)
    return files


def _mounted(plan: ChannelPlan, objects: Objects, cache: ChannelCache, place: Path, label: str) -> Path:
    why_not = fuse_mounts.why_not()
    if why_not is not None:
        raise MountError(why_not)
    target, pieces = place / "mount", place / "pieces"
    for folder in (target, pieces):
        folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, one in enumerate(plan.files):
        item, own = one.object, pieces / f"{number:x}"
        found: tuple[Piece, ...] | None = (Piece(str(own), 0, item.size),)
        if not cache.link(item, own):
            found = objects.pieces(item, pieces / f"{number:x}-parts")
            if found is None and objects.address() is None:  # its server would have nothing to read from
                raise MountError(f"{item.uri} cannot be linked")
        size = item.size if found is None else sum(piece.length for piece in found)
        files.append(FastFile(one.path, size, item.modified, item.uri, item.etag, found))
    log = str(place / "log")
    channel = FastChannel(str(target), label, log, plan.directories, tuple(files), objects.address())
    fast_file_server.start(channel)
    return target
