"""Log streams as files: a folder per account and region, in it one per group, in it a file of JSON lines per stream."""

import hashlib
import json
import os
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from samebox.resources import log_bound, log_file
from samebox.resources.log_file import Block, Event
from samebox.resources.reserve import NO_SPACE, Reserve

__all__ = ["Event", "Logbook", "Stream"]

T = TypeVar("T")

_READ_BYTES = 64 * 1024

# Holds the attributes of a group as JSON, or nothing. Its time stamp is when the group was made: a folder's own changes
# with each new stream. No stream's file can be called so, because a dot in a stream's name is quoted.
_MARK = ".group"
# The most bytes of a quoted name that are its file's name: file systems take 255, and the mark's own end comes behind.
_LONGEST = 240
# Of a longer name as many bytes are in the file's name, before a dot and a digest of all of it.
_KEPT = 160


@dataclass(frozen=True)
class Stream:
    """A stream as it is listed; times are epoch milliseconds, None while it is empty."""

    name: str
    created: int
    first_event: int | None
    last_event: int | None
    bytes: int


class _Shared:
    """What the logbooks of all accounts have in common: one writer at a time, and what was read of each stream."""

    def __init__(self, reserve: Reserve) -> None:
        self.reserve = reserve
        self.writing = threading.Lock()
        # Path -> (size and time of the file, what was read of it then). Without it, a listing opens every stream.
        self.known: dict[str, tuple[tuple[int, int], Stream]] = {}


class Logbook:
    """All log groups under one folder. Appends are whole lines, so a reader never sees half an event.

    About `limit` bytes are kept of each stream, of its beginning and its end; 0: all. `reserve` is for a full disk.
    """

    def __init__(
        self, root: Path, limit: int = 0, reserve: Reserve | None = None, shared: _Shared | None = None
    ) -> None:
        self._root = root
        self._limit = limit
        self._shared = shared or _Shared(reserve or Reserve())

    def of(self, account: str, region: str) -> "Logbook":
        """The log groups of one account in one region, which see nothing of each other."""
        return Logbook(self._root / account / region, self._limit, shared=self._shared)

    def books(self) -> "Iterator[Logbook]":
        """The log groups of each account in each region that has any."""
        for account in sorted(self._root.glob("*/*")):
            if account.is_dir():
                yield self.of(account.parent.name, account.name)

    def create(self, group: str, stream: str) -> None:
        """Make the stream if it is not there."""
        self._with_room(lambda: self._make(group, stream).touch(exist_ok=True))

    def append(self, group: str, stream: str, events: Iterable[Event]) -> None:
        """Add events to a stream, making it if need be; one that is too long afterwards loses its middle."""
        lines = log_file.encode(list(events))
        path = self._with_room(lambda: self._make(group, stream))
        with self._shared.writing:
            size = path.stat().st_size if path.exists() else 0

            def write() -> None:
                if path.exists():
                    os.truncate(path, size)  # what a first try has left
                self._append(path, lines)

            self._with_room(write)
            if self._limit and log_bound.is_beyond(path, self._limit):
                log_bound.shorten(path, self._limit)

    def read(self, group: str, stream: str, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Events from the byte offset `after` on, each with the offset behind it. Raises FileNotFoundError."""
        offset = after
        while (block := self.after(group, stream, offset, _READ_BYTES)).lines:
            offset = block.start
            for line, event in zip(block.lines, log_file.decode(block.lines), strict=True):
                offset += len(line) + 1
                if event is not None:
                    yield offset, event

    def after(self, group: str, stream: str, offset: int, size: int) -> Block:
        """About `size` bytes of lines from a byte offset on, one line at least, if there is one.

        Raises FileNotFoundError.
        """
        return log_file.after(self._path(group, stream), offset, size)

    def before(self, group: str, stream: str, offset: int, size: int) -> Block:
        """About `size` bytes of lines that end at or before a byte offset, one line at least, if there is one.

        Raises FileNotFoundError.
        """
        return log_file.before(self._path(group, stream), offset, size)

    def size(self, group: str, stream: str) -> int:
        """Bytes of a stream. Raises FileNotFoundError."""
        return self._path(group, stream).stat().st_size

    def groups(self) -> list[str]:
        """Names of all groups, sorted."""
        if not self._root.is_dir():
            return []
        return sorted(_name_of(path) for path in self._root.iterdir() if path.is_dir())

    def created(self, group: str) -> int:
        """When the group was made, epoch milliseconds. Raises FileNotFoundError."""
        return int((self._root / _quote(group) / _MARK).stat().st_mtime * 1000)

    def attributes(self, group: str) -> dict[str, Any]:
        """What a client gave with the group, such as its key and tags. Raises FileNotFoundError."""
        text = (self._root / _quote(group) / _MARK).read_text()
        return dict(json.loads(text)) if text else {}

    def set_attributes(self, group: str, attributes: Mapping[str, Any]) -> None:
        """Replace the attributes of a group. Raises FileNotFoundError."""
        mark = self._root / _quote(group) / _MARK
        with self._shared.writing:
            made = mark.stat()
            partial = mark.with_suffix(".part")
            partial.write_text(json.dumps(attributes))
            os.utime(partial, ns=(made.st_atime_ns, made.st_mtime_ns))
            partial.replace(mark)

    def names(self, group: str, prefix: str = "") -> list[str]:
        """The names of a group's streams that start with a prefix, sorted. Raises FileNotFoundError."""
        return sorted(_name_of(Path(entry.path)) for entry in self._files(group, prefix))

    def stream(self, group: str, name: str) -> Stream:
        """One stream as it is listed. Raises FileNotFoundError."""
        path = self._path(group, name)
        return self._describe(str(path), path.stat())

    def streams(self, group: str, prefix: str = "") -> list[Stream]:
        """All streams of a group whose names start with a prefix, by name. Raises FileNotFoundError."""
        found = [self._describe(entry.path, entry.stat()) for entry in self._files(group, prefix)]
        return sorted(found, key=lambda stream: stream.name)

    def stored_bytes(self, group: str) -> int:
        """The size of all streams of a group. No stream is opened for it. Raises FileNotFoundError."""
        return sum(entry.stat().st_size for entry in self._files(group))

    def has_stream(self, group: str, name: str) -> bool:
        """True when the stream exists, be it empty."""
        return self._path(group, name).is_file()

    def create_stream(self, group: str, name: str) -> None:
        """Make a stream of an existing group. Raises FileExistsError, FileNotFoundError."""
        path = self._path(group, name)
        _note_name(path, name)
        path.touch(exist_ok=False)

    def create_group(self, group: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Make a group with its attributes. Raises FileExistsError."""
        folder = self._root / _quote(group)
        folder.mkdir(parents=True)
        _note_name(folder, group)
        (folder / _MARK).write_text(json.dumps(attributes) if attributes else "")

    def has_group(self, group: str) -> bool:
        """True when the group exists, be it empty."""
        return (self._root / _quote(group)).is_dir()

    def delete_stream(self, group: str, stream: str) -> None:
        """Remove a stream. Raises FileNotFoundError."""
        path = self._path(group, stream)
        path.unlink()
        self._shared.known.pop(str(path), None)

    def delete_group(self, group: str) -> None:
        """Remove a group with its streams. Raises FileNotFoundError."""
        folder = self._root / _quote(group)
        for path in folder.iterdir():
            path.unlink()
            self._shared.known.pop(str(path), None)
        folder.rmdir()

    def forget(self, group: str, before: int) -> int:
        """Remove events older than that, epoch milliseconds, from the beginning of each stream of a group.

        Gives how many streams lost any. Raises FileNotFoundError.
        """
        lost = 0
        for entry in list(self._files(group)):
            path = Path(entry.path)
            with self._shared.writing:
                if path.exists() and log_bound.forget(path, before):
                    self._shared.known.pop(str(path), None)
                    lost += 1
        return lost

    def last(self, group: str, stream: str) -> Event | None:
        """The newest event, None when there is none or no stream."""
        try:
            return log_file.last(self._path(group, stream))
        except FileNotFoundError:
            return None

    def _with_room(self, write: Callable[[], T]) -> T:
        """Do it; once more where the disk is full and bytes were set aside for that."""
        try:
            return write()
        except OSError as error:
            if error.errno not in NO_SPACE or not self._shared.reserve.spend():
                raise
            return write()

    def _append(self, path: Path, lines: bytes) -> None:
        with path.open("ab", buffering=0) as file:
            # A kill in the middle of a write leaves half a line; end it, so that it costs one line and no more.
            if file.tell() and not _ends_line(path):
                file.write(b"\n")
            rest = memoryview(lines)
            while rest:
                rest = rest[file.write(rest) :]

    def _path(self, group: str, stream: str) -> Path:
        return self._root / _quote(group) / _quote(stream)

    def _files(self, group: str, prefix: str = "") -> Iterator[os.DirEntry[str]]:
        # Quoting goes character by character, so that what starts alike starts alike when quoted.
        start = _quote_whole(prefix)
        with os.scandir(self._root / _quote(group)) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.name.startswith(start) or (
                    _is_shortened(entry.name) and _name_of(Path(entry.path)).startswith(prefix)
                ):
                    yield entry

    def _describe(self, path: str, stat: os.stat_result) -> Stream:
        state = (stat.st_size, stat.st_mtime_ns)
        known = self._shared.known.get(path)
        if known is None or known[0] != state:
            known = state, _describe(Path(path), stat)
            self._shared.known[path] = known
        return known[1]

    def _make(self, group: str, stream: str) -> Path:
        """The stream's file, in a group that is there."""
        path = self._path(group, stream)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (path.parent / _MARK).exists():
            _note_name(path.parent, group)
            (path.parent / _MARK).touch()
        _note_name(path, stream)
        return path


def _describe(path: Path, stat: os.stat_result) -> Stream:
    first, last = log_file.first(path), log_file.last(path)
    return Stream(
        name=_name_of(path),
        created=first.timestamp if first else int(stat.st_mtime * 1000),
        first_event=first.timestamp if first else None,
        last_event=last.timestamp if last else None,
        bytes=stat.st_size,
    )


def _quote(name: str) -> str:
    """The name of a group's folder or a stream's file. AWS takes 512 characters, of which one may be quoted as 12."""
    quoted = _quote_whole(name)
    if len(quoted) <= _LONGEST:
        return quoted
    return f"{quoted[:_KEPT]}.{hashlib.sha256(quoted.encode()).hexdigest()}"


def _quote_whole(name: str) -> str:
    # Group and stream names hold slashes; as one quoted path segment they cannot climb out of the root.
    return urllib.parse.quote(name, safe="").replace(".", "%2E")


def _is_shortened(file_name: str) -> bool:
    # A dot in a name is quoted.
    return "." in file_name


def _whole_name(path: Path) -> Path:
    """The file beside a shortened name that holds the whole one. It starts with a dot, so that no listing shows it."""
    return path.with_name(f".{path.name.rpartition('.')[2]}")


def _note_name(path: Path, name: str) -> None:
    """Write a name down that its file's name does not hold, before there is such a file.

    It stays when the file is deleted: a listing under way may still read it, and it is true of no other name.
    """
    if _is_shortened(path.name) and not (noted := _whole_name(path)).exists():
        partial = noted.with_name(f"{noted.name}.part{threading.get_ident()}")
        partial.write_bytes(name.encode())
        partial.replace(noted)


def _name_of(path: Path) -> str:
    """The name of the group or stream that the path is of."""
    return _whole_name(path).read_bytes().decode() if _is_shortened(path.name) else urllib.parse.unquote(path.name)


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
