"""Bytes of the disk that are set aside, so that the end of a job is written down on a disk that the job has filled.

Without them nothing could end it: its end cannot be stored while the disk is full, and the disk stays full until the
job's folder is removed, which follows its end.
"""

import errno
import logging
import math
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

RESERVE_BYTES = 16 << 20
# Threads that found the disk full at about the same time may all try once more.
TOGETHER_SECONDS = 10.0
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class Reserve:
    """A file of `size` bytes; without a path, none. `clock` gives seconds. Threads may share it."""

    def __init__(
        self, path: Path | None = None, size: int = RESERVE_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._is_whole = path is None
        self._spent_at = -math.inf

    def spend(self) -> bool:
        """Give the bytes back to the disk. Whether a write that found it full is worth a second try."""
        if self._path is None:
            return False
        with self._lock:
            now = self._clock()
            try:
                self._path.unlink()
            except FileNotFoundError:
                # Another thread may have spent them just now, for a write that met the same disk.
                return now < self._spent_at + TOGETHER_SECONDS
            self._is_whole, self._spent_at = False, now
            log.warning("the disk is full: the %d MiB that were set aside are used", self._size >> 20)
            return True

    def renew(self) -> None:
        """Set them aside, unless they are, or there is no room. To be called after writes."""
        if self._is_whole or self._path is None:
            return
        with self._lock:
            self._is_whole = self._path.exists() or self._fill(self._path)

    def _fill(self, path: Path) -> bool:
        try:
            if shutil.disk_usage(path.parent).free < 4 * self._size:
                return False
            with path.open("xb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, self._size)
                else:
                    file.write(bytes(self._size))
        except OSError as error:
            path.unlink(missing_ok=True)
            log.info("nothing is set aside for a full disk: %s", error)
            return False
        return True
