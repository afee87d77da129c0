"""Objects in any S3 by its URL: AWS, MinIO, another emulator. The only door to boto3.

Memory stays bounded, and a broken connection is taken up again where it broke.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypedDict

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ParamValidationError,
    ResponseStreamingError,
)

from samebox.data.copying import replacing
from samebox.data.fast_files import Piece, S3Address
from samebox.data.objects import (
    PART_BYTES,
    SMALL_BYTES,
    Location,
    NoSuchBucket,
    NoSuchKey,
    NotS3,
    Object,
    Replaced,
    S3AccessDenied,
    S3Error,
    Unreachable,
    small,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path
    from threading import Event
    from typing import BinaryIO

    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024  # stays in the processor's cache on its way to the file; 1 MiB is a fifth slower
# S3 allows 10,000 parts; doubling the part size every 1,000 makes room for more than S3's largest object.
PARTS_OF_ONE_SIZE = 1000
# Of a large object that is downloaded; a few connections, as each is a thread of one interpreter.
RANGE_BYTES = 16 * 1024 * 1024
RANGES_AT_ONCE = 4


class RemoteObjects:
    """S3 at one URL with one pair of keys (see objects.Objects). `endpoint_url` None is AWS itself."""

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
        self._address = S3Address(endpoint_url, access_key, secret_key, session_token, region)

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
        return bool(answer.get("Contents"))

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
                )
        return tuple(sorted(found, key=lambda one: one.key.encode()))

    def head(self, uri: str) -> Object:
        """One object's size, ETag and time. Raises NoSuchKey, NoSuchBucket, S3AccessDenied, Unreachable."""
        place = Location.parse(uri)
        with _errors(uri, head=True):
            answer = self._client.head_object(Bucket=place.bucket, Key=place.key)
        etag, modified = answer["ETag"].strip('"'), answer["LastModified"].timestamp()
        return Object(place.bucket, place.key, answer["ContentLength"], etag, modified)

    def get(self, uri: str, limit: int = SMALL_BYTES) -> bytes:
        """A small object's bytes. ValueError if it is larger than `limit`."""
        return small(uri, self.read(uri), limit)

    def put(self, uri: str, body: bytes, content_type: str = "binary/octet-stream") -> None:
        """Store a small object."""
        place = Location.parse(uri)
        with _errors(uri):
            self._client.put_object(Bucket=place.bucket, Key=place.key, Body=body, ContentType=content_type)

    def read(self, uri: str) -> Generator[bytes]:
        """An object's bytes as they arrive; a broken connection is taken up again where it broke.

        Close the generator to stop early. Raises NoSuchKey, NoSuchBucket, S3AccessDenied, Unreachable.
        """
        return self.read_range(uri)

    def read_range(self, uri: str, first: int = 0, end: int | None = None, etag: str = "") -> Generator[bytes]:
        """The bytes from `first` up to `end`, of the object with this ETag where one is given.

        Raises what `read` does; Replaced where the object has another ETag, now or after its connection broke.
        """
        place = Location.parse(uri)
        position, failures = first, 0
        while end is None or position < end:
            with _errors(uri):
                answer = self._open(place, position, end, etag)
            # A second answer must be of the same object, or the halves would not fit together.
            found = answer["ETag"].strip('"')
            if etag and found != etag:
                answer["Body"].close()
                raise Replaced(uri)
            etag = found
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

    def download(self, item: Object, path: Path, cancelled: Event | None = None) -> Object:
        """Write one object to `path`, through a temporary name beside it; the file gets the object's time.

        A large one is read in several ranges at once. Raises NoSuchKey, DiskFull, Cancelled.
        """
        for _ in range(self._attempts):
            try:
                with replacing(path, item.modified) as file:
                    if item.size > 2 * RANGE_BYTES:
                        self._write_ranges(item, file, cancelled)
                    else:
                        with contextlib.closing(self.read_range(item.uri, etag=item.etag)) as chunks:
                            for chunk in until(cancelled, chunks):
                                file.write(chunk)
            except Replaced:
                item = self.head(item.uri)
            else:
                return item
        raise Replaced(item.uri)

    def link(self, item: Object, path: Path) -> bool:  # noqa: ARG002  (its files are elsewhere)
        """False: the object has no file on this machine."""
        return False

    def pieces(self, item: Object, folder: Path) -> tuple[Piece, ...] | None:  # noqa: ARG002
        """None: the object has no files on this machine."""
        return None

    def address(self) -> S3Address | None:
        """How another process asks this S3."""
        return self._address

    def _write_ranges(self, item: Object, file: BinaryIO, cancelled: Event | None) -> None:
        stop = threading.Event()

        def write(first: int) -> None:
            end, position = min(first + RANGE_BYTES, item.size), first
            with contextlib.closing(self.read_range(item.uri, first, end, item.etag)) as chunks:
                for chunk in until(cancelled, until(stop, chunks)):
                    position += os.pwrite(file.fileno(), chunk, position)

        with ThreadPoolExecutor(RANGES_AT_ONCE, "ranges") as pool:
            ranges = [pool.submit(write, first) for first in range(0, item.size, RANGE_BYTES)]
            try:
                for one in ranges:
                    one.result()
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def upload(self, chunks: Iterable[bytes], uri: str, cancelled: Event | None = None) -> int:
        """Store the chunks as one object, whole or not at all; gives the bytes written.

        Memory stays at two parts. An error while reading the chunks ends the upload, leaves no part behind and is
        raised again.
        """
        place = Location.parse(uri)
        parts = _parts(until(cancelled, chunks))
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
            # The first error is the one to tell; an abort that fails too is cleaned up by S3's own expiry.
            try:
                with _errors(uri):
                    self._client.abort_multipart_upload(Bucket=place.bucket, Key=place.key, UploadId=name)
            except S3Error as failed:
                log.warning("%s: could not abort the upload: %s", uri, failed)
            raise

    def delete(self, uri: str) -> None:
        """Delete one object; nothing happens if it is not there."""
        place = Location.parse(uri)
        with _errors(uri):
            self._client.delete_object(Bucket=place.bucket, Key=place.key)

    def create_bucket(self, bucket: str) -> None:
        """Make the bucket if it is not there."""
        try:
            with _errors(f"s3://{bucket}/"):
                self._client.create_bucket(Bucket=bucket)
        except S3Error as error:
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    def close(self) -> None:
        """Close the connections that are kept for later."""
        self._client.close()

    def _open(self, place: Location, position: int, end: int | None, etag: str) -> GetObjectOutputTypeDef:
        only: _Conditions = {"IfMatch": f'"{etag}"'} if etag else {}
        if position or end is not None:
            only["Range"] = f"bytes={position}-" + (str(end - 1) if end is not None else "")
        return self._client.get_object(Bucket=place.bucket, Key=place.key, **only)

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


class _Conditions(TypedDict, total=False):
    """What a GetObject asks for besides its object."""

    IfMatch: str
    Range: str


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
        if code == "PreconditionFailed":
            raise Replaced(uri) from error
        raise S3Error(uri, code, message) from error
    except ParamValidationError as error:
        raise NotS3(uri, "the address names no object") from error  # its key is empty: s3://bucket
    except BotoCoreError as error:
        raise Unreachable(uri, type(error).__name__, str(error)) from error
