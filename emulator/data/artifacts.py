"""model.tar.gz and output.tar.gz: made from a tar stream, and taken apart without trusting it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path


class ArtifactError(Exception):
    """An archive that may not be unpacked. `reason` is one word for the table, the message says what and where."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def pack(tar: Iterable[bytes], level: int = 1) -> Iterator[bytes]:
    """A gzip tar of the *contents* of the one directory that `tar` holds (the Engine's archive of /opt/ml/model).

    No top directory, no `./`, owner 0/0, mtimes kept, gzip header without time or name: same tree, same bytes
    (contract §1.8). A tar with no members gives an empty archive. Bounded memory. Raises ArtifactError.
    """
    raise NotImplementedError


def unpack(
    archive: Iterable[bytes], destination: Path, limit_bytes: int = 64 * 1024**3, limit_members: int = 1_000_000
) -> int:
    """Unpack a gzip tar at `destination`, which appears whole or not at all; gives the bytes written.

    Raises ArtifactError: `not-a-tar`, `outside`, `link`, `device`, `name`, `clash`, `too-large` (contract §2.4);
    OutOfSpace when the disk is full. What stood at `destination` before is replaced.
    """
    raise NotImplementedError
