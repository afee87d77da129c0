"""Removes from the engine's host what containers wrote there as root, when we are not root. Runs nothing at all.

Where a tar that is put into a container has a file, and the container has a folder of that name, Docker removes the
folder, whichever users own its content, follows no link, and makes the file. The container need never have been started
and may be made of an empty image: what it has is the parent folder as a mount. That is ours, so we can unlink the file.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from samebox.containers.engine import HELPER_LABEL, THIS_PROCESS, ContainerSpec, Mount

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY, TAG = "samebox/empty", "latest"
FOLDER = "/sweep"


def empty_image() -> io.BytesIO:
    """A file system with nothing in it, for an import."""
    return _tar([])


def spec(image: str, path: Path) -> ContainerSpec:
    return ContainerSpec(
        image=image,
        command=("never started",),
        labels={HELPER_LABEL: THIS_PROCESS},
        mounts=(Mount(path.parent.resolve(), FOLDER),),
        network="none",
    )


def replacement(path: Path) -> io.BytesIO:
    """An empty file in its place."""
    return _tar([tarfile.TarInfo(path.name)])


def _tar(entries: list[tarfile.TarInfo]) -> io.BytesIO:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for entry in entries:
            tar.addfile(entry)
    spool.seek(0)
    return spool
