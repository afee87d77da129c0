"""Removes from the engine's host what containers wrote there as root, when we are not root.

No image of the user's runs for it, and none is pulled: the engine is given one statically linked program as an image of
one file. It is rclone, which we have anyway, and whose `purge` of a local folder removes it whole and follows no link.
"""

from __future__ import annotations

import tarfile
import tempfile
from typing import TYPE_CHECKING, BinaryIO, cast

from emulator.containers.engine import INSTANCE_LABEL, ContainerSpec, Mount

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "samebox/janitor"


def tag(program: Path) -> str:
    """Another program, another image; its size tells enough."""
    return str(program.stat().st_size)


def image_tar(program: Path) -> BinaryIO:
    """A file system that holds this one program, for an import."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
    with tarfile.open(fileobj=spool, mode="w") as tar:
        entry = tar.gettarinfo(str(program), "janitor")
        entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o755, 0, 0, "", ""
        with program.open("rb") as file:
            tar.addfile(entry, file)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
    spool.seek(0)
    return cast("BinaryIO", spool)


def spec(program: Path, path: Path, instance_id: str) -> ContainerSpec:
    return ContainerSpec(
        image=f"{REPOSITORY}:{tag(program)}",
        # A folder is purged, anything else deleted; --config= : there is no home to read a configuration from.
        command=("/janitor", "purge" if path.is_dir() else "deletefile", "--config=", f"/sweep/{path.name}"),
        labels={INSTANCE_LABEL: instance_id},
        mounts=(Mount(path.parent.resolve(), "/sweep"),),
        user="0:0",
        network="none",
    )
