"""Log streams as files: a folder per account and region, in it one per group, in it a file of JSON lines per stream."""

import json
import threading
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_READ_BYTES = 64 * 1024

# Its time stamp is when the group was made: a folder's own changes with each new stream. No stream's file can be called
# so, because a dot in a stream's name is quoted.
_MARK = ".group"


@dataclass(frozen=True)
class Event:
    """One line of a log: epoch milliseconds and the text, without its line end.

    `cursor` is the writer's own mark of the place (say, the engine's nanosecond time stamp), to go on from after a
    crash without losing or doubling a line.
    """

    timestamp: int
    message: str
    cursor: str = ""


@dataclass(frozen=True)
class Stream:
    """What a listing says of a stream; times are epoch milliseconds, None while it is empty."""

    name: str
    created: int
    first_event: int | None
    last_event: int | None
    bytes: int


class Logbook:
    """All log groups under one folder. Appends are whole lines, so a reader never sees half an event."""

    def __init__(self, root: Path, lock: "threading.Lock | None" = None) -> None:
        self._root = root
        self._lock = lock or threading.Lock()

    def of(self, account: str, region: str) -> "Logbook":
        """The log groups of one account in one region, which see nothing of each other."""
        return Logbook(self._root / account / region, self._lock)

    def create(self, group: str, stream: str) -> None:
        """Make the stream if it is not there."""
        path = self._path(group, stream)
        self._make_group(path.parent)
        path.touch(exist_ok=True)

    def append(self, group: str, stream: str, events: Iterable[Event]) -> None:
        """Add events to a stream, making it if need be."""
        lines = "".join(
            json.dumps([event.timestamp, event.message, event.cursor], ensure_ascii=False, separators=(",", ":")) + "\n"
            for event in events
        )
        path = self._path(group, stream)
        self._make_group(path.parent)
        with self._lock, path.open("a+b") as file:
            # A kill in the middle of a write leaves half a line; end it, so that it costs one line and no more.
            if file.tell() and not _ends_line(path):
                file.write(b"\n")
            file.write(lines.encode())

    def read(self, group: str, stream: str, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Events from the byte offset `after` on, each with the offset behind it. Raises FileNotFoundError."""
        path, offset = self._path(group, stream), after
        while True:
            # Closed while the caller works: somebody may read a thousand streams at once.
            with path.open("rb") as file:
                file.seek(offset)
                lines = file.readlines(_READ_BYTES)
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                event = _event(line)
                if event is not None:
                    yield offset, event
            if not lines:
                return

    def backwards(self, group: str, stream: str, before: int) -> Iterator[tuple[int, int, Event]]:
        """Events that end at or before the byte offset `before`, the last first, each with its start and its end.

        Raises FileNotFoundError.
        """
        with self._path(group, stream).open("rb") as file:
            end = min(before, file.seek(0, 2))
            for start, line in _lines_backwards(file, end):
                event = _event(line) if line.endswith(b"\n") else None
                if event is not None:
                    yield start, start + len(line), event

    def size(self, group: str, stream: str) -> int:
        """Bytes of a stream. Raises FileNotFoundError."""
        return self._path(group, stream).stat().st_size

    def groups(self) -> list[str]:
        """Names of all groups, sorted."""
        if not self._root.is_dir():
            return []
        return sorted(_unquote(path.name) for path in self._root.iterdir() if path.is_dir())

    def created(self, group: str) -> int:
        """When the group was made, epoch milliseconds. Raises FileNotFoundError."""
        return int((self._root / _quote(group) / _MARK).stat().st_mtime * 1000)

    def names(self, group: str) -> list[str]:
        """The names of a group's streams, sorted. Raises FileNotFoundError."""
        folder = self._root / _quote(group)
        return sorted(_unquote(path.name) for path in folder.iterdir() if path.name != _MARK)

    def stream(self, group: str, name: str) -> Stream:
        """What a listing says of one stream. Raises FileNotFoundError."""
        return _describe(self._path(group, name))

    def streams(self, group: str) -> list[Stream]:
        """All streams of a group, by name. Raises FileNotFoundError."""
        return [self.stream(group, name) for name in self.names(group)]

    def has_stream(self, group: str, name: str) -> bool:
        """True when the stream exists, be it empty."""
        return self._path(group, name).is_file()

    def create_stream(self, group: str, name: str) -> None:
        """Make a stream of an existing group. Raises FileExistsError, FileNotFoundError."""
        self._path(group, name).touch(exist_ok=False)

    def create_group(self, group: str) -> None:
        """Make a group. Raises FileExistsError."""
        folder = self._root / _quote(group)
        folder.mkdir(parents=True)
        (folder / _MARK).touch()

    def has_group(self, group: str) -> bool:
        """True when the group exists, be it empty."""
        return (self._root / _quote(group)).is_dir()

    def delete_stream(self, group: str, stream: str) -> None:
        """Remove a stream. Raises FileNotFoundError."""
        self._path(group, stream).unlink()

    def delete_group(self, group: str) -> None:
        """Remove a group with its streams. Raises FileNotFoundError."""
        folder = self._root / _quote(group)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()

    def last(self, group: str, stream: str) -> Event | None:
        """The newest event, None when there is none or no stream."""
        try:
            return _last(self._path(group, stream))
        except FileNotFoundError:
            return None

    def _path(self, group: str, stream: str) -> Path:
        return self._root / _quote(group) / _quote(stream)

    def _make_group(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / _MARK).exists():
            (folder / _MARK).touch()


def _describe(path: Path) -> Stream:
    with path.open("rb") as file:
        first = _event(file.readline())
    stat, last = path.stat(), _last(path)
    return Stream(
        name=_unquote(path.name),
        created=first.timestamp if first else int(stat.st_mtime * 1000),
        first_event=first.timestamp if first else None,
        last_event=last.timestamp if last else None,
        bytes=stat.st_size,
    )


def _quote(name: str) -> str:
    # Group and stream names hold slashes; as one quoted path segment they cannot climb out of the root.
    return urllib.parse.quote(name, safe="").replace(".", "%2E")


def _unquote(name: str) -> str:
    return urllib.parse.unquote(name)


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _event(line: bytes) -> Event | None:
    try:
        timestamp, message, cursor = json.loads(line)
        return Event(int(timestamp), str(message), str(cursor))
    except ValueError:
        return None  # the one half line a kill may leave


def _last(path: Path) -> Event | None:
    with path.open("rb") as file:
        for _, line in _lines_backwards(file, file.seek(0, 2)):
            event = _event(line)
            if event is not None:
                return event
    return None


def _lines_backwards(file: BinaryIO, end: int, reach: int = 64 * 1024) -> Iterator[tuple[int, bytes]]:
    """Lines before the offset `end`, the last first, each with its start; in memory is one piece and one line."""
    rest = b""
    while end:
        start = max(0, end - reach)
        file.seek(start)
        piece = file.read(end - start) + rest
        lines = piece.splitlines(keepends=True)
        # The first may have begun earlier; it is kept for the next round.
        rest = lines.pop(0) if start else b""
        place = start + len(piece)
        for line in reversed(lines):
            place -= len(line)
            yield place, line
        end = start
