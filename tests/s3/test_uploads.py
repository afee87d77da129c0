"""Multipart uploads: parts, gaps, parts sent again, copied parts, completion and its refusals."""

import base64
import hashlib
import zlib

import pytest

from samebox.errors import AwsError
from samebox.s3 import checksums
from samebox.s3.records import Attributes, Checksums, Completion, Expected, NamedPart, ObjectPart, Source
from samebox.s3.store import S3Store
from tests.s3.harness import MIB, StorageClock, get, keys, put, send

BIG = bytes(range(256)) * (5 * MIB // 256)


def begun(store: S3Store, **options: str) -> str:
    return store.uploads.create("bucket", "key", **options).upload_id  # type: ignore[arg-type]


def completed(store: S3Store, upload: str, *parts: tuple[int, str], **options: object) -> Completion:
    return Completion(tuple(NamedPart(number, etag) for number, etag in parts), **options)  # type: ignore[arg-type]


def test_parts_become_an_object_in_the_order_of_their_numbers(store: S3Store) -> None:
    upload = begun(store)
    last = send(store, upload, "key", 9000, b"last")
    send(store, upload, "key", 2, b"to be sent again")
    first = send(store, upload, "key", 2, BIG)
    send(store, upload, "key", 3, b"never named")
    named = completed(store, upload, (2, first), (9000, last))
    version = store.uploads.complete("bucket", "key", upload, named)
    digests = bytes.fromhex(first) + bytes.fromhex(last)
    assert version.etag == f"{hashlib.md5(digests).hexdigest()}-2"
    assert store.objects.head("bucket", "key") == version
    assert get(store, "key") == BIG + b"last"
    with store.objects.open("bucket", "key") as reading:
        assert b"".join(reading.chunks(len(BIG) - 2, 4)) == BIG[-2:] + b"la"
        assert reading.part(9000).start == len(BIG)
        assert reading.path is None
    assert [one.number for one in store.objects.parts("bucket", "key").items] == [2, 9000]


def test_a_second_completion_answers_as_the_first(store: S3Store) -> None:
    upload = begun(store)
    named = completed(store, upload, (1, send(store, upload, "key", 1, b"1")))
    first = store.uploads.complete("bucket", "key", upload, named)
    put(store, "key", b"replaced meanwhile")
    assert store.uploads.complete("bucket", "key", upload, named) == first
    assert get(store, "key") == b"replaced meanwhile"
    with pytest.raises(AwsError, match="NoSuchUpload"):
        store.uploads.abort("bucket", "key", upload)


def test_a_part_under_5_mib_that_is_not_the_last_is_refused(store: S3Store) -> None:
    upload = begun(store)
    small = send(store, upload, "key", 1, b"small")
    named = completed(store, upload, (1, small), (2, send(store, upload, "key", 2, b"last")))
    with pytest.raises(AwsError, match="EntityTooSmall") as refused:
        store.uploads.complete("bucket", "key", upload, named)
    assert dict(refused.value.fields) == {
        "ProposedSize": 5, "MinSizeAllowed": 5 * MIB, "PartNumber": 1, "ETag": small
    }  # fmt: skip
    assert keys(store) == []
    assert store.uploads.parts("bucket", "key", upload).total == 2


def test_a_completion_that_does_not_fit_the_parts_is_refused(store: S3Store) -> None:
    upload = begun(store)
    one, two = send(store, upload, "key", 1, BIG), send(store, upload, "key", 2, b"2")
    refusals: list[tuple[tuple[tuple[int, str], ...], str]] = [
        ((), "MalformedXML"),
        (((2, two), (1, one)), "InvalidPartOrder"),
        (((1, one), (1, one)), "InvalidPartOrder"),
        (((1, two),), "InvalidPart"),
        (((1, one), (3, two)), "InvalidPart"),
    ]
    for parts, code in refusals:
        with pytest.raises(AwsError) as refused:
            store.uploads.complete("bucket", "key", upload, completed(store, upload, *parts))
        assert refused.value.code == code
    with pytest.raises(AwsError, match="'x-amz-mp-object-size'"):
        store.uploads.complete("bucket", "key", upload, completed(store, upload, (1, one), size=1))


@pytest.mark.parametrize("number", [0, 10_001])
def test_a_part_number_has_bounds(store: S3Store, number: int) -> None:
    with pytest.raises(AwsError, match="between 1 and 10000"):
        send(store, begun(store), "key", number, b"")


def test_an_aborted_upload_is_gone_with_its_parts(store: S3Store) -> None:
    upload = begun(store)
    send(store, upload, "key", 1, BIG)
    store.uploads.abort("bucket", "key", upload)
    assert store.lists.uploads("bucket").items == ()
    with pytest.raises(AwsError, match="NoSuchUpload"):
        send(store, upload, "key", 1, b"late")
    assert not [path for path in store.folder.rglob("*") if path.is_file() and path.parent.parent.name == "files"]


def test_parts_are_listed_in_pages(store: S3Store) -> None:
    upload = begun(store)
    for number in (1, 3, 7):
        send(store, upload, "key", number, b"x" * number)
    page = store.uploads.parts("bucket", "key", upload, limit=2)
    assert ([one.number for one in page.items], page.truncated, page.next_number, page.total) == ([1, 3], True, 3, 3)
    page = store.uploads.parts("bucket", "key", upload, after=3)
    assert [(one.number, one.size) for one in page.items] == [(7, 7)]


def test_uploads_are_listed_by_key_and_then_by_time(store: S3Store) -> None:
    made = [store.uploads.create("bucket", key).upload_id for key in ("b", "a", "b", "c/1", "c/2")]
    page = store.lists.uploads("bucket", delimiter="/", limit=2)
    assert [one.upload_id for one in page.items] == [made[1], made[0]]
    page = store.lists.uploads("bucket", delimiter="/", after_key=page.next_key, after_upload=page.next_upload)
    assert [one.upload_id for one in page.items] == [made[2]]
    assert page.prefixes == ("c/",)
    assert [one.key for one in store.lists.uploads("bucket", prefix="c/").items] == ["c/1", "c/2"]


def test_a_range_of_an_object_becomes_a_part_without_a_copy(store: S3Store) -> None:
    put(store, "source", BIG + b"tail")
    upload = begun(store)
    first, source = store.uploads.copy_part(
        "bucket", "key", upload, 1, Source("bucket", "source"), first=4, last=5 * MIB + 3
    )
    second, _ = store.uploads.copy_part("bucket", "key", upload, 2, Source("bucket", "source"))
    assert source.key == "source"
    named = completed(store, upload, (1, first.etag), (2, second.etag))
    store.uploads.complete("bucket", "key", upload, named)
    store.objects.delete("bucket", "source")
    assert get(store, "key") == BIG[4:] + b"tail" + BIG + b"tail"
    files = [path for path in (store.folder / "files").rglob("*") if path.is_file()]
    assert len(files) == 1  # that of the source, which the new object still needs


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (5, 9, "The specified copy range is invalid for the source object size"),
        (0, 5, "Range specified is not valid for source object of size: 5"),
    ],
)
def test_a_range_outside_of_the_source_is_refused(store: S3Store, first: int, last: int, words: str) -> None:
    put(store, "source", b"12345")
    with pytest.raises(AwsError, match=words):
        store.uploads.copy_part("bucket", "key", begun(store), 1, Source("bucket", "source"), first=first, last=last)


def test_a_copy_of_an_object_in_parts_is_whole(store: S3Store) -> None:
    upload = begun(store)
    parts = ((1, send(store, upload, "key", 1, BIG)), (2, send(store, upload, "key", 2, b"end")))
    store.uploads.complete("bucket", "key", upload, completed(store, upload, *parts))
    copy = store.copies.copy(Source("bucket", "key"), "bucket", "copy")
    assert copy.etag == hashlib.md5(BIG + b"end").hexdigest()
    assert store.objects.parts("bucket", "copy").items == ()
    store.objects.delete("bucket", "key")
    assert get(store, "copy") == BIG + b"end"
    with store.objects.open("bucket", "copy") as reading:
        assert reading.part(1) == ObjectPart(1, 0, len(BIG) + 3, copy.checksums.values)
        with pytest.raises(AwsError, match="InvalidPartNumber"):
            reading.part(2)


def crc32(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


def sent_with(store: S3Store, upload: str, number: int, data: bytes, algorithm: str) -> str:
    with store.receive((algorithm,)) as body:
        body.write(data)
        return store.uploads.put_part("bucket", "key", upload, number, body).etag


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("FULL_OBJECT", base64.b64encode(crc32(BIG + b"end")).decode()),
        ("COMPOSITE", base64.b64encode(crc32(crc32(BIG) + crc32(b"end"))).decode() + "-2"),
    ],
)
def test_the_checksum_of_the_whole_follows_from_those_of_the_parts(store: S3Store, kind: str, expected: str) -> None:
    upload = begun(store, algorithm="CRC32", checksum_type=kind)
    parts = tuple(
        NamedPart(
            number,
            sent_with(store, upload, number, data, "CRC32"),
            {"CRC32": base64.b64encode(crc32(data)).decode()},
        )
        for number, data in ((1, BIG), (2, b"end"))
    )
    wrong = Completion(parts, checksums=Checksums({"CRC32": "AAAAAA=="}))
    with pytest.raises(AwsError, match="BadDigest"):
        store.uploads.complete("bucket", "key", upload, wrong)
    version = store.uploads.complete("bucket", "key", upload, Completion(parts))
    assert (version.checksums.values, version.checksums.kind) == ({"CRC32": expected}, kind)
    assert [list(one.checksums) for one in store.objects.parts("bucket", "key").items] == [["CRC32"], ["CRC32"]]


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_combined_checksum_is_that_of_the_joint_bytes(algorithm: str) -> None:
    whole = checksums.running(algorithm)
    pieces = []
    for data in (b"one", b"", b"three" * 1000):
        one = checksums.running(algorithm)
        one.update(data)
        whole.update(data)
        pieces.append((len(data), {algorithm: checksums.encoded(one.digest())}))
    joint = checksums.of_parts(algorithm, "FULL_OBJECT", pieces)
    assert joint.values == {algorithm: checksums.encoded(whole.digest())}


def test_a_part_that_does_not_fit_its_checksum_is_not_kept(store: S3Store) -> None:
    upload = begun(store)
    expected = Expected(checksums={"CRC32": "AAAAAA=="})
    with store.receive(("CRC32",)) as body:
        body.write(b"data")
        with pytest.raises(AwsError, match="BadDigest"):
            store.uploads.put_part("bucket", "key", upload, 1, body, expected=expected)
    assert store.uploads.parts("bucket", "key", upload).items == ()


def test_what_an_upload_was_begun_with_is_the_objects(store: S3Store) -> None:
    attributes = Attributes({"ContentType": "text/csv"}, {"a": "b"}, {"t": "1"}, "GLACIER")
    upload = store.uploads.create("bucket", "key", attributes).upload_id
    assert store.uploads.get("bucket", "key", upload).attributes == attributes
    store.uploads.complete("bucket", "key", upload, completed(store, upload, (1, send(store, upload, "key", 1, b"1"))))
    assert store.objects.head("bucket", "key").attributes == attributes


def test_a_completed_upload_is_forgotten_after_a_day(store: S3Store, clock: StorageClock) -> None:
    upload = begun(store)
    named = completed(store, upload, (1, send(store, upload, "key", 1, b"1")))
    store.uploads.complete("bucket", "key", upload, named)
    clock.now += 25 * 3600
    begun(store)
    with pytest.raises(AwsError, match="NoSuchUpload"):
        store.uploads.complete("bucket", "key", upload, named)
    assert get(store, "key") == b"1"
    assert len(store.objects.parts("bucket", "key").items) == 1


def test_a_bucket_with_open_uploads_alone_can_be_deleted(store: S3Store) -> None:
    send(store, begun(store), "key", 1, BIG)
    store.buckets.delete("bucket")
    assert store.buckets.list() == ()
