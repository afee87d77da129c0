"""Objects in any S3: list, read and write them in bounded memory, whole or not at all.

The only door to boto3. Every call has a time limit and fails with one of the errors below.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import stat
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ParamValidationError,
    ResponseStreamingError,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

log = logging.getLogger(__name__)

_READ_BYTES = 1024 * 1024
_COPY_BYTES = 64 * 1024 * 1024  # between two checks for cancellation
READ_BYTES = 256 * 1024  # stays in the processor's cache on its way to the file; 1 MiB is a fifth slower
PART_BYTES = 16 * 1024 * 1024
# S3 allows 10,000 parts; doubling the part size every 1,000 makes room for more than S3's largest object.
PARTS_OF_ONE_SIZE = 1000


# The kernel's errors where it cannot copy between two files itself.
_NOT_BETWEEN_THESE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)

# Today's buckets have stricter names; those of the first years are still there.
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")


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


class DiskFull(Exception):
    """The disk, or the volume that the job asked for, is full. `needed` and `available` are bytes, where known."""

    def __init__(self, path: str, needed: int | None = None, available: int | None = None) -> None:
        known = f" (needs {needed} bytes of {available})" if needed is not None else ""
        super().__init__(f"no space left for {path}{known}")
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


class Objects:
    """S3 at one URL with one pair of keys. Threads may share it.

    `folder` is where that S3 keeps its objects as plain files, a bucket a folder, where it is on this machine: what can
    be copied by the kernel need not travel through two processes.
    """

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
        folder: Path | None = None,
    ) -> None:
        config = Config(
            signature_version="s3v4",
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=64,
            # The transport's own length check and S3's ETag suffice; hashing every body once more costs a fifth.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path", "payload_signing_enabled": False},
            # A proxy from the environment must not carry what stays on this machine.
            proxies={} if endpoint_url else None,
        )
        # A session of our own, with all keys given: nothing is read from the user's AWS configuration.
        session = boto3.session.Session(access_key, secret_key, session_token, region)
        self._client: S3Client = session.client("s3", endpoint_url=endpoint_url, config=config)
        self._attempts = attempts
        self._folder = folder

    def bucket_exists(self, uri: str) -> bool:
        """Is the URI's bucket there? Raises NotS3, S3AccessDenied, Unreachable."""
        place = Location.parse(uri)
        try:
            with _errors(uri, head=True):
                self._client.head_bucket(Bucket=place.bucket)
        except (NoSuchBucket, NoSuchKey):
            return False
        return True

    def exists_under(self, uri: str) -> bool:
        """Is there an object whose key starts with the URI's key? Raises NoSuchBucket, S3AccessDenied, Unreachable."""
        place = Location.parse(uri)
        with _errors(uri):
            answer = self._client.list_objects_v2(Bucket=place.bucket, Prefix=place.key, MaxKeys=1)
        # Our own server takes the prefix "/" for none.
        return any(one["Key"].startswith(place.key) for one in answer.get("Contents", []))

    def list(self, uri: str) -> tuple[Object, ...]:
        """Every object whose key starts with the URI's key (a string prefix), sorted by key bytes as S3 sorts."""
        place = Location.parse(uri)
        found: list[Object] = []
        with _errors(uri):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key):
                found.extend(
                    Object(
                        place.bucket,
                        one["Key"],
                        one["Size"],
                        one.get("ETag", "").strip('"'),
                        one["LastModified"].timestamp(),
                    )
                    for one in page.get("Contents", [])
                    if one["Key"].startswith(place.key)
                )
        return tuple(sorted(found, key=lambda one: one.key.encode()))

    def head(self, uri: str) -> Object:
        """One object's size, ETag and time. Raises NoSuchKey, NoSuchBucket, S3AccessDenied, Unreachable."""
        place = Location.parse(uri)
        with _errors(uri, head=True):
            answer = self._client.head_object(Bucket=place.bucket, Key=place.key)
        if "ETag" not in answer:  # the bucket answered: our own server takes the key "/" for none
            raise NoSuchKey(uri, "NoSuchKey", "Not Found")
        etag, modified = answer["ETag"].strip('"'), answer["LastModified"].timestamp()
        return Object(place.bucket, place.key, answer["ContentLength"], etag, modified)

    def get(self, uri: str, limit: int = 64 * 1024 * 1024) -> bytes:
        """A small object's bytes. ValueError if it is larger than `limit`."""
        body = bytearray()
        with contextlib.closing(self.read(uri)) as chunks:
            for chunk in chunks:
                body += chunk
                if len(body) > limit:
                    raise ValueError(f"{uri} is larger than {limit} bytes.")
        return bytes(body)

    def put(self, uri: str, body: bytes, content_type: str = "binary/octet-stream") -> None:
        """Store a small object. Raises S3AccessDenied where it would leave the folder."""
        place = self._inside(uri)
        with _errors(uri):
            self._client.put_object(Bucket=place.bucket, Key=place.key, Body=body, ContentType=content_type)

    def read(self, uri: str) -> Generator[bytes]:
        """An object's bytes as they arrive; a broken connection is taken up again where it broke.

        Close the generator to stop early. Raises NoSuchKey, NoSuchBucket, S3AccessDenied, Unreachable.
        """
        place = Location.parse(uri)
        position, etag, failures = 0, "", 0
        while True:
            with _errors(uri):
                answer = self._open(place, position, etag)
            # A second answer must be of the same object, or the halves would not fit together.
            if etag and answer["ETag"] != etag:
                answer["Body"].close()
                raise Unreachable(uri, "PreconditionFailed", "The object was replaced while it was read.")
            etag = answer["ETag"]
            try:
                with contextlib.closing(answer["Body"]) as body:
                    while chunk := body.read(READ_BYTES):
                        position += len(chunk)
                        failures = 0
                        yield chunk
            except (BotoCoreError, ResponseStreamingError, IncompleteReadError, OSError) as broken:
                failures += 1
                if failures >= self._attempts:
                    raise Unreachable(uri, type(broken).__name__, str(broken)) from broken
                log.warning("%s: reading broke at byte %d, trying again: %s", uri, position, broken)
                continue
            return

    def download(self, item: Object, path: Path, cancelled: Event | None = None) -> None:
        """Write one object to `path`, through a temporary name beside it; the file gets the object's time.

        Raises NoSuchKey, DiskFull, Cancelled.
        """
        # Short and of our own: the object's name may already be as long as a file name can be.
        temporary = path.with_name(f".samebox-{hashlib.blake2b(path.name.encode(), digest_size=8).hexdigest()}.part")
        try:
            with disk_errors(path), temporary.open("wb") as file:
                if not self._copy(item, file.fileno(), cancelled):
                    with contextlib.closing(self.read(item.uri)) as chunks:
                        for chunk in _until(cancelled, chunks):
                            file.write(chunk)
            temporary.chmod(0o644)
            os.utime(temporary, (item.modified, item.modified))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def upload(self, chunks: Iterable[bytes], uri: str, cancelled: Event | None = None) -> int:
        """Store the chunks as one object, whole or not at all; gives the bytes written.

        Memory stays at two parts. An error while reading the chunks ends the upload, leaves no part behind and is
        raised again.
        """
        place = self._inside(uri)
        parts = _parts(_until(cancelled, chunks))
        first = next(parts, b"")
        second = next(parts, None)
        if second is None:
            self.put(uri, first)
            return len(first)
        with _errors(uri):
            name = self._client.create_multipart_upload(Bucket=place.bucket, Key=place.key)["UploadId"]
        try:
            return self._upload_parts(place, name, _chain(first, second, parts))
        except BaseException:
            # The first error is reported; an abort that fails too is cleaned up by S3's own expiry.
            try:
                with _errors(uri):
                    self._client.abort_multipart_upload(Bucket=place.bucket, Key=place.key, UploadId=name)
            except S3Error as failed:
                log.warning("%s: could not abort the upload: %s", uri, failed)
            raise

    def delete(self, uri: str) -> None:
        """Delete one object; nothing happens if it is not there."""
        place = self._inside(uri)
        with _errors(uri):
            self._client.delete_object(Bucket=place.bucket, Key=place.key)

    def create_bucket(self, bucket: str) -> None:
        """Make the bucket if it is not there."""
        self._inside(f"s3://{bucket}/")
        try:
            with _errors(f"s3://{bucket}/"):
                self._client.create_bucket(Bucket=bucket)
        except S3Error as error:
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    def close(self) -> None:
        """Close the connections that are kept for later."""
        self._client.close()

    def _inside(self, uri: str) -> Location:
        # Our own server follows links below its folder, wherever they lead (traffic/s3.py refuses them to clients).
        place = Location.parse(uri)
        below = self._folder
        for part in (place.bucket, *place.key.split("/")) if below is not None else ():
            assert below is not None
            below = below / part.lstrip("/")
            if os.path.islink(below):  # noqa: PTH114  (False for what can be no file's name)
                raise S3AccessDenied(
                    uri, "AccessDenied", f"{below} is a symbolic link; no object is written behind it."
                )
        return place

    def _copy(self, item: Object, target: int, cancelled: Event | None) -> bool:
        """Copy the object's file, if it is on this disk and still as listed; whether it was copied."""
        if self._folder is None or not {"", ".", ".."}.isdisjoint(item.key.split("/")):
            return False
        try:
            source = os.open(self._folder / item.bucket / item.key, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:  # a name that the server writes in its own way, or one that is gone: the server knows
            return False
        try:
            # The server replaces files and never writes into one: what is open now stays what it is.
            found = os.fstat(source)
            if not stat.S_ISREG(found.st_mode) or found.st_size != item.size or abs(found.st_mtime - item.modified) > 1:
                return False
            done = 0
            while done < item.size:
                if cancelled is not None and cancelled.is_set():
                    raise Cancelled("cancelled while bytes were moving")
                done += copy(source, target, min(_COPY_BYTES, item.size - done))
            return True
        finally:
            os.close(source)

    def _open(self, place: Location, position: int, etag: str) -> GetObjectOutputTypeDef:
        if not position:
            return self._client.get_object(Bucket=place.bucket, Key=place.key)
        return self._client.get_object(Bucket=place.bucket, Key=place.key, Range=f"bytes={position}-", IfMatch=etag)

    def _upload_parts(self, place: Location, name: str, parts: Iterator[bytes]) -> int:
        # One part travels while the next is made. More at once gains nothing here: our own server takes parts in order.
        total = 0
        etags: list[str] = []

        def send(number: int, body: bytes) -> str:
            answer = self._client.upload_part(
                Bucket=place.bucket, Key=place.key, UploadId=name, PartNumber=number, Body=body
            )
            return answer["ETag"]

        with _errors(str(place)), ThreadPoolExecutor(1, "upload") as pool:
            under_way: Future[str] | None = None
            for number, part in enumerate(parts, 1):
                if under_way is not None:
                    etags.append(under_way.result())
                total += len(part)
                under_way = pool.submit(send, number, part)
            if under_way is not None:
                etags.append(under_way.result())
            self._client.complete_multipart_upload(
                Bucket=place.bucket,
                Key=place.key,
                UploadId=name,
                MultipartUpload={"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]},
            )
        return total


def copy(source: int, target: int, count: int) -> int:
    """Up to `count` bytes from one open file to another, each at its position; how many. Raises OSError.

    On Linux the kernel copies; a file system that shares blocks between files does not even read them.
    """
    if sys.platform != "linux":
        done = _copy_read(source, target, count)
    else:
        try:
            done = os.copy_file_range(source, target, count)
        except OSError as error:
            if error.errno not in _NOT_BETWEEN_THESE:
                raise
            done = os.sendfile(target, source, None, count)
    if not done:
        raise OSError(errno.EIO, "the file ended early")
    return done


def _copy_read(source: int, target: int, count: int) -> int:
    """For systems without a call that copies from file to file."""
    piece = os.read(source, min(count, _READ_BYTES))
    done = os.write(target, piece)
    os.lseek(source, done - len(piece), os.SEEK_CUR)  # what was not written is read again
    return done


def _until(cancelled: Event | None, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("cancelled while bytes were moving")
        yield chunk


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    part, number = bytearray(), 1
    for chunk in chunks:
        part += chunk
        size = PART_BYTES << ((number - 1) // PARTS_OF_ONE_SIZE)
        while len(part) >= size:
            yield bytes(part[:size])
            del part[:size]
            number += 1
            size = PART_BYTES << ((number - 1) // PARTS_OF_ONE_SIZE)
    if part:
        yield bytes(part)


def _chain(first: bytes, second: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from rest


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the system's words for a full disk or quota into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(os.fspath(path)) from error
        raise


_MISSING_KEY = frozenset({"NoSuchKey"})
_DENIED = frozenset(
    {"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "AllAccessDisabled"}
)


@contextlib.contextmanager
def _errors(uri: str, head: bool = False) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        message = error.response["Error"].get("Message") or str(error)
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code == "NoSuchBucket":
            raise NoSuchBucket(uri, code, message) from error
        # An answer to HEAD has no body, so no word for what is missing.
        if code in _MISSING_KEY or (head and status == 404):
            raise NoSuchKey(uri, "NoSuchKey", message) from error
        if code in _DENIED or status == 403:
            raise S3AccessDenied(uri, code, message) from error
        if status >= 500:
            raise Unreachable(uri, code, message) from error
        raise S3Error(uri, code, message) from error
    except ParamValidationError as error:
        raise NotS3(uri, "the address names no object") from error  # its key is empty: s3://bucket
    except BotoCoreError as error:
        raise Unreachable(uri, type(error).__name__, str(error)) from error
