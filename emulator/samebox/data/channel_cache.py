"""The channel cache: objects that jobs were given, kept as files for the next job, within a limit of bytes.

A file here is named by its object and that object's ETag, so one that was replaced in S3 is another file. Jobs get
second names (hard links) for files, which they may not write to: see Mount.layer. So the cache may drop a file at any
time, and after a kill -9 there is nothing to put right: a job that has a name for the file keeps it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import shutil
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from samebox.data.objects import Cancelled, DiskFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event

    from samebox.data.objects import Object, Objects

log = logging.getLogger(__name__)

# Another disk, a file system without links, or one name too many.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)
_PARTIAL = ".part"  # ends the name of a file that is being written
_LOOK_SECONDS = 0.1
_BLOCK = 4096  # of a disk: what a small file takes


def folder(data_dir: Path) -> Path:
    """Where an emulator has its cache."""
    return data_dir / "channels"


class ChannelCache:
    """The cache in one folder, for one process at a time. Thread-safe. A `limit` of 0 bytes keeps nothing."""

    def __init__(self, folder: Path, limit: int, objects: Objects) -> None:
        self._folder = folder
        self._limit = limit
        self._objects = objects
        self._lock = threading.Lock()  # of what follows
        self._bytes: int | None = None  # on the disk; None: not looked at yet
        self._fetching: dict[str, threading.Lock] = {}
        self._waiting: Counter[str] = Counter()

    def fetch(self, item: Object, path: Path, cancelled: Event | None = None) -> None:
        """Make `path` a file with the bytes of the object, which must not be written to.

        It is a link to the file of our own S3, or to the one that is kept here. An object that several jobs want at
        once is fetched once. Raises NoSuchKey, NoSuchBucket, S3AccessDenied, Unreachable, DiskFull, Cancelled.
        """
        if self.link(item, path):
            return
        name = _name(item)
        with self._one_at_a_time(name, cancelled):
            if not self._linked(name, path):
                self._fetch(item, path, cancelled)

    def link(self, item: Object, path: Path) -> bool:
        """Make `path` a second name of the file that S3 has of the object, or that is kept here. False without one."""
        path.unlink(missing_ok=True)
        return self._objects.link(item, path) or self._linked(_name(item), path)

    def _fetch(self, item: Object, path: Path, cancelled: Event | None) -> None:
        size = _room(item.size)
        if not self._make_room(size):
            self._objects.download(item, path, cancelled)
            return
        partial = self._folder / f"{_name(item)}{_PARTIAL}"
        try:
            # What is read is perhaps not what was listed: the object may have been replaced meanwhile.
            read = self._objects.download(item, partial, cancelled)
            kept = self._folder / _name(read)
            partial.replace(kept)
        except BaseException:
            with self._lock:
                self._bytes = (self._bytes or 0) - size
            partial.unlink(missing_ok=True)
            raise
        if not _link(kept, path):
            shutil.copyfile(kept, path)

    def _linked(self, name: str, path: Path) -> bool:
        kept = self._folder / name
        try:
            if not _link(kept, path):
                shutil.copyfile(kept, path)
        except FileNotFoundError:
            return False
        with contextlib.suppress(FileNotFoundError):  # it was dropped since: the job has its own name for the file
            os.utime(kept, (time.time(), kept.stat().st_mtime))  # the last use, whether or not the disk notes it
        return True

    def _make_room(self, size: int) -> bool:
        """Count so many bytes in, and drop what was not used for longest. False where they are not to be kept.

        Raises DiskFull.
        """
        with self._lock:
            if self._bytes is None:
                self._bytes = self._looked_at()
            free = shutil.disk_usage(self._folder).free
            over = size - free
            if size <= self._limit:  # a larger one is not kept, and nothing is dropped for it
                over = max(over, self._bytes + size - self._limit)
            if over > 0:
                self._bytes -= self._drop(over)
            free = shutil.disk_usage(self._folder).free
            if size > free:
                raise DiskFull(str(self._folder), size, free)
            if self._bytes + size > self._limit:
                return False
            self._bytes += size
            return True

    def _drop(self, over: int) -> int:
        """Remove so many bytes at least, if there are; gives how many. What a job still has takes its room until then,
        and would not be fetched again for nothing: it stays.
        """
        found, dropped = [], 0
        for kept in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                stat = kept.stat()
                if stat.st_nlink == 1 and kept.suffix != _PARTIAL:
                    found.append((stat.st_atime, _room(stat.st_size), kept))
        for _, size, kept in sorted(found):
            if dropped >= over:
                break
            kept.unlink()
            dropped += size
        if dropped:
            log.info("the channel cache dropped %d bytes to make room", dropped)
        return dropped

    def _looked_at(self) -> int:
        """The bytes that are kept; what an earlier life of ours left half-written is removed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        total = 0
        for kept in self._folder.iterdir():
            if kept.suffix == _PARTIAL:
                kept.unlink()
            else:
                total += _room(kept.stat().st_size)
        return total

    @contextlib.contextmanager
    def _one_at_a_time(self, name: str, cancelled: Event | None) -> Iterator[None]:
        with self._lock:
            own = self._fetching.setdefault(name, threading.Lock())
            self._waiting[name] += 1
        try:
            while not own.acquire(timeout=_LOOK_SECONDS):
                if cancelled is not None and cancelled.is_set():
                    raise Cancelled("cancelled while another job fetched the object")
            try:
                yield
            finally:
                own.release()
        finally:
            with self._lock:
                self._waiting[name] -= 1
                if not self._waiting[name]:
                    del self._waiting[name], self._fetching[name]


def _name(item: Object) -> str:
    return hashlib.sha256(f"{item.bucket}\0{item.key}\0{item.etag}\0{item.size}".encode()).hexdigest()[:40]


def _room(size: int) -> int:
    return max(_BLOCK, size)


def _link(source: Path, target: Path) -> bool:
    """Whether `target` could be made a second name of a file. Raises FileNotFoundError."""
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        return False
    return True
