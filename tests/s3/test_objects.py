"""Objects: any key, what is kept beside the bytes, copies that share them, and reads that outlive a delete."""

import hashlib
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebox.errors import AwsError
from samebox.s3.index import Index, Transaction
from samebox.s3.receiving import INLINE_BYTES
from samebox.s3.records import Attributes, Expected, Source
from samebox.s3.store import InUse, S3Store
from tests.s3.harness import ACCOUNT, REGION, StorageClock, get, keys, put

LARGE = b"0123456789abcdef" * 8192


@pytest.mark.parametrize(
    "key",
    ["a/", "a//b", ".", "..", "../up", "/lead", "tab\tnew\nline\0nul", "é/\U0001f600", "k" * 1024, "a/" + "b" * 300],
)
def test_a_key_is_any_text(store: S3Store, key: str) -> None:
    put(store, "a", b"beside")
    put(store, key, b"it")
    assert get(store, key) == b"it"
    assert get(store, "a") == b"beside"
    assert set(keys(store)) == {"a", key}
    store.objects.delete("bucket", key)
    assert keys(store) == ["a"]


def test_a_key_has_at_most_1024_bytes(store: S3Store) -> None:
    with pytest.raises(AwsError, match="KeyTooLongError") as refused:
        put(store, "é" * 513, b"")
    assert dict(refused.value.fields) == {"Size": 1026, "MaxSizeAllowed": 1024}


def test_a_delete_of_a_key_with_a_slash_at_its_end_deletes_no_other(store: S3Store) -> None:
    put(store, "n/d/x", b"kept")
    store.objects.delete("bucket", "n/d/x/")
    assert get(store, "n/d/x") == b"kept"


@pytest.mark.parametrize("size", [0, 1, INLINE_BYTES, INLINE_BYTES + 1, len(LARGE)])
def test_what_an_object_is_put_with_is_there_after_a_restart(tmp_path: Path, clock: StorageClock, size: int) -> None:
    attributes = Attributes(
        {"ContentType": "text/csv", "ContentEncoding": "gzip"}, {"who": "é"}, {"t": ""}, "GLACIER", "<acl/>"
    )
    store = S3Store(tmp_path, clock=clock)
    store.buckets.create("bucket", ACCOUNT, REGION)
    version = put(store, "key", LARGE[:size], attributes=attributes)
    store.close()
    store = S3Store(tmp_path, clock=clock)
    assert store.objects.head("bucket", "key") == version
    assert version.attributes == attributes
    assert (version.size, version.modified) == (size, clock.now)
    assert version.etag == hashlib.md5(LARGE[:size]).hexdigest()
    assert get(store, "key") == LARGE[:size]
    store.close()


@pytest.mark.parametrize(
    "expected", [Expected(md5="AAAA"), Expected(checksums={"CRC64NVME": "AAAA"}), Expected(size=3)]
)
def test_a_body_that_does_not_match_its_declared_digest_is_not_stored(store: S3Store, expected: Expected) -> None:
    put(store, "key", b"old")
    with pytest.raises(AwsError, match=r"BadDigest|IncompleteBody"):
        put(store, "key", LARGE, expected=expected)
    assert get(store, "key") == b"old"
    assert list((store.folder / "incoming").iterdir()) == []


def test_a_body_that_nothing_took_is_gone(store: S3Store) -> None:
    with store.receive() as body:
        body.write(LARGE)
    assert list((store.folder / "incoming").iterdir()) == []


@given(first=st.integers(0, 200), length=st.integers(0, 200))
@settings(deadline=None, max_examples=40)
def test_a_range_is_those_bytes(tmp_path_factory: pytest.TempPathFactory, first: int, length: int) -> None:
    store = S3Store(tmp_path_factory.mktemp("ranges"))
    store.buckets.create("bucket", ACCOUNT, REGION)
    data = LARGE[: INLINE_BYTES + 150]
    put(store, "small", data[:150])
    put(store, "large", data)
    for key, offset in (("small", 0), ("large", INLINE_BYTES)):
        whole = get(store, key)
        with store.objects.open("bucket", key) as reading:
            wanted = whole[offset + first : offset + first + length]
            assert b"".join(reading.chunks(offset + first, length, 7)) == wanted
            spans = list(reading.spans(offset + first, length))
            assert sum(span.length for span in spans) == len(wanted)
    store.close()


@pytest.mark.parametrize("change", ["delete", "replace"])
def test_an_open_object_is_read_to_its_end_whatever_becomes_of_it(store: S3Store, change: str) -> None:
    put(store, "key", LARGE)
    with store.objects.open("bucket", "key") as reading:
        chunks = reading.chunks(size=1000)
        read = next(chunks)
        if change == "delete":
            store.objects.delete("bucket", "key")
        else:
            put(store, "key", b"other")
        assert reading.path is not None
        assert read + b"".join(chunks) == LARGE
    assert [path for path in (store.folder / "files").rglob("*") if path.is_file()] == []


def test_an_open_small_object_is_read_to_its_end_while_another_takes_its_place(store: S3Store) -> None:
    put(store, "key", b"old")
    with store.objects.open("bucket", "key") as reading:
        put(store, "key", b"newer")
        assert b"".join(reading.chunks()) == b"old"
    assert get(store, "key") == b"newer"


@pytest.mark.parametrize("first", [b"", b"small", LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("second", [b"", b"other", LARGE[1:]], ids=["empty", "small", "large"])
def test_an_object_takes_the_place_of_one_of_any_size(store: S3Store, first: bytes, second: bytes) -> None:
    for data in (first, second, first):
        put(store, "key", data)
        assert get(store, "key") == data
    assert store.miscounted() == []
    assert store.orphans() == []


def test_a_small_object_that_takes_a_place_leaves_copies_and_versions_as_they_were(store: S3Store) -> None:
    put(store, "key", b"1")
    store.copies.copy(Source("bucket", "key"), "bucket", "copy")
    put(store, "key", b"2")
    assert (get(store, "key"), get(store, "copy")) == (b"2", b"1")
    store.buckets.set_versioning("bucket", "Enabled")
    named = put(store, "key", b"3").version
    store.buckets.set_versioning("bucket", "Suspended")
    put(store, "key", b"4")  # takes the place of the null version, which is not the newest
    assert [get(store, "key", version) for version in (None, "null", named)] == [b"4", b"4", b"3"]
    assert store.miscounted() == []


def test_a_small_object_that_takes_a_place_is_written_into_it(store: S3Store) -> None:
    def row() -> list[tuple[object, ...]]:
        with store.objects.read_transaction() as t:
            return t.all("SELECT id, data FROM bodies")

    put(store, "key", b"1")
    ((number, _),) = row()
    put(store, "key", b"2")
    assert row() == [(number, b"2")]


def test_an_object_whose_file_was_removed_is_an_internal_error_with_its_key(store: S3Store) -> None:
    put(store, "key", LARGE)
    with store.objects.open("bucket", "key") as reading:
        path = reading.path
    assert path is not None
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(AwsError, match="The bytes of key are gone") as refused:
        store.objects.open("bucket", "key")
    assert (refused.value.code, refused.value.status) == ("InternalError", 500)
    path.with_name("elsewhere").rename(path)


def test_an_object_in_a_file_can_be_mounted(store: S3Store) -> None:
    put(store, "large", LARGE)
    put(store, "small", b"1")
    with store.objects.open("bucket", "large") as reading:
        assert reading.path is not None
        assert reading.path.read_bytes() == LARGE
    with store.objects.open("bucket", "small") as reading:
        assert reading.path is None


def test_a_copy_shares_the_bytes_and_outlives_its_source(store: S3Store) -> None:
    put(store, "source", LARGE, attributes=Attributes({"ContentType": "text/csv"}, {"a": "b"}, {"t": "1"}, acl="x"))
    copy = store.copies.copy(Source("bucket", "source"), "bucket", "copy")
    assert copy.attributes == Attributes({"ContentType": "text/csv"}, {"a": "b"}, {"t": "1"})
    assert len([path for path in (store.folder / "files").rglob("*") if path.is_file()]) == 1
    put(store, "source", b"replaced")
    assert get(store, "copy") == LARGE
    again = store.copies.copy(
        Source("bucket", "copy"), "bucket", "copy", attributes=lambda old: replace(old, metadata={"a": "c"}),
        algorithm="SHA256",
    )  # fmt: skip
    assert again.attributes.metadata == {"a": "c"}
    assert list(again.checksums.values) == ["SHA256"]
    assert get(store, "copy") == LARGE


def test_a_copy_of_what_is_not_there(store: S3Store) -> None:
    with pytest.raises(AwsError, match="NoSuchKey"):
        store.copies.copy(Source("bucket", "none"), "bucket", "copy")
    with pytest.raises(AwsError, match="NoSuchBucket"):
        store.copies.copy(Source("none", "none"), "bucket", "copy")
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    marker = store.objects.delete("bucket", "key").version
    with pytest.raises(AwsError, match="delete marker by version id"):
        store.copies.copy(Source("bucket", "key", marker), "bucket", "copy")


def test_a_rename_is_one_step(store: S3Store, clock: StorageClock) -> None:
    before = put(store, "old", LARGE)
    put(store, "new", b"replaced")
    clock.now += 60
    after = store.copies.rename("bucket", "old", "new")
    assert (after.etag, after.modified) == (before.etag, before.modified)
    assert keys(store) == ["new"]
    assert get(store, "new") == LARGE


def test_tags_and_acl_change_and_the_object_does_not(store: S3Store, clock: StorageClock) -> None:
    before = put(store, "key", b"1", attributes=Attributes(tags={"a": "1"}))
    clock.now += 60
    store.objects.set_tags("bucket", "key", {"b": "2"})
    store.objects.set_acl("bucket", "key", "<acl/>")
    after = store.objects.head("bucket", "key")
    assert after == replace(before, attributes=Attributes(tags={"b": "2"}, acl="<acl/>"))
    assert store.objects.set_tags("bucket", "key", {}).attributes.tags == {}


def test_buckets_are_one_namespace(store: S3Store) -> None:
    for account, code in ((ACCOUNT, "BucketAlreadyOwnedByYou"), ("210987654321", "BucketAlreadyExists")):
        with pytest.raises(AwsError) as refused:
            store.buckets.create("bucket", account, REGION)
        assert (refused.value.code, refused.value.status) == (code, 409)
    store.buckets.create("other", "210987654321", "ap-northeast-2")
    assert [one.name for one in store.buckets.list()] == ["bucket", "other"]
    assert [one.name for one in store.buckets.list("210987654321")] == ["other"]
    assert [one.name for one in store.buckets.list(prefix="o", region="ap-northeast-2")] == ["other"]
    assert [one.name for one in store.buckets.list(after="bucket", limit=1)] == ["other"]


def test_settings_of_a_bucket_are_any_text(store: S3Store) -> None:
    assert store.buckets.setting("bucket", "policy") is None
    store.buckets.set_setting("bucket", "policy", "{}")
    store.buckets.set_setting("bucket", "policy", '{"é": 1}')
    store.buckets.set_setting("bucket", "cors", "<xml/>")
    assert store.buckets.settings("bucket") == {"policy": '{"é": 1}', "cors": "<xml/>"}
    store.buckets.remove_setting("bucket", "policy")
    assert store.buckets.settings("bucket") == {"cors": "<xml/>"}
    store.buckets.delete("bucket")
    store.buckets.create("bucket", ACCOUNT, REGION)
    assert store.buckets.settings("bucket") == {}


def test_one_process_has_a_storage_at_a_time(store: S3Store) -> None:
    with pytest.raises(InUse):
        S3Store(store.folder)


def test_readers_and_writers_at_once_see_whole_objects(store: S3Store) -> None:
    bodies = [bytes([number]) * (50_000 + 20_000 * number) for number in range(4)]
    put(store, "key", bodies[0])
    problems: list[object] = []

    def write(number: int) -> None:
        for _ in range(15):
            put(store, "key", bodies[number])
            put(store, f"own/{number}", bodies[number])
            store.objects.delete("bucket", f"own/{number}")

    def read() -> None:
        for _ in range(60):
            data = get(store, "key")
            if data not in bodies:
                problems.append(len(data))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    threads += [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert problems == []
    assert keys(store) == ["key"]


def test_writers_that_replace_each_other_in_one_commit_leave_no_file(store: S3Store) -> None:
    def write() -> None:
        for _ in range(40):
            put(store, "key", LARGE)

    before = sys.getswitchinterval()
    sys.setswitchinterval(0.00001)  # so that threads meet at every line
    try:
        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
    finally:
        sys.setswitchinterval(before)
    assert len([path for path in store.folder.rglob("*") if path.is_file() and path.parent.parent.name == "files"]) == 1


def test_a_refused_change_takes_no_other_of_its_commit_along(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")
    ready, begin = threading.Event(), threading.Event()
    results: dict[str, object] = {}

    def hold(_: Transaction) -> None:  # the turn, until the others wait for it
        ready.set()
        begin.wait(30)

    def refused() -> None:
        def change(t: Transaction) -> None:
            t.run("INSERT INTO garbage VALUES (1)")
            raise ValueError("refused")

        try:
            index.write(change)
        except ValueError as error:
            results["refused"] = error

    def kept(number: int) -> None:
        index.write(lambda t: t.run("INSERT INTO garbage VALUES (?)", (number,)))

    threads = [threading.Thread(target=index.write, args=(hold,))]
    threads[0].start()
    assert ready.wait(30)
    threads += [threading.Thread(target=kept, args=(2,)), threading.Thread(target=refused),
                threading.Thread(target=kept, args=(3,))]  # fmt: skip
    for thread in threads[1:]:
        thread.start()
    begin.set()
    for thread in threads:
        thread.join(60)
    with index.read() as t:
        assert t.all("SELECT body FROM garbage ORDER BY body") == [(2,), (3,)]
    assert isinstance(results["refused"], ValueError)
    index.close()
