"""A tree of folders and files as data: what a container finds at its start, and how it gets onto the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from samebox.data.objects import disk_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DIRECTORY_MODE, FILE_MODE = 0o755, 0o644


@dataclass(frozen=True)
class Tree:
    """Paths relative to its root. `modes`: of directories whose mode is not 0755."""

    directories: tuple[str, ...]
    files: Mapping[str, bytes]
    modes: Mapping[str, int] = field(default_factory=dict)


def write(tree: Tree, root: Path) -> None:
    """Make `root` this tree, whatever the umask; again after a crash gives the same. Other files stay.

    Raises DiskFull.
    """
    with disk_errors(root):
        _directory(root)
        for relative in tree.directories:
            here = root
            for part in relative.split("/"):
                here = here / part
                _directory(here)
        for name, content in tree.files.items():
            path = root / name
            temporary = path.with_name(path.name + ".part")
            temporary.write_bytes(content)
            temporary.chmod(FILE_MODE)
            temporary.replace(path)
        for name, mode in tree.modes.items():
            (root / name).chmod(mode)


def _directory(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(DIRECTORY_MODE)
