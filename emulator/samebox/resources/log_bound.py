"""Keeps the file of a log stream within a bound on the disk: its beginning and its end stay, a hole is made between.

What is too old becomes a hole at the beginning.

Offsets stay what they are, because they are in tokens that clients hold. So the file gets longer and longer, and its
middle is a hole: bytes that take no room and read as zeros. No line has a zero in it. A line of ours stands before it.
"""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from samebox.resources.log_file import Event, after, before, data_from, encode, time_of

_BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system's own is
_PIECE_BYTES = 64 * 1024  # of a hole, no more than this is copied as zeros


def is_beyond(path: Path, limit: int) -> bool:
    """Whether a file takes more room than that."""
    stat = path.stat()
    return stat.st_size > limit and stat.st_blocks * _BLOCK_BYTES > limit


def shorten(path: Path, limit: int) -> None:
    """Keep whole lines, about a quarter of the limit of each end. The file must have no writer meanwhile."""
    partial = path.with_name(f".{path.name}.shorter")
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        begin = _behind_line(file, limit // 4)
        # The last line stays, however long: a writer that continues finds its position there.
        end = min(_behind_line(file, size - limit // 4), before(path, size, 1).start)
        sentence = (
            f"samebox: {end - begin} bytes of this log are left out here: about {limit} bytes of a container's log are "
            "kept (SAMEBOX_LOG_BYTES), the first and the last of it"
        )
        mark = encode([Event(_time_before(file, begin), sentence)])
        if begin + len(mark) >= end:
            return  # a line or two are all there is between them
        with partial.open("wb") as fresh:
            _copy(file, 0, begin, fresh)
            fresh.write(mark)
            _copy(file, end, size, fresh)
    shutil.copystat(path, partial)
    partial.replace(path)


def forget(path: Path, time: int) -> bool:
    """Make a hole of the events before that, epoch milliseconds, up to the first that is not; whether there were any.

    The last line stays, as in `shorten`. The file must have no writer meanwhile.
    """
    begin, end = _old_lines(path, time)
    partial = path.with_name(f".{path.name}.shorter")
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        end = min(end, before(path, size, 1).start)
        if end <= begin:
            return False
        with partial.open("wb") as fresh:
            _copy(file, end, size, fresh)
            fresh.truncate(size)
    shutil.copystat(path, partial)
    partial.replace(path)
    return True


def _old_lines(path: Path, time: int) -> tuple[int, int]:
    """Where the lines before a time begin, and where the first one is that is not."""
    block = after(path, 0, _PIECE_BYTES)
    begin = place = block.start
    while block.lines:
        place = block.start
        for line in block.lines:
            written = time_of(line)
            if written is not None and written >= time:
                return begin, place
            place += len(line) + 1
        block = after(path, block.end, _PIECE_BYTES)
    return begin, place


def _behind_line(file: BinaryIO, offset: int) -> int:
    """Where the first line ends that goes on at or behind an offset."""
    offset = data_from(file, offset)
    file.seek(offset)
    while piece := file.read(_PIECE_BYTES):
        place = piece.find(b"\n")
        if place >= 0:
            return offset + place + 1
        offset += len(piece)
    return offset


def _time_before(file: BinaryIO, offset: int) -> int:
    start = max(0, offset - _PIECE_BYTES)
    file.seek(start)
    lines = file.read(offset - start).splitlines()
    return next((time for line in reversed(lines) if (time := time_of(line)) is not None), 0)


def _copy(file: BinaryIO, start: int, end: int, fresh: BinaryIO) -> None:
    while (start := data_from(file, start)) < end:
        file.seek(start)
        fresh.seek(start)
        piece = file.read(min(end - start, _PIECE_BYTES))
        fresh.write(piece)
        start += len(piece)
