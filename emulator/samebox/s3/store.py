"""The storage of S3: a folder with an index and files, and the operations on it."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, TypeVar

from samebox.s3.bodies import Bodies
from samebox.s3.buckets import Buckets
from samebox.s3.copying import Copies
from samebox.s3.expiry import Expiry
from samebox.s3.files import Files, no_step
from samebox.s3.gathering import Gathering
from samebox.s3.index import Index
from samebox.s3.listing import Lists
from samebox.s3.migration import FolderMigration
from samebox.s3.objects import StoredObjects
from samebox.s3.receiving import Received
from samebox.s3.sweep import miscounted, orphans, sweep
from samebox.s3.uploads import Uploads
from samebox.s3.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from samebox.s3.expiry import ExpiredVersion
    from samebox.s3.lifecycle import LifecycleRule

T = TypeVar("T")

INDEX = "index.sqlite"


class InUse(Exception):
    """Another process has the storage open."""


class S3Store:
    """One storage, for one process at a time. Thread-safe; every call returns when what it did is on disk.

    `step` is called with a name at each step of a write, between what a kill could tear apart.
    """

    def __init__(
        self, folder: Path, *, clock: Callable[[], float] = time.time, step: Callable[[str], None] = no_step
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder)
        self._files = Files(folder, step)
        try:
            self._index = Index(folder / INDEX, step=step)
            self._files.prepare()
            sweep(self._index, self._files)
        except BaseException:
            os.close(self._lock)
            raise
        bodies = Bodies(self._files)
        versions = Versions(bodies)
        self.buckets = Buckets(self._index, bodies, clock)
        self.objects = StoredObjects(self._index, self._files, bodies, versions, clock)
        self.copies = Copies(self._index, self.objects, bodies, versions, clock)
        self._gathering = Gathering(self._files)
        self.uploads = Uploads(self._index, self.objects, bodies, versions, self._gathering, clock)
        self.lists = Lists(self._index)
        self.migration = FolderMigration(self._index, self._files, bodies, self.buckets, versions)
        self._expiry = Expiry(self._index, versions, self.uploads, clock)

    def receive(self, algorithms: tuple[str, ...] = (), part_bytes: int | None = None) -> Received:
        """A body to write to, which computes its ETag and these checksums; use it in a `with`.

        `part_bytes`: it becomes an object as of a multipart upload with parts of this size, where it has several.
        """
        return Received(self._files, algorithms, part_bytes)

    def receive_part(self, upload_id: str, number: int, size: int | None, algorithms: tuple[str, ...] = ()) -> Received:
        """As `receive`, a part of an open upload, whose size is known or None. Raises InsufficientStorage."""
        region = None if size is None else self._gathering.claim(upload_id, number, size)
        return Received(self._files, algorithms, region=region)

    def together(self, works: Sequence[Callable[[], T]]) -> list[T | BaseException]:
        """What each of `works` returns or raises, in one commit. They write small bodies, and may run again."""
        return self._index.together(works)

    def expire(
        self, bucket: str, rules: Sequence[LifecycleRule], removed: Callable[[Sequence[ExpiredVersion]], None]
    ) -> int:
        """Remove what lifecycle rules say has expired; gives how many versions and uploads. Raises NoSuchBucket.

        `removed` is called with each part of it, once that is on disk.
        """
        return self._expiry.expire(bucket, rules, removed)

    def orphans(self) -> list[int]:
        """Files that no row names, and rows whose file is not there: none. Every file is looked at."""
        return orphans(self._index, self._files)

    def miscounted(self) -> list[int]:
        """Bodies whose number of uses is not that of their users: none. Every row is looked at."""
        return miscounted(self._index)

    def close(self) -> None:
        """Close the files. Nothing may use the storage afterwards."""
        self._index.write(self._files.forget_removed)
        self._index.close()
        os.close(self._lock)


def _locked(folder: Path) -> int:
    # The lock goes with the process, however it ends.
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(f"{folder} is in use by another process.") from None
    return descriptor
