"""Model archives. Each broken one has one fault."""

from __future__ import annotations

import functools
import gzip
import io
import tarfile
from typing import TYPE_CHECKING

from tests.check.zoo.zoo import Broken, Sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from samebox.check.checks import Claim

Member = tuple[tarfile.TarInfo, bytes]
_PIECE = 50_000_384  # bytes: whole blocks
SERVERLESS: frozenset[Claim] = frozenset({"serverless"})


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> Member:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.mode = kind, link, mode
    return found, b"weights" if kind == tarfile.REGTYPE else b""


MODEL = (member("model.txt"), member("vocabulary/words.txt"))


def archive(*members: Member, mode: str = "w:gz", cut: int = 0) -> Callable[[Path], Path]:
    """Writes it into a folder that is given later; `cut`: so many bytes are missing at its end."""

    def write(folder: Path) -> Path:
        path = folder / "model.tar.gz"
        spool = io.BytesIO()
        with tarfile.open(fileobj=spool, mode=mode) as tar:  # type: ignore[call-overload]  # the mode is a parameter
            for info, content in members:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        data = spool.getvalue()
        path.write_bytes(data[: len(data) - cut])
        return path

    return write


def zeros(name: str, size: int) -> bytes:
    """Of a tar in gzip, a file of gigabytes that is made in a moment: one piece, compressed once and repeated."""
    info = tarfile.TarInfo(name)
    info.size = size // _PIECE * _PIECE
    return gzip.compress(info.tobuf()) + size // _PIECE * _piece()


@functools.cache
def _piece() -> bytes:
    return gzip.compress(bytes(_PIECE), 6)


def of_zeros(size: int) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "model.tar.gz"
        path.write_bytes(zeros("model.txt", size) + gzip.compress(bytes(2 * tarfile.BLOCKSIZE)))
        return path

    return write


def broken(name: str, fails: str, write: Callable[[Path], Path]) -> Broken:
    return Broken(name, fails, None, arguments={"model": write})


SOUND = (
    Sound("a model", None, SERVERLESS, {"model": archive(*MODEL)}),
    Sound("a SavedModel's version", None, SERVERLESS, {"model": archive(member("1/saved_model.pb"))}),
)

BROKEN = (
    broken("is cut off", "artifact-readable", archive(*MODEL, cut=20)),
    broken("is not compressed", "artifact-readable", archive(*MODEL, mode="w")),
    broken("is empty", "artifact-readable", archive()),
    broken("holds a symbolic link", "artifact-links", archive(*MODEL, member("latest", tarfile.SYMTYPE, "model.txt"))),
    broken("holds a hard link", "artifact-links", archive(*MODEL, member("again", tarfile.LNKTYPE, "model.txt"))),
    broken("holds a device", "artifact-devices", archive(*MODEL, member("null", tarfile.CHRTYPE))),
    broken("holds a pipe", "artifact-devices", archive(*MODEL, member("pipe", tarfile.FIFOTYPE))),
    broken("has an absolute path", "artifact-paths", archive(*MODEL, member("/etc/passwd"))),
    broken("climbs out", "artifact-paths", archive(*MODEL, member("../../code/run.py"))),
    broken("is a folder", "artifact-top-directory", archive(member("model/model.txt"), member("model/words.txt"))),
    broken("was packed on a Mac", "artifact-mac-files", archive(member("._model.txt"), *MODEL)),
    broken("is its owner's only", "artifact-permissions", archive(*MODEL, member("secret.txt", mode=0o600))),
    Broken("is large", "artifact-size", None, SERVERLESS, {"model": of_zeros(5_100_000_000)}),
)
