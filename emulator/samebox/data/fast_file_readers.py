"""What is read of a file in FastFile mode: pieces of local files, or blocks of an object that are fetched on demand."""

from __future__ import annotations

import bisect
import contextlib
import errno
import itertools
import logging
import os
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from samebox.data.objects import S3Error

if TYPE_CHECKING:
    from collections.abc import Generator

    from samebox.data.fast_files import FastFile, Piece

log = logging.getLogger(__name__)

BLOCK = 1 << 20
AHEAD = 8  # blocks, once a program reads one after the other
KEPT = 96  # blocks in memory, of all files together
_FETCHES = 8  # at once
_DESCRIPTORS = 256


class Descriptors:
    """Files that are open, the last used of them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[str, int] = OrderedDict()

    def read(self, path: str, offset: int, buffer: memoryview) -> int:
        """Bytes at an offset, as many as there are."""
        # A duplicate, so that another thread may close the file meanwhile.
        with self._lock:
            if path not in self._open:
                self._open[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                if len(self._open) > _DESCRIPTORS:
                    os.close(self._open.popitem(last=False)[1])
            self._open.move_to_end(path)
            descriptor = os.dup(self._open[path])
        try:
            return os.preadv(descriptor, [buffer], offset)
        finally:
            os.close(descriptor)


class PiecesReader:
    """A file that is one piece after the other."""

    def __init__(self, pieces: tuple[Piece, ...], descriptors: Descriptors) -> None:
        self._pieces = pieces
        self._descriptors = descriptors
        self._starts = list(itertools.accumulate((one.length for one in pieces), initial=0))

    def read(self, offset: int, buffer: memoryview) -> int:
        done, number = 0, bisect.bisect_right(self._starts, offset) - 1
        while done < len(buffer) and number < len(self._pieces):
            piece, within = self._pieces[number], offset + done - self._starts[number]
            wanted = buffer[done : done + piece.length - within]
            count = self._descriptors.read(piece.path, piece.offset + within, wanted)
            if not count:
                raise OSError(errno.EIO, f"{piece.path} is shorter than it was")
            done += count
            number += within + count == piece.length
        return done


class RangeSource(Protocol):
    """S3, as far as it is asked for parts of objects."""

    def read_range(self, uri: str, first: int = 0, end: int | None = None, etag: str = "") -> Generator[bytes]: ...


class Blocks:
    """Blocks of objects, fetched once while they are kept, and ahead of a program that reads them in order."""

    def __init__(self, s3: RangeSource) -> None:
        self._s3 = s3
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], Future[bytes]] = OrderedDict()
        self._pool = ThreadPoolExecutor(_FETCHES, "blocks")

    def get(self, file: FastFile, number: int) -> bytes:
        """A block of a file; they count from 0. Raises OSError where S3 does not give it."""
        with self._lock:
            in_order = number == 0 or (file.uri, number - 1) in self._kept
            wanted = self._begun(file, number)
            # The first block alone may be all that is read of a file: its names, or its header.
            for ahead in range(1, AHEAD + 1 if in_order and number else 1):
                self._begun(file, number + ahead)
        try:
            return wanted.result()
        except S3Error as error:
            log.warning("%s: %s", file.uri, error)
            with self._lock:
                self._kept.pop((file.uri, number), None)  # another read asks anew
            raise OSError(errno.EIO, str(error)) from error

    def _begun(self, file: FastFile, number: int) -> Future[bytes]:
        key = (file.uri, number)
        if key not in self._kept and number * BLOCK < file.size:
            self._kept[key] = self._pool.submit(self._fetch, file, number)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        if key not in self._kept:
            return Future()
        self._kept.move_to_end(key)
        return self._kept[key]

    def _fetch(self, file: FastFile, number: int) -> bytes:
        end = min((number + 1) * BLOCK, file.size)
        with contextlib.closing(self._s3.read_range(file.uri, number * BLOCK, end, file.etag)) as chunks:
            return b"".join(chunks)


class ObjectReader:
    """A file that is an object of another S3."""

    def __init__(self, file: FastFile, blocks: Blocks) -> None:
        self._file = file
        self._blocks = blocks

    def read(self, offset: int, buffer: memoryview) -> int:
        done = 0
        while done < len(buffer):
            number, within = divmod(offset + done, BLOCK)
            part = self._blocks.get(self._file, number)[within : within + len(buffer) - done]
            if not part:
                break
            buffer[done : done + len(part)] = part
            done += len(part)
        return done
