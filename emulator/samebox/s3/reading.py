"""An object that is open for reading: its bytes in memory, or as open files for the kernel to copy from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from samebox.s3 import bodies, refusals
from samebox.s3.facts import loaded_map
from samebox.s3.records import ObjectPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from samebox.s3.bodies import Slice
    from samebox.s3.files import Files
    from samebox.s3.index import Index, Transaction
    from samebox.s3.records import Version
    from samebox.s3.versions import Stored

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Span:
    """`length` bytes: `data`, or those at `offset` of the open file `descriptor`."""

    length: int
    data: bytes | None = None
    descriptor: int | None = None
    offset: int = 0


class OpenObject:
    """One version, open: it can be read to its end even when it is deleted or replaced meanwhile. Close it."""

    def __init__(self, stored: Stored, found: list[Slice], index: Index, files: Files) -> None:
        self.version: Version = stored.version
        self.stored = stored
        self._slices = found
        self._index = index
        self._files = files
        self._pins = [one.body for one in found if one.data is None]
        self._first = -1  # the descriptor of an object that is one file

    def prepare(self) -> bool:
        """Make sure that the bytes stay; False if they are gone already, and the object must be looked up again."""
        there = True
        self._files.pin(self._pins)
        try:
            if len(self._pins) == 1 and len(self._slices) == 1:
                self._first = self._files.open(self._pins[0])
            elif self._pins:
                # From now on nothing is removed. What was removed before has no row any more.
                with self._index.read() as t:
                    there = t.one("SELECT 1 FROM bodies WHERE id = ?", (self.stored.body,)) is not None
        except FileNotFoundError:
            there = False
        if not there:
            self.close()
        return there

    @property
    def path(self) -> Path | None:
        """The object's own file, where it is one whole file: to be mounted or linked, and never written to."""
        if len(self._slices) != 1 or self._slices[0].data is not None or self._slices[0].first:
            return None
        placed = self._files.path(self._slices[0].body)
        try:
            whole = placed.stat().st_size == self.version.size
        except FileNotFoundError:
            return None
        return placed if whole else None

    def part(self, number: int) -> ObjectPart:
        """Where a part is. An object that came whole has part 1 alone. Raises InvalidPartNumber."""
        if self.stored.layout is None:
            if number == 1:
                return ObjectPart(1, 0, self.version.size, self.version.checksums.values)
            raise refusals.part_not_there(number, 1)
        with self._index.read() as t:
            found = object_parts(t, self.stored.layout, number - 1, 1)
        if not found or found[0].number != number:
            raise refusals.part_not_there(number, self.version.part_count)
        return found[0]

    def spans(self, first: int = 0, length: int | None = None) -> Iterator[Span]:
        """The bytes from `first` on. A span's descriptor is open until the next span is asked for."""
        end = self.version.size if length is None else min(self.version.size, first + length)
        start = 0
        for one in self._slices:
            begin, finish = max(first, start), min(end, start + one.size)
            if begin < finish:
                yield from self._span(one, one.first + begin - start, finish - begin)
            start += one.size

    def chunks(self, first: int = 0, length: int | None = None, size: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The bytes from `first` on, `size` at a time."""
        for span in self.spans(first, length):
            if span.descriptor is None:
                yield span.data or b""
                continue
            offset, end = span.offset, span.offset + span.length
            while offset < end:
                data = os.pread(span.descriptor, min(size, end - offset), offset)
                if not data:
                    raise OSError(f"The file of {self.version.key} is shorter than its row says.")
                offset += len(data)
                yield data

    def close(self) -> None:
        """Let go of the files."""
        if self._first >= 0:
            os.close(self._first)
            self._first = -1
        pins, self._pins = self._pins, []
        self._files.unpin(pins)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _span(self, one: Slice, offset: int, length: int) -> Iterator[Span]:
        if one.data is not None:
            yield Span(length, one.data[offset : offset + length])
        elif self._first >= 0:
            yield Span(length, None, self._first, offset)
        else:
            descriptor = self._files.open(one.body)
            try:
                yield Span(length, None, descriptor, offset)
            finally:
                os.close(descriptor)


def opened(index: Index, files: Files, find: Callable[[Transaction], Stored]) -> OpenObject:
    """Open what `find` finds. Raises what it raises, and InternalError where the file of an object is gone."""
    before: Stored | None = None
    while True:
        with index.read() as t:
            found = find(t)
            slices = bodies.slices(t, found.body, 0, found.version.size)
        reading = OpenObject(found, slices, index, files)
        if reading.prepare():
            return reading
        # Deleted or replaced since it was looked up: what is there now? The same cannot be.
        if found == before:
            raise refusals.bytes_are_gone(found.version.key, str(files.path(found.body or 0)))
        before = found


def object_parts(t: Transaction, layout: int, after: int, limit: int) -> list[ObjectPart]:
    """The parts of an object after a number."""
    rows = t.all(
        "SELECT number, start, size, checksums FROM layouts WHERE layout = ? AND number > ? ORDER BY number LIMIT ?",
        (layout, after, limit),
    )
    return [ObjectPart(number, start, size, loaded_map(text)) for number, start, size, text in rows]
