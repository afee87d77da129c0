"""What tests of the storage share: a clock, and puts and gets of small bodies in one line."""

from collections.abc import Iterable
from typing import Any

from samebox.s3.records import Version
from samebox.s3.store import S3Store

ACCOUNT = "123456789012"
REGION = "us-east-1"
MIB = 1024 * 1024


class StorageClock:
    """A time that moves when the test says so."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def put(store: S3Store, key: str, data: bytes, *, bucket: str = "bucket", **options: Any) -> Version:
    with store.receive(("CRC64NVME",)) as body:
        body.write(data)
        return store.objects.put(bucket, key, body, **options)


def get(store: S3Store, key: str, version: str | None = None, *, bucket: str = "bucket") -> bytes:
    with store.objects.open(bucket, key, version) as reading:
        return b"".join(reading.chunks())


def send(store: S3Store, upload_id: str, key: str, number: int, data: bytes, *, bucket: str = "bucket") -> str:
    with store.receive_part(upload_id, number, len(data), ("CRC64NVME",)) as body:
        body.write(data)
        return store.uploads.put_part(bucket, key, upload_id, number, body).etag


def keys(store: S3Store, **options: Any) -> list[str]:
    return [one.key for one in store.lists.objects("bucket", **options).items]


def fill(store: S3Store, names: Iterable[bytes]) -> None:
    """Rows of empty objects in the first bucket, as puts would write them, in one transaction."""
    facts = '{"headers":{"ContentType":"application/octet-stream"}}'
    sums = '{"CRC64NVME":"AAAAAAAAAAA="}'
    rows = (
        (1, key, -1 - number, "null", 1, 0, 1.7e9, 0, f"{number:032x}", "STANDARD", sums, "FULL_OBJECT", None, None, 0,
         facts)
        for number, key in enumerate(names)
    )  # fmt: skip
    store._index.write(lambda t: t.run_many(f"INSERT INTO versions VALUES ({', '.join('?' * 16)})", rows))
