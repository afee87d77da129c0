"""model.tar.gz and output.tar.gz: made from a tar stream, and taken apart without trusting it."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

# Measured on float32 weights: 380 MB/s at a ratio of 0.92, where zlib makes 31 MB/s at 0.93.
from isal import isal_zlib

from samebox.data.objects import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024
NAME_BYTES = 255
# A path of PATH_MAX fits many times; what is larger was made to fill our memory.
HEADER_BYTES = 1024 * 1024
GZIP = 31

Reason = Literal["not-a-tar", "outside", "link", "device", "name", "clash", "too-large"]
_EXTENDED = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X")


class ArtifactError(Exception):
    """An archive that may not be used. `reason` is a code for a table; the message names the fault and its place."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


class EmptyDirectory(Exception):
    """There is nothing to pack: SageMaker uploads no archive of an empty directory (contract §1.8)."""


def pack(tar: Iterable[bytes], level: Literal[0, 1, 2, 3] = 1) -> Iterator[bytes]:
    """A gzip tar of the *contents* of the one directory that `tar` holds (the Engine's archive of /opt/ml/model).

    No top directory, no `./`, owner 0/0, mtimes kept, gzip header without time or name: same tree, same bytes
    (contract §1.8). Links are kept as they are; hosting refuses them later, as AWS does. Sockets, pipes and devices are
    left out. Bounded memory. ArtifactError where the stream is not a tar or ends too early, so that half is never taken
    for whole; EmptyDirectory, before any byte, where the directory holds nothing to pack.
    """
    return merge([tar], level)


def merge(tars: Iterable[Iterable[bytes]], level: Literal[0, 1, 2, 3] = 1) -> Iterator[bytes]:
    """`pack` of several directories as if they were one, such as /opt/ml/model of each host of a job; one is read at a
    time. Of files of the same name the first is kept: AWS keeps one of them, and which is not known (contract §1.8).
    """
    compressor = isal_zlib.compressobj(level, isal_zlib.DEFLATED, GZIP)
    packed: set[str] = set()
    for tar in tars:
        with _members(_Stream(iter(tar))) as (source, members):
            for member, name, top in _contents(members):
                if name in packed:
                    continue
                packed.add(name)
                yield from _compressed(compressor, _header(member, name, top))
                if member.isreg():
                    yield from _compressed_file(compressor, source, member)
    if not packed:
        raise EmptyDirectory
    end = bytes(2 * tarfile.BLOCKSIZE)
    yield compressor.compress(end) + compressor.flush()


def _contents(members: Iterable[tarfile.TarInfo]) -> Iterator[tuple[tarfile.TarInfo, str, str]]:
    """What is packed of the one directory in a tar: each member, its name in there, and the directory's."""
    top: str | None = None
    for member in members:
        first, _, rest = member.name.removeprefix("./").rstrip("/").partition("/")
        top = first if top is None else top
        if first != top:
            raise ArtifactError("outside", f"{member.name!r} is not in {top!r}, the one directory to pack.")
        if not rest or rest == ".":
            continue
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            log.warning("%s is left out of the archive: it is not a file, directory or link", member.name)
            continue
        yield member, rest, top


@dataclass(frozen=True)
class ArchivedFile:
    """A file of a directory. `link`: the name of an earlier one that is the same file; then it comes without bytes."""

    name: str
    size: int
    modified: float
    link: str = ""


def files(tar: Iterable[bytes]) -> Iterator[tuple[ArchivedFile, Iterator[bytes]]]:
    """The files of the one directory that `tar` holds, with their bytes, which are to be read before the next file.

    Symbolic links are left out, and so is whatever they lead to (contract §4.3). ArtifactError where the stream is no
    tar or ends too early, and for a name that is not UTF-8.
    """
    with _members(_Stream(iter(tar))) as (source, members):
        for member, name, top in _contents(members):
            if member.issym() or member.isdir():
                continue
            try:
                name.encode()
            except UnicodeEncodeError:
                raise ArtifactError("name", f"{name!r} cannot be a key of S3: it is not UTF-8.") from None
            link = member.linkname.removeprefix("./").removeprefix(f"{top}/") if member.islnk() else ""
            yield ArchivedFile(name, member.size, float(member.mtime), link), _content(source, member)


def unpack(
    archive: Iterable[bytes], destination: Path, limit_bytes: int = 64 * 1024**3, limit_members: int = 1_000_000
) -> int:
    """Unpack a gzip tar at `destination`, which appears whole or not at all; gives the bytes of its files.

    Raises ArtifactError: `not-a-tar`, `outside`, `link`, `device`, `name`, `clash`, `too-large` (contract §2.4);
    DiskFull when the disk is full. What stood at `destination` before is replaced. Files become 0644, or 0755 if any
    user may execute them in the archive; directories 0755.
    """
    workspace = destination.with_name(f".{destination.name}.unpacking")
    with disk_errors(destination):
        _remove(workspace)
        try:
            workspace.mkdir(parents=True)
            workspace.chmod(0o755)
            size = _unpack(_Stream(_gunzipped(archive)), workspace, limit_bytes, limit_members)
            _remove(destination)
            workspace.rename(destination)
        finally:
            _remove(workspace)
    return size


class _Stream:
    """A file that can only be read forward, as TarFile reads one: `seek` skips."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = memoryview(b"")
        self._position = 0
        self.last = b""

    def read(self, size: int) -> bytes:
        parts: list[memoryview] = []
        missing = size
        while missing:
            if not self._buffer:
                self._buffer = memoryview(next(self._chunks, b""))
                if not self._buffer:
                    break
            parts.append(self._buffer[:missing])
            self._buffer = self._buffer[len(parts[-1]) :]
            missing -= len(parts[-1])
        self.last = b"".join(parts)
        self._position += len(self.last)
        return self.last

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        while self._position < position:
            if not self.read(min(CHUNK_BYTES, position - self._position)):
                raise tarfile.ReadError("unexpected end of data")
        if self._position != position:
            raise tarfile.StreamError("a stream is read forward only")
        return position

    def drain(self) -> None:
        while self.read(CHUNK_BYTES):
            pass


class _Member(tarfile.TarInfo):
    """A header that is refused before TarFile reads its name of any length into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if member.type in _EXTENDED and member.size > HEADER_BYTES:
            raise ArtifactError("name", f"The archive has a header of {member.size} bytes, more than any name needs.")
        return member


@contextlib.contextmanager
def _members(stream: _Stream) -> Iterator[tuple[tarfile.TarFile, Iterator[tarfile.TarInfo]]]:
    try:
        with tarfile.TarFile(fileobj=stream, tarinfo=_Member, encoding="utf-8") as source:  # type: ignore[arg-type]
            yield source, _each(source, stream)
    except (tarfile.TarError, EOFError, UnicodeError) as error:
        raise ArtifactError("not-a-tar", f"The archive is not a whole tar: {error}.") from error


def _each(source: tarfile.TarFile, stream: _Stream) -> Iterator[tarfile.TarInfo]:
    while (member := source.next()) is not None:
        yield member
        # TarFile remembers every member; an archive of a million files would fill the memory.
        source.members.clear()  # type: ignore[attr-defined]
    # TarFile takes a broken header, or none, for the end. The end is a block of zeros.
    if len(stream.last) != tarfile.BLOCKSIZE or any(stream.last):
        raise ArtifactError("not-a-tar", f"The archive is not a whole tar: it breaks off after {stream.tell()} bytes.")
    stream.drain()


def _header(member: tarfile.TarInfo, name: str, top: str) -> bytes:
    plain = tarfile.TarInfo(name)
    plain.type = tarfile.REGTYPE if member.isreg() else member.type
    plain.mode = member.mode & 0o7777
    plain.mtime = int(member.mtime)
    plain.size = member.size if member.isreg() else 0
    # A hard link names its target by its place in the archive, a symbolic link by its place on the disk.
    linkname = member.linkname.removeprefix("./")
    plain.linkname = linkname.removeprefix(f"{top}/") if member.islnk() else member.linkname
    return plain.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _compressed(compressor: isal_zlib.Compress, data: bytes) -> Iterator[bytes]:
    if out := compressor.compress(data):
        yield out


def _compressed_file(
    compressor: isal_zlib.Compress, source: tarfile.TarFile, member: tarfile.TarInfo
) -> Iterator[bytes]:
    for data in _content(source, member):
        yield from _compressed(compressor, data)
    yield from _compressed(compressor, bytes(-member.size % tarfile.BLOCKSIZE))


def _content(source: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = source.extractfile(member) if member.isreg() else None
    left = member.size if file is not None else 0
    while left and file is not None:
        data = file.read(min(CHUNK_BYTES, left))
        if not data:
            raise ArtifactError("not-a-tar", f"{member.name!r} breaks off {left} bytes before its end.")
        left -= len(data)
        yield data


def _gunzipped(archive: Iterable[bytes]) -> Iterator[bytes]:
    decompressor = isal_zlib.decompressobj(GZIP)
    begun = False
    for chunk in archive:
        waiting = chunk
        while waiting:
            # A gzip file may be several, one after the other; zeros behind the last are padding.
            if decompressor.eof:
                waiting = waiting.lstrip(b"\0")
                if not waiting:
                    break
                decompressor = isal_zlib.decompressobj(GZIP)
            begun = True
            try:
                out = decompressor.decompress(waiting, CHUNK_BYTES)
            except isal_zlib.IsalError as error:  # type: ignore[misc]  # its stub declares an instance
                raise ArtifactError("not-a-tar", f"The archive is not a gzip file: {error}.") from error
            waiting = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
            if out:
                yield out
    if not begun:
        raise ArtifactError("not-a-tar", "The archive is empty: 0 bytes.")
    if not decompressor.eof:
        raise ArtifactError("not-a-tar", "The archive is not a whole gzip file: it breaks off.")


def _unpack(stream: _Stream, root: Path, limit_bytes: int, limit_members: int) -> int:
    total = count = 0
    with _members(stream) as (source, members):
        for member in members:
            count += 1
            total += member.size if member.isreg() else 0
            if count > limit_members:
                raise ArtifactError("too-large", f"The archive has more than {limit_members} members.")
            if total > limit_bytes:
                raise ArtifactError("too-large", f"The archive unpacks to more than {limit_bytes} bytes.")
            _extract(source, member, root)
    return total


def _extract(source: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    parts = _safe_parts(member)
    if member.issym() or member.islnk():
        kind = "symbolic" if member.issym() else "hard"
        raise ArtifactError("link", f"{member.name!r} is a {kind} link to {member.linkname!r}; links are not allowed.")
    if not (member.isreg() or member.isdir()):
        raise ArtifactError("device", f"{member.name!r} is a device, pipe or socket; only files and directories are.")
    path = root.joinpath(*parts)
    directories = parts if member.isdir() else parts[:-1]
    here = root
    for part in directories:
        here = here / part
        if here.is_dir():
            continue
        if here.exists():
            raise ArtifactError("clash", f"{member.name!r} needs the directory {part!r}, which is a file already.")
        here.mkdir()
        here.chmod(0o755)
    if member.isdir():
        return
    if not parts or path.is_dir():
        raise ArtifactError("clash", f"{member.name!r} is a file, and a directory of the same name is there already.")
    _write(source, member, path)


def _safe_parts(member: tarfile.TarInfo) -> tuple[str, ...]:
    # Links cannot be made, so a name without `..` cannot lead out.
    if member.name.startswith("/"):
        raise ArtifactError("outside", f"{member.name!r} is an absolute path.")
    parts = tuple(part for part in member.name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise ArtifactError("outside", f"{member.name!r} leads out of the directory.")
    for part in parts:
        if len(os.fsencode(part)) > NAME_BYTES:
            raise ArtifactError("name", f"{member.name[:80]!r}... has a part of more than {NAME_BYTES} bytes.")
        if not part.strip() or "\0" in part:
            raise ArtifactError("name", f"{member.name!r} has a part that is blank or holds a NUL.")
    return parts


def _write(source: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    # An archive may hold a name twice; the later one counts, as with tar.
    path.unlink(missing_ok=True)
    with path.open("xb") as out:
        for data in _content(source, member):
            out.write(data)
    path.chmod(0o755 if member.mode & 0o111 else 0o644)
    with contextlib.suppress(OverflowError, ValueError):
        os.utime(path, (member.mtime, member.mtime))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
