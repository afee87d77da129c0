"""Objects in the emulator's own storage: no HTTP in between, and copies by the kernel, file to file."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from samebox.data.copying import copy, replacing
from samebox.data.fast_files import Piece
from samebox.data.objects import (
    PART_BYTES,
    SMALL_BYTES,
    Cancelled,
    Location,
    NoSuchBucket,
    NoSuchKey,
    NotS3,
    Object,
    S3AccessDenied,
    S3Error,
    Unreachable,
    small,
    until,
)
from samebox.data.tree import FILE_MODE
from samebox.errors import AwsError
from samebox.s3.records import Attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from samebox.data.fast_files import S3Address
    from samebox.s3.records import Version
    from samebox.s3.store import S3Store

_COPY_BYTES = 64 * 1024 * 1024  # between two checks for cancellation
_PAGE = 1000
# Another disk, a file system without links, one name too many, or a file that was removed meanwhile.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOENT)
_TYPE = "binary/octet-stream"
_ENCRYPTION = {"ServerSideEncryption": "AES256"}


class LocalObjects:
    """The objects of one storage (see objects.Objects); new buckets belong to `account` and are in `region`.

    `written(bucket, key)` is called after each new object.
    """

    def __init__(
        self, store: S3Store, account: str, region: str, written: Callable[[str, str], None] | None = None
    ) -> None:
        self._store = store
        self._written = written
        self._account = account
        self._region = region

    def bucket_exists(self, uri: str) -> bool:
        place = Location.parse(uri)
        try:
            with _errors(uri):
                self._store.buckets.get(place.bucket)
        except NoSuchBucket:
            return False
        return True

    def exists_under(self, uri: str) -> bool:
        place = Location.parse(uri)
        with _errors(uri):
            return bool(self._store.lists.objects(place.bucket, prefix=place.key, limit=1).items)

    def list(self, uri: str) -> tuple[Object, ...]:
        place = Location.parse(uri)
        found: list[Object] = []
        after = ""
        while True:
            with _errors(uri):
                page = self._store.lists.objects(place.bucket, prefix=place.key, after=after, limit=_PAGE)
            found += [Object(place.bucket, one.key, one.size, one.etag, one.modified) for one in page.items]
            if not page.truncated:
                return tuple(found)
            after = page.next_key

    def head(self, uri: str) -> Object:
        place = _object(uri)
        with _errors(uri):
            return _seen(self._store.objects.head(place.bucket, place.key))

    def get(self, uri: str, limit: int = SMALL_BYTES) -> bytes:
        return small(uri, self.read(uri), limit)

    def put(self, uri: str, body: bytes, content_type: str = _TYPE) -> None:
        self._write([body], uri, content_type)

    def read(self, uri: str) -> Generator[bytes]:
        place = _object(uri)
        with _errors(uri), self._store.objects.open(place.bucket, place.key) as reading:
            yield from reading.chunks()

    def download(self, item: Object, path: Path, cancelled: Event | None = None) -> Object:
        with (
            replacing(path, item.modified) as file,
            _errors(item.uri),
            self._store.objects.open(item.bucket, item.key) as reading,
        ):
            for span in reading.spans():
                if span.descriptor is None:
                    file.write(span.data or b"")
                    continue
                file.flush()
                offset, end = span.offset, span.offset + span.length
                while offset < end:
                    if cancelled is not None and cancelled.is_set():
                        raise Cancelled("cancelled while bytes were moving")
                    offset += copy(span.descriptor, file.fileno(), min(_COPY_BYTES, end - offset), offset)
                file.seek(0, os.SEEK_END)
            return _seen(reading.version)

    def link(self, item: Object, path: Path) -> bool:
        with _errors(item.uri), self._store.objects.open(item.bucket, item.key) as reading:
            own = reading.path
            if own is None:
                return False
            try:
                path.hardlink_to(own)
                path.chmod(FILE_MODE)  # in a job any user may read it; here its folders keep others from it
            except OSError as error:
                if error.errno in _NO_LINK:
                    return False
                raise
        return True

    def pieces(self, item: Object, folder: Path) -> tuple[Piece, ...] | None:
        folder.mkdir(parents=True, exist_ok=True)
        found: list[Piece] = []
        with _errors(item.uri), self._store.objects.open(item.bucket, item.key) as reading:
            for number, span in enumerate(reading.spans()):
                path = folder / f"{number:x}"
                path.unlink(missing_ok=True)
                if span.descriptor is None:
                    path.write_bytes(span.data or b"")
                elif not _link_open(span.descriptor, path):
                    return None
                found.append(Piece(str(path), span.offset if span.descriptor is not None else 0, span.length))
        return tuple(found)

    def address(self) -> S3Address | None:
        return None

    def upload(self, chunks: Iterable[bytes], uri: str, cancelled: Event | None = None) -> int:
        return self._write(until(cancelled, chunks), uri, _TYPE, PART_BYTES)

    def delete(self, uri: str) -> None:
        place = _object(uri)
        with _errors(uri):
            self._store.objects.delete(place.bucket, place.key)

    def create_bucket(self, bucket: str) -> None:
        uri = f"s3://{bucket}/"
        try:
            with _errors(uri):
                self._store.buckets.create(Location.parse(uri).bucket, self._account, self._region)
        except S3Error as error:
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    def close(self) -> None:
        """Nothing is kept for later."""

    def _write(self, chunks: Iterable[bytes], uri: str, content_type: str, part_bytes: int | None = None) -> int:
        place = _object(uri)
        attributes = Attributes(headers={"ContentType": content_type, **_ENCRYPTION})
        with self._store.receive(("CRC64NVME",), part_bytes) as body:
            for chunk in chunks:  # an error here is the caller's own
                with _errors(uri):
                    body.write(chunk)
            with _errors(uri):
                self._store.objects.put(place.bucket, place.key, body, attributes)
            if self._written is not None:
                self._written(place.bucket, place.key)
            return body.size


def _link_open(descriptor: int, path: Path) -> bool:
    """Whether an open file could be given one more name."""
    try:
        folder = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:  # another system than Linux
        return False
    try:
        # Relative to a folder, or Python would link the name below /proc and not the file.
        os.link(str(descriptor), path, src_dir_fd=folder, follow_symlinks=True)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    finally:
        os.close(folder)
    return True


def _object(uri: str) -> Location:
    place = Location.parse(uri)
    if not place.key:
        raise NotS3(uri, "the address names no object")
    return place


def _seen(version: Version) -> Object:
    return Object(version.bucket, version.key, version.size, version.etag, version.modified)


@contextmanager
def _errors(uri: str) -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        if error.code == "NoSuchBucket":
            raise NoSuchBucket(uri, error.code, error.message) from error
        if error.status == 404:
            raise NoSuchKey(uri, "NoSuchKey", error.message) from error
        if error.status == 403:
            raise S3AccessDenied(uri, error.code, error.message) from error
        if error.status >= 500:
            raise Unreachable(uri, error.code, error.message) from error
        raise S3Error(uri, error.code, error.message) from error
