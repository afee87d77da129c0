"""A log stream on disk: a file of JSON lines, read in blocks of whole lines, which are decoded together.

One call of the JSON decoder for a block takes a sixth of the time that one call for each line takes. In the middle of a
file may be a hole, where lines were left out (see log_bound.py); a block lies before it or behind it.
"""

import errno
import json
import os
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, NamedTuple

_NOTHING = b"\0"  # what holes are read as, and no line has: JSON has it as \\u0000
_EDGE_BYTES = 4096  # what is read for the first or the last event of a stream


class Event(NamedTuple):
    """One line of a log: epoch milliseconds and the text, without its line end.

    `cursor` is the writer's own mark of the place (say, the engine's nanosecond time stamp), to go on from after a
    crash without losing or doubling a line.
    """

    timestamp: int
    message: str
    cursor: str = ""


class Block(NamedTuple):
    """Whole lines that lie one behind the other, without their line ends; `start` is the offset of the first."""

    start: int
    lines: list[bytes]

    @property
    def end(self) -> int:
        """The offset behind the last line."""
        return self.start + sum(map(len, self.lines)) + len(self.lines)

    def offsets(self) -> list[int]:
        """Where each line starts, and behind these where the last one ends."""
        return list(accumulate((len(line) + 1 for line in self.lines), initial=self.start))


def encode(events: Sequence[Event]) -> bytes:
    """Events as lines of a file."""
    return "".join(
        json.dumps(list(event), ensure_ascii=False, separators=(",", ":")) + "\n" for event in events
    ).encode()


def decode(lines: Sequence[bytes]) -> list[Event | None]:
    """The event of each line; None for one that is none: a kill may leave half a line."""
    try:
        # A half line has no closing bracket, so the whole is not JSON either, however it goes on.
        rows = json.loads(b"[" + b",".join(lines) + b"]")
        events: list[Event | None] = list(map(Event._make, rows))
    except (ValueError, TypeError):
        return [_event(line) for line in lines]
    return events if len(events) == len(lines) else [_event(line) for line in lines]


def time_of(line: bytes) -> int | None:
    """The time stamp of a line, without decoding the rest; None where there is none."""
    try:
        return int(line[1 : line.index(b",")])
    except ValueError:
        return None


def after(path: Path, offset: int, size: int) -> Block:
    """About `size` bytes of lines from an offset on, one line at least; none where there is no further whole line.

    The block starts at the offset, or behind the hole that the offset is in. Raises FileNotFoundError.
    """
    with path.open("rb") as file:
        while True:
            file.seek(offset)
            data = file.read(size)
            while b"\n" not in data and _NOTHING not in data and (more := file.read(size)):
                data += more
            data, hole, _ = data.partition(_NOTHING)
            whole, newline, _ = data.rpartition(b"\n")
            if newline or not hole:
                return Block(offset, whole.split(b"\n") if newline else [])
            offset = data_from(file, offset + len(data))


def before(path: Path, offset: int, size: int) -> Block:
    """About `size` bytes of lines that end at or before an offset, one line at least; none where there is none.

    Raises FileNotFoundError.
    """
    with path.open("rb") as file:
        end = min(offset, file.seek(0, os.SEEK_END))
        start = end
        while start:
            start = max(0, end - size)
            file.seek(start)
            left, hole, right = file.read(end - start).rpartition(_NOTHING)
            # Behind the last line end may be half a line; before the first, where we came in, the rest of one.
            whole, newline, _ = right.rpartition(b"\n")
            if hole and not newline:
                start = end = _data_before(file, start + len(left))
                continue
            if hole:
                start += len(left) + 1
            elif start:
                partial, cut, whole = whole.partition(b"\n")
                if not cut:
                    size *= 2
                    continue
                start += len(partial) + 1
            return Block(start, whole.split(b"\n") if newline else [])
    return Block(0, [])


def data_from(file: BinaryIO, offset: int) -> int:
    """The offset itself, or where the hole ends that it is in; the end of the file behind its last byte."""
    while True:
        try:
            offset = os.lseek(file.fileno(), offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return file.seek(0, os.SEEK_END)
        # The system knows holes by blocks; where it knows none, these are many steps.
        file.seek(offset)
        piece = file.read(_EDGE_BYTES)
        rest = piece.lstrip(_NOTHING)
        if rest:
            return offset + len(piece) - len(rest)
        offset += len(piece)


def _data_before(file: BinaryIO, offset: int) -> int:
    """Where the hole begins that an offset is in; 0 when there is nothing before it."""
    while offset:
        start = max(0, offset - _EDGE_BYTES)
        file.seek(start)
        rest = file.read(offset - start).rstrip(_NOTHING)
        if rest:
            return start + len(rest)
        offset = _end_of_data(file, start)
    return 0


def _end_of_data(file: BinaryIO, offset: int) -> int:
    """The offset, or where the last data before it ends when the system has a hole there."""
    end = 0
    while True:
        try:
            data = os.lseek(file.fileno(), end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return end
        if data >= offset:
            return end
        end = os.lseek(file.fileno(), data, os.SEEK_HOLE)
        if end >= offset:
            return offset


def first(path: Path) -> Event | None:
    """The oldest event, None when there is none. Raises FileNotFoundError."""
    block = after(path, 0, _EDGE_BYTES)
    while block.lines:
        for event in decode(block.lines):
            if event is not None:
                return event
        block = after(path, block.end, _EDGE_BYTES)
    return None


def last(path: Path) -> Event | None:
    """The newest event, None when there is none. Raises FileNotFoundError."""
    block = before(path, path.stat().st_size, _EDGE_BYTES)
    while block.lines:
        for event in reversed(decode(block.lines)):
            if event is not None:
                return event
        block = before(path, block.start, _EDGE_BYTES)
    return None


def _event(line: bytes) -> Event | None:
    try:
        timestamp, message, cursor = json.loads(line)
        return Event(int(timestamp), str(message), str(cursor))
    except (ValueError, TypeError):
        return None
