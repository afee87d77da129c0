"""Small files of a container, such as its failure message."""

from __future__ import annotations

import contextlib
import tarfile
from typing import TYPE_CHECKING

from samebox.containers.engine import ContainerMissing, PathMissing

if TYPE_CHECKING:
    from samebox.containers.engine import Engine


def content(engine: Engine, container: str, path: str, most: int = 1 << 20) -> bytes | None:
    """The first bytes of a file; None where there is no such file, or no container any more."""
    try:
        stream = engine.archive(container, path)
    except (PathMissing, ContainerMissing):
        return None
    with contextlib.closing(stream):
        try:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                member = tar.next()
                file = tar.extractfile(member) if member is not None and member.isreg() else None
                return file.read(most) if file is not None else None
        except tarfile.TarError:
            return None
