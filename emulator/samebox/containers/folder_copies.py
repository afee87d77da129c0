"""Folders and files of ours as tars, for containers of an engine that does not share our disk."""

from __future__ import annotations

import contextlib
import os
import tarfile
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

from samebox.containers.engine import HELPER_LABEL, THIS_PROCESS, ContainerSpec, StartFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from samebox.containers.engine import Mount, Volume, VolumeApi

# The names of volumes that are copies of folders for one container, and go with it.
PREFIX = "samebox-copy-"
_BLOCK = 1 << 16


def split(mounts: Iterable[Mount]) -> tuple[list[Mount], list[Mount]]:
    """Those of folders, and those of files. Raises StartFailed for a source that is not there."""
    mounts = tuple(mounts)
    for one in mounts:
        if not one.source.exists():
            raise StartFailed(f"invalid mount: there is no {one.source}")
    return [one for one in mounts if one.source.is_dir()], [one for one in mounts if not one.source.is_dir()]


def helper(image: str, labels: Mapping[str, str], **mounts: Any) -> ContainerSpec:
    """A container that is made for its mounts or volumes, and never started."""
    labels = {**labels, HELPER_LABEL: THIS_PROCESS}
    return ContainerSpec(image=image, command=("never started",), labels=labels, network="none", **mounts)


@contextlib.contextmanager
def tar_of(folder: Path) -> Iterator[BinaryIO]:
    """What is in a folder, with owners and modes; pipes and sockets are left out, as their other ends are here."""

    def write(tar: tarfile.TarFile) -> None:
        tar.add(folder, ".", filter=_without_pipes)

    with _written(write) as stream:
        yield stream


@contextlib.contextmanager
def tar_of_files(files: Iterable[Mount]) -> Iterator[BinaryIO]:
    """Files at their places below "/"."""

    def write(tar: tarfile.TarFile) -> None:
        for one in files:
            tar.add(one.source.resolve(), one.target.lstrip("/"))

    with _written(write) as stream:
        yield stream


def unused(engine: VolumeApi, labels: Mapping[str, str | None]) -> list[Volume]:
    """Copies that an interrupted creation has left."""
    return [volume for volume in engine.volumes(labels, unused=True) if volume.name.startswith(PREFIX)]


def first_file(stream: BinaryIO) -> bytes:
    """The content of the first regular file of a tar; empty if there is none."""
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if (file := tar.extractfile(member)) is not None:
                return file.read()
    return b""


@contextlib.contextmanager
def _written(write: Callable[[tarfile.TarFile], None]) -> Iterator[BinaryIO]:
    """A tar as it is made, through a pipe: it may be larger than our memory and our disk."""
    reading, writing = os.pipe()
    problems: list[BaseException] = []

    def work() -> None:
        try:
            with (
                os.fdopen(writing, "wb", _BLOCK) as target,
                tarfile.open(fileobj=target, mode="w|", bufsize=_BLOCK) as tar,
            ):
                write(tar)
        except BrokenPipeError:
            return  # the reader has given up, and knows why
        except OSError as error:
            problems.append(error)

    writer = threading.Thread(target=work, name="copies a folder", daemon=True)
    writer.start()
    try:
        with os.fdopen(reading, "rb", _BLOCK) as stream:
            yield stream
    finally:
        writer.join()
    if problems:
        raise problems[0]


def _without_pipes(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if member.isfifo() else member
