"""An older data folder is taken over: objects that were plain files, a bucket a folder and a key a path.

Each file becomes an object's file by a second name for the same file, its row is written, and then its first name is
removed. So a kill at any moment loses nothing, and the next start goes on where it was. Small files become rows. A
file's MD5 is its ETag, as it was; its time is the object's; its content type is guessed of its name, as it was.
"""

from __future__ import annotations

import contextlib
import mimetypes
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.s3 import buckets, checksums, versions
from samebox.s3.bodies import Body
from samebox.s3.objects import KEY_BYTES
from samebox.s3.receiving import INLINE_BYTES
from samebox.s3.records import Attributes, Checksums
from samebox.s3.versions import Content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from samebox.s3.bodies import Bodies
    from samebox.s3.buckets import Buckets
    from samebox.s3.files import Files
    from samebox.s3.index import Index, Transaction

_READ_BYTES = 1024 * 1024
_BATCH = 200
_BATCH_BYTES = 1024**3  # what a kill may make read again
# What an upload that never ended left: it was never confirmed to a client.
_UNFINISHED = ".rclone_temp_"


@dataclass
class TakenOver:
    """What was taken over, and the paths that stayed where they were: links, and keys that an object has already."""

    buckets: int = 0
    objects: int = 0
    size: int = 0
    left: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    # A file that becomes an object.
    path: Path
    key: bytes
    modified: float
    body: Body
    etag: str
    checksums: Checksums


class FolderMigration:
    """Takes over one folder of an older layout."""

    def __init__(self, index: Index, files: Files, bodies: Bodies, made: Buckets, changes: versions.Versions) -> None:
        self._index = index
        self._files = files
        self._bodies = bodies
        self._buckets = made
        self._versions = changes

    def take_over(
        self,
        folder: Path,
        account: str,
        region: str,
        progress: Callable[[TakenOver], None] = lambda _: None,
        check: Callable[[], None] = lambda: None,
    ) -> TakenOver:
        """Take over all buckets below `folder`, which is gone afterwards unless something had to stay.

        `progress` is called after each transaction, `check` with each megabyte. Raises OSError, InsufficientStorage,
        and what these raise; then it can be called again, and goes on after the last transaction.
        """
        done = TakenOver()
        if not folder.is_dir():
            return done
        known = {bucket.name for bucket in self._buckets.list()}
        for place in sorted(folder.iterdir()):
            if place.is_symlink() or not place.is_dir():
                done.left.append(place)
                continue
            if place.name not in known:
                self._buckets.create(place.name, account, region)
            done.buckets += 1
            self._bucket(place, done, progress, check)
            _remove_empty(place)
        with contextlib.suppress(OSError):  # not empty
            folder.rmdir()
        return done

    def _bucket(
        self, place: Path, done: TakenOver, progress: Callable[[TakenOver], None], check: Callable[[], None]
    ) -> None:
        batch: list[_Found] = []
        for path, key in _plain_files(place, done):
            batch.append(self._received(path, key, check))
            if len(batch) == _BATCH or sum(one.body.size for one in batch) >= _BATCH_BYTES:
                self._keep(place.name, batch, done)
                progress(done)
                batch = []
        self._keep(place.name, batch, done)
        progress(done)

    def _received(self, path: Path, key: bytes, check: Callable[[], None]) -> _Found:
        number = self._files.new_id()
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read() if status.st_size <= INLINE_BYTES else None
            md5, other = checksums.md5(), checksums.running(checksums.DEFAULT)
            for chunk in [data] if data is not None else iter(lambda: file.read(_READ_BYTES), b""):
                check()
                md5.update(chunk)
                other.update(chunk)
            if data is None:
                os.fsync(file.fileno())
                self._files.adopt(number, path)
        sums = Checksums({checksums.DEFAULT: checksums.encoded(other.digest())}, "FULL_OBJECT")
        return _Found(path, key, status.st_mtime, Body(number, status.st_size, data), md5.digest().hex(), sums)

    def _keep(self, bucket: str, batch: list[_Found], done: TakenOver) -> None:
        # Rows first, then the old names go.
        def change(t: Transaction) -> set[int]:
            row = buckets.row(t, bucket)
            kept: set[int] = set()
            for one in batch:
                newest = versions.latest(t, row, one.key)
                if newest is not None:
                    # Its row was written before a kill, unless it is another object.
                    if (newest.version.etag, newest.version.modified) == (one.etag, one.modified):
                        kept.add(one.body.number)
                    continue
                content = Content(self._bodies.insert(t, one.body), one.body.size, one.etag, one.checksums)
                self._versions.add(t, row, one.key, content, _attributes(one.key), one.modified, None)
                kept.add(one.body.number)
            return kept

        self._files.sync_names()
        kept = self._index.write(change)
        for one in batch:
            if one.body.number in kept:
                one.path.unlink()
                done.objects += 1
                done.size += one.body.size
            else:
                done.left.append(one.path)
            # No row names it where the object was there already.
            self._files.discard(one.body.number)


def _plain_files(place: Path, done: TakenOver) -> Iterator[tuple[Path, bytes]]:
    # Each file that can be an object, with its key. Links are not followed, wherever they lead.
    for root, folders, names in os.walk(place):
        folders.sort()
        here = Path(root)
        done.left += [here / name for name in folders if (here / name).is_symlink()]
        for name in sorted(names):
            path = here / name
            if name.startswith(_UNFINISHED):
                path.unlink()
            elif path.is_symlink() or not path.is_file() or not (key := _key(path.relative_to(place))):
                done.left.append(path)
            else:
                yield path, key


def _key(path: Path) -> bytes:
    # Empty where the path can be no key: not UTF-8, or too long.
    try:
        key = path.as_posix().encode()
    except UnicodeEncodeError:
        return b""
    return key if len(key) <= KEY_BYTES else b""


def _attributes(key: bytes) -> Attributes:
    # With the tables of Python alone: the same on each machine.
    kind, encoding = mimetypes.MimeTypes().guess_type(key.decode())
    if kind is None or encoding is not None:
        return Attributes()
    return Attributes({"ContentType": kind})


def _remove_empty(place: Path) -> None:
    for root, _, _ in os.walk(place, topdown=False):
        with contextlib.suppress(OSError):  # not empty: something had to stay
            Path(root).rmdir()
