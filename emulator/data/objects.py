"""Objects in any S3: list, read and write them in bounded memory, whole or not at all.

The only door to boto3. Every call has a time limit and fails with one of the errors below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event


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


class AccessDenied(S3Error):
    """The credentials may not do this."""


class Unreachable(S3Error):
    """Nobody answered in time, or the server kept failing; worth another try later."""


class OutOfSpace(Exception):
    """The disk, or the volume that the job asked for, is full. `needed` and `available` are bytes, where known."""

    def __init__(self, path: str, needed: int | None = None, available: int | None = None) -> None:
        super().__init__(f"no space left for {path} (needed {needed}, available {available})")
        self.path = path
        self.needed = needed
        self.available = available


class Cancelled(Exception):
    """The caller's event was set while bytes were moving."""


@dataclass(frozen=True)
class Location:
    """A bucket and a key or a key prefix (which may be empty)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Location:
        """Read `s3://bucket/key` or S3's https forms. ValueError names what is wrong."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Object:
    """One object as a listing shows it. `modified` is in seconds since 1970."""

    bucket: str
    key: str
    size: int
    etag: str = ""
    modified: float = 0.0

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Objects:
    """S3 at one URL with one pair of keys. Threads may share it."""

    def __init__(
        self,
        endpoint_url: str | None,
        access_key: str,
        secret_key: str,
        session_token: str | None = None,
        region: str = "us-east-1",
        connect_timeout: float = 5,
        read_timeout: float = 60,
        attempts: int = 4,
    ) -> None:
        raise NotImplementedError

    def exists_under(self, uri: str) -> bool:
        """Is there an object whose key starts with the URI's key? Raises NoSuchBucket, AccessDenied, Unreachable."""
        raise NotImplementedError

    def list(self, uri: str) -> tuple[Object, ...]:
        """Every object whose key starts with the URI's key (a string prefix), sorted by key bytes as S3 sorts."""
        raise NotImplementedError

    def head(self, uri: str) -> Object:
        raise NotImplementedError

    def get(self, uri: str, limit: int = 64 * 1024 * 1024) -> bytes:
        """A small object's bytes. ValueError if it is larger than `limit`."""
        raise NotImplementedError

    def put(self, uri: str, body: bytes, content_type: str = "binary/octet-stream") -> None:
        raise NotImplementedError

    def read(self, uri: str) -> Iterator[bytes]:
        """An object's bytes as they arrive. Close the iterator to stop early."""
        raise NotImplementedError

    def download(self, item: Object, path: Path, cancelled: Event | None = None) -> None:
        """Write one object to `path`, through a temporary name beside it. Raises NoSuchKey, OutOfSpace, Cancelled."""
        raise NotImplementedError

    def upload(self, chunks: Iterable[bytes], uri: str, cancelled: Event | None = None) -> int:
        """Store the chunks as one object, whole or not at all; gives the bytes written.

        An error while reading the chunks aborts the upload, leaves no part behind and is raised again.
        """
        raise NotImplementedError

    def delete(self, uri: str) -> None:
        raise NotImplementedError

    def create_bucket(self, bucket: str) -> None:
        """Make the bucket if it is not there."""
        raise NotImplementedError
