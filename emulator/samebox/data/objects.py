"""Objects in S3 as jobs and operations see them: list, read and write them, whole or not at all.

Two classes keep this promise: `local_objects.py`, over the emulator's own storage, and `remote_objects.py`, over any S3
by its URL. Every call has a time limit and fails with one of the errors below.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from samebox.data.fast_files import Piece, S3Address

# Today's buckets have stricter names; those of the first years are still there.
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
SMALL_BYTES = 64 * 1024 * 1024
PART_BYTES = 16 * 1024 * 1024  # an upload of more than this is one in parts


class S3Error(Exception):
    """S3 refused or could not be asked. `code` is S3's word for it, `uri` what it was about."""

    def __init__(self, uri: str, code: str, message: str) -> None:
        super().__init__(f"{message} ({code}: {uri})")
        self.uri = uri
        self.code = code
        self.message = message


class NoSuchBucket(S3Error):
    """The bucket does not exist."""


class NoSuchKey(S3Error):
    """The bucket exists, the object does not."""


class S3AccessDenied(S3Error):
    """The credentials may not do this."""


class NotS3(S3Error):
    """The address is not one of S3's, although the model's pattern takes it: `https://example.com/data/`."""

    def __init__(self, uri: str, message: str) -> None:
        super().__init__(uri, "InvalidURI", message)


class Unreachable(S3Error):
    """No response in time, or the server kept failing; worth another try later."""


class Replaced(Unreachable):
    """The object was replaced while it was read: what came of it is of no use."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, "PreconditionFailed", "The object was replaced while it was read.")


class DiskFull(Exception):
    """The disk, or the volume that the job asked for, is full. `needed` and `available` are bytes, where known."""

    def __init__(self, path: str, needed: int | None = None, available: int | None = None) -> None:
        known = f" (needs {needed} bytes of {available})" if needed is not None else ""
        super().__init__(f"no space left for {path}{known}")
        self.path = path
        self.needed = needed
        self.available = available


def is_out_of_space(error: Exception) -> bool:
    """Whether there was no room for it: on the disk, on the job's volume, or where S3 keeps its objects."""
    return isinstance(error, DiskFull) or (isinstance(error, S3Error) and error.code == "InsufficientStorage")


class Cancelled(Exception):
    """The caller's event was set while bytes were moving."""


@dataclass(frozen=True)
class Location:
    """A bucket and a key or a key prefix (which may be empty)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Location:
        """Read `s3://bucket/key` or S3's https forms, path and virtual-host style. Raises NotS3."""
        if uri.startswith("s3://"):
            # Not urlsplit: `?` and `#` are ordinary characters of a key.
            bucket, _, key = uri[5:].partition("/")
        elif uri.startswith("https://"):
            try:
                parts = urlsplit(uri)
                host, path = parts.hostname or "", unquote(parts.path.removeprefix("/"))
            except ValueError as error:
                raise NotS3(uri, str(error)) from None
            if host == "s3.amazonaws.com" or (host.startswith(("s3.", "s3-")) and ".amazonaws." in host):
                bucket, _, key = path.partition("/")
            elif ".s3." in host or ".s3-" in host:
                bucket, key = host[: max(host.rfind(".s3."), host.rfind(".s3-"))], path
            else:
                raise NotS3(uri, "the host is not one of S3's")
        else:
            raise NotS3(uri, "the address starts with neither s3:// nor https://")
        if not _BUCKET.fullmatch(bucket) or not bucket.strip("."):
            raise NotS3(uri, "the address names no bucket")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Object:
    """One object as a listing shows it. `modified` is in seconds since 1970, `etag` without its quotes."""

    bucket: str
    key: str
    size: int
    etag: str = ""
    modified: float = 0.0

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


class Objects(Protocol):
    """S3, with the rights of one caller. Threads may share it. Every call may raise S3AccessDenied and Unreachable."""

    def bucket_exists(self, uri: str) -> bool:
        """Is the URI's bucket there? Raises NotS3."""

    def exists_under(self, uri: str) -> bool:
        """Is there an object whose key starts with the URI's key? Raises NoSuchBucket."""

    def list(self, uri: str) -> tuple[Object, ...]:
        """Every object whose key starts with the URI's key, sorted by key bytes as S3 sorts. Raises NoSuchBucket."""

    def head(self, uri: str) -> Object:
        """One object's size, ETag and time. Raises NoSuchKey, NoSuchBucket."""

    def get(self, uri: str, limit: int = SMALL_BYTES) -> bytes:
        """A small object's bytes. ValueError if it is larger than `limit`. Raises NoSuchKey, NoSuchBucket."""

    def put(self, uri: str, body: bytes, content_type: str = "binary/octet-stream") -> None:
        """Store a small object. Raises NoSuchBucket."""

    def read(self, uri: str) -> Generator[bytes]:
        """An object's bytes as they arrive. Close the generator to stop early. Raises NoSuchKey, NoSuchBucket."""

    def download(self, item: Object, path: Path, cancelled: Event | None = None) -> Object:
        """Write one object to `path`, through a temporary name beside it; the file gets the object's time.

        Gives the object that was read: another one than `item`, if that was replaced. Raises NoSuchKey, DiskFull,
        Cancelled.
        """

    def link(self, item: Object, path: Path) -> bool:
        """Make `path` a second name of the object's own file, not to be written to. False where it has none here.

        Raises NoSuchKey.
        """

    def pieces(self, item: Object, folder: Path) -> tuple[Piece, ...] | None:
        """Make second names in `folder` for the files that have the object's bytes, not to be written to.

        None where they are not on this machine, or cannot be linked. Raises NoSuchKey.
        """

    def address(self) -> S3Address | None:
        """How another process asks this S3; None for our own storage."""

    def upload(self, chunks: Iterable[bytes], uri: str, cancelled: Event | None = None) -> int:
        """Store the chunks as one object, whole or not at all; gives the bytes written. Raises Cancelled.

        An error while reading the chunks ends the upload, leaves nothing behind and is raised again.
        """

    def delete(self, uri: str) -> None:
        """Delete one object; nothing happens if it is not there."""

    def create_bucket(self, bucket: str) -> None:
        """Make the bucket if it is not there."""

    def close(self) -> None:
        """Close the connections that are kept for later."""


def small(uri: str, chunks: Generator[bytes], limit: int) -> bytes:
    """The bytes of an object that is read. ValueError if it is larger than `limit`."""
    body = bytearray()
    with contextlib.closing(chunks):
        for chunk in chunks:
            body += chunk
            if len(body) > limit:
                raise ValueError(f"{uri} is larger than {limit} bytes.")
    return bytes(body)


def until(cancelled: Event | None, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, until the event is set. Raises Cancelled."""
    for chunk in chunks:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("cancelled while bytes were moving")
        yield chunk


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the system's words for a full disk or quota into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(os.fspath(path)) from error
        raise
