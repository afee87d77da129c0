"""Conditional requests that come at once, over HTTP: of several that rest on the same state exactly one succeeds."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.s3_server import S3Server

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

WRITERS = 6
_WAIT_SECONDS = 60


def at_once(server: S3Server, call: Callable[["S3Client", int], Any]) -> list[int]:
    """The statuses of one call from each of six clients, which all send at the same moment."""
    start = Barrier(WRITERS)

    def one(number: int) -> int:
        client = server.client(signature_version="s3v4")
        try:
            start.wait(_WAIT_SECONDS)
            return int(call(client, number)["ResponseMetadata"]["HTTPStatusCode"])
        except ClientError as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        finally:
            client.close()

    with ThreadPoolExecutor(WRITERS) as threads:
        return sorted(threads.map(one, range(WRITERS)))


@pytest.mark.parametrize("size", [10, 200_000], ids=["small", "large"])
def test_of_six_writers_one_makes_the_object(server: S3Server, s3: "S3Client", bucket: str, size: int) -> None:
    bodies = [bytes([65 + number]) * size for number in range(WRITERS)]

    found = at_once(
        server, lambda client, n: client.put_object(Bucket=bucket, Key="k", Body=bodies[n], IfNoneMatch="*")
    )

    assert found == [200, *[412] * (WRITERS - 1)]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() in bodies


def test_of_six_writers_that_saw_the_same_object_one_replaces_it(server: S3Server, s3: "S3Client", bucket: str) -> None:
    seen = s3.put_object(Bucket=bucket, Key="k", Body=b"seen")["ETag"]

    found = at_once(server, lambda client, n: client.put_object(Bucket=bucket, Key="k", Body=b"%d" % n, IfMatch=seen))

    assert found == [200, *[412] * (WRITERS - 1)]


def test_of_six_deletes_of_the_same_object_one_deletes_it(server: S3Server, s3: "S3Client", bucket: str) -> None:
    seen = s3.put_object(Bucket=bucket, Key="k", Body=b"seen")["ETag"]

    found = at_once(server, lambda client, _: client.delete_object(Bucket=bucket, Key="k", IfMatch=seen))

    assert found == [204, *[404] * (WRITERS - 1)]


def test_a_copy_is_of_the_object_that_it_insists_on(server: S3Server, s3: "S3Client", bucket: str) -> None:
    seen = s3.put_object(Bucket=bucket, Key="source", Body=b"seen")["ETag"]

    def copy_or_replace(client: "S3Client", number: int) -> Any:
        if number == 0:
            return client.put_object(Bucket=bucket, Key="source", Body=b"replaced")
        source: Any = {"CopySource": f"{bucket}/source", "CopySourceIfMatch": seen}
        return client.copy_object(Bucket=bucket, Key=f"copy-{number}", **source)

    found = at_once(server, copy_or_replace)

    copies = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix="copy-").get("Contents", [])]
    assert set(found) <= {200, 412}
    assert len(copies) == found.count(200) - 1
    assert {s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in copies} <= {b"seen"}


def test_of_six_completions_one_makes_the_object(server: S3Server, s3: "S3Client", bucket: str) -> None:
    uploads = [s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"] for _ in range(WRITERS)]
    etags = [
        s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=upload.encode())["ETag"]
        for upload in uploads
    ]

    def complete(client: "S3Client", number: int) -> Any:
        parts: Any = {"Parts": [{"PartNumber": 1, "ETag": etags[number]}]}
        return client.complete_multipart_upload(
            Bucket=bucket, Key="k", UploadId=uploads[number], MultipartUpload=parts, IfNoneMatch="*"
        )

    assert at_once(server, complete) == [200, *[412] * (WRITERS - 1)]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read().decode() in uploads


@pytest.mark.parametrize("condition", ["If-Match", "If-None-Match"])
def test_a_write_whose_object_is_deleted_meanwhile_is_a_conflict(
    server: S3Server, s3: "S3Client", bucket: str, condition: str
) -> None:
    seen = s3.put_object(Bucket=bucket, Key="k", Body=b"seen")["ETag"]
    body = b"x" * 200_000
    place = urlsplit(server.url)
    lines = [
        f"PUT /{bucket}/k HTTP/1.1",
        f"Host: {place.netloc}",
        f"{condition}: {seen if condition == 'If-Match' else '*'}",
        f"Content-Length: {len(body)}",
        "Expect: 100-continue",
        "Connection: close",
    ]
    with socket.create_connection((place.hostname, place.port or 80), _WAIT_SECONDS) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")  # S3 has looked at the object, and asks for the body
        s3.delete_object(Bucket=bucket, Key="k")
        connection.sendall(body)
        with connection.makefile("rb") as answer:
            text = answer.read()
    assert text.startswith(b"HTTP/1.1 409 ")
    assert b"<Code>ConditionalRequestConflict</Code>" in text
