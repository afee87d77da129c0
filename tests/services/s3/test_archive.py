"""Archived objects, through boto3: not readable until they are restored, and not for longer than that."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.s3_server import serving

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

DAY = 86_400


class ArchiveClock:
    """The real time, and so many seconds more."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> ArchiveClock:
    return ArchiveClock()


@pytest.fixture
def archive(tmp_path: Path, clock: ArchiveClock) -> Iterator["S3Client"]:
    with serving(tmp_path, clock=clock) as server:
        client = server.client()
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="cold", Body=b"frozen", StorageClass="GLACIER")
        yield client
        client.close()


def refusal(code: str) -> "pytest.RaisesExc[ClientError]":
    return pytest.raises(ClientError, match=code)


def restore(s3: "S3Client", key: str = "cold", days: int = 2) -> int:
    wanted = {"Days": days, "GlacierJobParameters": {"Tier": "Standard"}}
    return s3.restore_object(Bucket="bucket", Key=key, RestoreRequest=wanted)["ResponseMetadata"]["HTTPStatusCode"]  # type: ignore[arg-type]


def test_an_archived_object_is_seen_and_not_read(archive: "S3Client") -> None:
    head = archive.head_object(Bucket="bucket", Key="cold")
    assert (head["StorageClass"], head["ContentLength"], "Restore" in head) == ("GLACIER", 6, False)
    with refusal("InvalidObjectState") as caught:
        archive.get_object(Bucket="bucket", Key="cold")
    assert caught.value.response["Error"]["StorageClass"] == "GLACIER"  # type: ignore[typeddict-item]
    with refusal("ObjectNotInActiveTierError"):
        archive.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/cold")
    upload = archive.create_multipart_upload(Bucket="bucket", Key="copy")["UploadId"]
    with refusal("ObjectNotInActiveTierError"):
        archive.upload_part_copy(Bucket="bucket", Key="copy", UploadId=upload, PartNumber=1, CopySource="bucket/cold")


def test_a_restored_object_is_read_for_the_days_that_were_asked_for(archive: "S3Client", clock: ArchiveClock) -> None:
    assert restore(archive) == 202
    assert archive.get_object(Bucket="bucket", Key="cold")["Body"].read() == b"frozen"
    shown = archive.head_object(Bucket="bucket", Key="cold")["Restore"]
    assert shown.startswith('ongoing-request="false", expiry-date="')
    assert shown.endswith('00:00:00 GMT"')
    assert restore(archive, days=5) == 200
    clock.ahead = 4 * DAY
    assert archive.get_object(Bucket="bucket", Key="cold")["Body"].read() == b"frozen"
    clock.ahead = 7 * DAY
    with refusal("InvalidObjectState"):
        archive.get_object(Bucket="bucket", Key="cold")
    assert "Restore" not in archive.head_object(Bucket="bucket", Key="cold")


def test_a_copy_of_what_was_restored_is_an_object_of_its_own(archive: "S3Client") -> None:
    restore(archive)
    archive.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/cold")
    assert archive.get_object(Bucket="bucket", Key="copy")["Body"].read() == b"frozen"
    archive.copy_object(Bucket="bucket", Key="again", CopySource="bucket/cold", StorageClass="DEEP_ARCHIVE")
    with refusal("InvalidObjectState"):
        archive.get_object(Bucket="bucket", Key="again")


def test_what_cannot_be_restored_is_named(archive: "S3Client") -> None:
    archive.put_object(Bucket="bucket", Key="warm", Body=b"1")
    with refusal("Restore is not allowed for the object's current storage class"):
        restore(archive, "warm")
    with refusal("NoSuchKey"):
        restore(archive, "nothing")
    with refusal("restoration days should be at least 1"):
        restore(archive, days=0)
