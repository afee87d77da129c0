"""The parts of an upload gathered in one file, each at the place that it has in the object.

Clients send parts of one size, but for the last. So a part's number and the size of the first one that came say where
its bytes belong, and an object whose parts all came so is one file: it is read, linked and mounted as such, and nothing
is copied for it. A part that does not fit has a file of its own, as one that is sent a second time has, because the
bytes of the first are in use.

The row of part 0 holds the file while its upload is open, and the row of each part is a slice of it. What is known here
is known to one process alone: after a restart an upload gathers its further parts in another file.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from samebox.s3 import refusals

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.s3.files import Files

# What a part must have for a file to be begun with it: smaller ones are only ever the last.
LEAST_BYTES = 5 * 1024 * 1024
# Up to here file systems have files; where a client leaves numbers out, they have holes.
_MOST_BYTES = 1 << 40
_UPLOADS = 1000  # whose files are known; of more, the one that was begun first is forgotten


@dataclass
class _Gathered:
    body: int
    part_bytes: int
    claimed: set[int] = field(default_factory=set)  # numbers of parts that have their place, or had it at once
    under_way: int = 0  # how many of them are being written
    has_row: bool = False


class Region:
    """The place of one part in the file of its upload. Written by one thread, then taken or released."""

    def __init__(
        self, files: Files, upload_id: str, body: int, offset: int, size: int, ended: Callable[[bool], None]
    ) -> None:
        self._files = files
        self._upload_id = upload_id
        self.body = body
        self.offset = offset
        self.size = size
        self._ended = ended

    def open(self) -> BinaryIO:
        """The file, to be written from the region's first byte on. Raises NoSuchUpload, InsufficientStorage."""
        with self._files.space_errors():
            try:
                file = os.fdopen(self._files.open(self.body, os.O_RDWR), "r+b", buffering=0)
            except FileNotFoundError:  # the upload was aborted since the place was claimed
                raise refusals.no_such_upload(self._upload_id) from None
            file.seek(self.offset)
        return file

    def take(self) -> None:
        """The part has a row now."""
        self._ended(True)

    def release(self) -> None:
        """The part came to nothing: another with its number may be written there."""
        self._ended(False)


class Gathering:
    """The files of open uploads. Thread-safe."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._uploads: dict[str, _Gathered] = {}

    def claim(self, upload_id: str, number: int, size: int) -> Region | None:
        """A place for a part of `size` bytes, or None where it needs a file of its own. Raises InsufficientStorage."""
        with self._lock:
            known = self._uploads.get(upload_id)
            part_bytes = size if known is None else known.part_bytes
            offset = (number - 1) * part_bytes
            if not 0 < size <= part_bytes or not 0 <= offset < _MOST_BYTES:
                return None
            if known is None:
                if size < LEAST_BYTES:
                    return None
                known = self._begin(upload_id, size)
            elif number in known.claimed:
                return None
            known.claimed.add(number)
            known.under_way += 1

        def ended(taken: bool) -> None:
            self._end(upload_id, known, number, taken)

        return Region(self._files, upload_id, known.body, offset, size, ended)

    def forget(self, upload_id: str) -> None:
        """The upload is completed or aborted."""
        with self._lock:
            self._uploads.pop(upload_id, None)

    def _begin(self, upload_id: str, part_bytes: int) -> _Gathered:
        body = self._files.new_id()
        self._files.create(body).close()
        self._forget_oldest()
        begun = self._uploads[upload_id] = _Gathered(body, part_bytes)
        return begun

    def _end(self, upload_id: str, known: _Gathered, number: int, taken: bool) -> None:
        with self._lock:
            known.under_way -= 1
            known.has_row |= taken
            if taken:
                return
            known.claimed.discard(number)
            if known.has_row or known.under_way:
                return
            if self._uploads.get(upload_id) is known:
                del self._uploads[upload_id]
        self._files.discard(known.body)

    def _forget_oldest(self) -> None:
        if len(self._uploads) >= _UPLOADS:
            idle = (name for name, one in self._uploads.items() if not one.under_way)
            oldest = next(idle, None)
            if oldest is not None:
                del self._uploads[oldest]
