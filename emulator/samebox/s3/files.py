"""The files that hold bytes of objects, under names of our own.

A file is written below `incoming/`, and moved below `files/` once its row is on disk. So what a kill leaves is found
by looking at `incoming/` alone: a file whose row is there is moved now, any other is removed (sweep.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import os
import shutil
import threading
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

from samebox.s3 import refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from samebox.s3.index import Transaction

# Another disk, a file system without links, or one name too many.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)
_FOLDERS = 256
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SYNC_FILE_RANGE_WRITE = 2  # of linux/fs.h


_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)  # Linux alone has it


def no_step(name: str) -> None:
    """What is called at each step of a write; tests kill the process there instead."""


class Files:
    """The files of one storage. Thread-safe."""

    def __init__(self, folder: Path, step: Callable[[str], None] = no_step) -> None:
        self._incoming = folder / "incoming"
        self._placed = folder / "files"
        self._step = step
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._moving = threading.Lock()
        # Bodies that a read under way needs, with how many reads; and those of them that are to go once it ends.
        self._pinned: Counter[int] = Counter()
        self._doomed: set[int] = set()
        # Removed from the disk, but not yet from the table `garbage`.
        self._removed: list[int] = []

    def prepare(self) -> None:
        """Make the folders, so that no file waits for one later."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        if not self.path(_FOLDERS - 1).parent.is_dir():
            for number in range(_FOLDERS):
                self.path(number).parent.mkdir(parents=True, exist_ok=True)

    def start_ids(self, first: int) -> None:
        """Name the next body `first`, and count up from there."""
        self._ids = itertools.count(first)

    def new_id(self) -> int:
        """A number for a new body. It names its file, too."""
        return next(self._ids)

    def incoming(self) -> list[int]:
        """The bodies whose files are not in their place yet."""
        found = []
        for path in self._incoming.iterdir():
            with contextlib.suppress(ValueError):
                found.append(int(path.name, 16))
        return found

    def placed(self) -> Iterator[int]:
        """The bodies whose files are in their place: every file is looked at."""
        for folder in self._placed.iterdir():
            for path in folder.iterdir():
                yield int(path.name, 16)

    def create(self, body: int) -> BinaryIO:
        """Open a new file for a body. Raises InsufficientStorage."""
        with self.space_errors():
            file = self.incoming_path(body).open("x+b", buffering=0)
        self._step("file created")
        return file

    def begin_sync(self, file: BinaryIO, offset: int, size: int) -> None:
        """Have bytes written to the disk from now on, while others come: less is left for `sync` to wait for."""
        if _sync_file_range is not None:
            # Whether it could be begun is of no interest: `sync` writes what is left, and reports what failed.
            _sync_file_range(file.fileno(), ctypes.c_int64(offset), ctypes.c_int64(size), _SYNC_FILE_RANGE_WRITE)

    def sync(self, file: BinaryIO) -> None:
        """Bring a file and its name to the disk, and close it. Raises InsufficientStorage."""
        with self.space_errors(), file:
            os.fsync(file.fileno())
        self.sync_names()
        self._step("file synced")

    def sync_names(self) -> None:
        """Bring the names below `incoming/` to the disk."""
        folder = os.open(self._incoming, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def adopt(self, body: int, path: Path) -> None:
        """Make another file the file of a body: by a second name for it, or a copy where that cannot be."""
        target = self.incoming_path(body)
        try:
            target.hardlink_to(path)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            with self.space_errors():
                shutil.copyfile(path, target)
                with target.open("rb") as file:
                    os.fsync(file.fileno())
        self._step("file adopted")

    def place(self, body: int) -> None:
        """Move a file from `incoming/` to its place: its row is on disk."""
        # One at a time with `remove`: another request may have replaced the object in the same commit.
        with self._moving, contextlib.suppress(FileNotFoundError):
            self.incoming_path(body).rename(self.path(body))
        self._step("file placed")

    def open(self, body: int, flags: int = os.O_RDONLY) -> int:
        """A descriptor of a body's file; `flags` as of os.open. Raises FileNotFoundError."""
        # Looked for twice in its place, because it may be moved there between the two looks.
        for path in (self.path(body), self.incoming_path(body)):
            with contextlib.suppress(FileNotFoundError):
                return os.open(path, flags | os.O_CLOEXEC)
        return os.open(self.path(body), flags | os.O_CLOEXEC)

    def path(self, body: int) -> Path:
        """A body's place. The last two digits make the folder, so that no folder gets too long."""
        return self._placed / f"{body % _FOLDERS:02x}" / f"{body:x}"

    def incoming_path(self, body: int) -> Path:
        """Where a body's file is until its row is on disk."""
        return self._incoming / f"{body:x}"

    def discard(self, body: int) -> None:
        """Remove a file that got no row."""
        self.incoming_path(body).unlink(missing_ok=True)

    def pin(self, bodies: Iterable[int]) -> None:
        """Keep the files of these bodies, whatever is deleted, until they are unpinned."""
        with self._lock:
            self._pinned.update(bodies)

    def unpin(self, bodies: Iterable[int]) -> None:
        """The read that pinned them is over."""
        with self._lock:
            for body in bodies:
                self._pinned[body] -= 1
                if not self._pinned[body]:
                    del self._pinned[body]
            free = [body for body in self._doomed if body not in self._pinned]
            self._doomed.difference_update(free)
        for body in free:
            self.remove(body)

    def remove(self, body: int) -> None:
        """Remove a body's file, now or when the last read that needs it is over. Its row is in `garbage`."""
        self._step("row removed")
        with self._lock:
            if body in self._pinned:
                self._doomed.add(body)
                return
        with self._moving:
            self.path(body).unlink(missing_ok=True)
            self.incoming_path(body).unlink(missing_ok=True)
        self._step("file removed")
        with self._lock:
            self._removed.append(body)

    def forget_removed(self, transaction: Transaction) -> None:
        """Delete from `garbage` what has been removed from the disk."""
        with self._lock:
            removed, self._removed = self._removed, []
        if removed:
            transaction.run_many("DELETE FROM garbage WHERE body = ?", [(body,) for body in removed])

    @contextlib.contextmanager
    def space_errors(self) -> Iterator[None]:
        """Raises InsufficientStorage where the disk or the quota is full."""
        try:
            yield
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise refusals.out_of_space(str(self._placed.parent)) from error
            raise
