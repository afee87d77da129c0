"""A folder of ours below a container's own layer: the container changes the layer, and never the folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from samebox.containers.engine import Mount

# What overlayfs needs below the folder of a layer.
_UPPER, _WORK = "upper", "work"
_COPY = "copy"
# They have a meaning in the mount's options.
_SEPARATORS = frozenset(',:\\"')
_MODE = 0o755  # of the channel's folder as a container sees it, with any umask


def overlay(source: Path, layer: Path, target: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The mount as Docker's API has it: a volume without a name, of Docker's own driver.

    The engine mounts it when the container starts, unmounts it when it ends, and removes it with the container. So no
    mount is left over, whichever process is killed, and we need not be root.
    """
    # An overlay refuses to rename a folder of the lower one unless it is asked for.
    options = f"lowerdir={source},upperdir={layer / _UPPER},workdir={layer / _WORK},redirect_dir=on"
    driver = {"Name": "local", "Options": {"type": "overlay", "device": "overlay", "o": options}}
    return {
        "Type": "volume",
        "Target": target,
        "VolumeOptions": {"NoCopy": True, "Labels": dict(labels), "DriverConfig": driver},
    }


def can_be_named(mount: Mount) -> bool:
    """Whether the mount's folders can be named in the options of an overlay."""
    return _SEPARATORS.isdisjoint(f"{mount.source}{mount.layer}")


def prepare(layer: Path) -> None:
    """Make the folders of a layer; again, after an interrupted start, changes nothing."""
    for part in (_UPPER, _WORK):
        (layer / part).mkdir(parents=True, exist_ok=True)
        (layer / part).chmod(_MODE)


def copied(source: Path, layer: Path) -> Path:
    """A copy of the folder that the container may change, for an engine without overlays. Raises OSError."""
    copy = layer / _COPY
    if not copy.exists():
        partial = layer / f"{_COPY}.part"
        shutil.rmtree(partial, ignore_errors=True)
        # Python copies by the kernel, which shares the blocks where the file system can.
        shutil.copytree(source, partial, symlinks=True)
        partial.replace(copy)
    return copy
