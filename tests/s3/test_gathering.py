"""Parts that fit each other become one file, whose bytes nothing copies; parts that do not are as good without."""

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from samebox.errors import AwsError
from samebox.s3 import gathering
from samebox.s3.records import Completion, NamedPart
from samebox.s3.store import S3Store
from tests.s3.conftest import faults
from tests.s3.harness import MIB, get, put, send

PART = 5 * MIB
ONE, TWO, THREE, LAST = (bytes([number]) * PART for number in (1, 2, 3, 4))
LAST = LAST[:90_000]


@pytest.fixture
def upload(store: S3Store) -> str:
    return store.uploads.create("bucket", "key").upload_id


def complete(store: S3Store, upload: str, tags: Mapping[int, str]) -> None:
    named = Completion(tuple(NamedPart(number, tags[number]) for number in sorted(tags)))
    store.uploads.complete("bucket", "key", upload, named)


def own_file(store: S3Store, key: str = "key") -> Path | None:
    """The file that is the object, where it is one."""
    with store.objects.open("bucket", key) as reading:
        return reading.path


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (3, 1, 2, 4), (2, 4, 3, 1)])
def test_an_object_whose_parts_fit_each_other_is_one_file(store: S3Store, upload: str, order: tuple[int, ...]) -> None:
    parts = {1: ONE, 2: TWO, 3: THREE, 4: LAST}
    tags = {number: send(store, upload, "key", number, parts[number]) for number in order}
    assert [one.number for one in store.uploads.parts("bucket", "key", upload).items] == [1, 2, 3, 4]
    assert store.uploads.parts("bucket", "key", upload).total == 4
    assert len(store.uploads.parts("bucket", "key", upload, after=-1).items) == 4
    complete(store, upload, tags)
    path = own_file(store)
    assert path is not None
    assert path.read_bytes() == get(store, "key") == ONE + TWO + THREE + LAST
    with store.objects.open("bucket", "key") as reading:
        assert (reading.part(3).start, reading.part(3).size) == (2 * PART, PART)
    store.objects.delete("bucket", "key")
    assert not path.exists()
    assert faults(store) == []


def test_parts_that_come_at_once_are_gathered_too(store: S3Store, upload: str) -> None:
    parts = {number: random.Random(number).randbytes(PART if number < 9 else 1000) for number in range(1, 10)}
    with ThreadPoolExecutor(5) as pool:
        tags = dict(zip(parts, pool.map(lambda one: send(store, upload, "key", one, parts[one]), parts), strict=True))
    complete(store, upload, tags)
    assert get(store, "key") == b"".join(parts[number] for number in sorted(parts))
    assert own_file(store) is not None
    assert faults(store) == []


def test_a_part_that_is_sent_again_leaves_the_first_one_as_it_is(store: S3Store, upload: str) -> None:
    tags = {1: send(store, upload, "key", 1, ONE), 2: send(store, upload, "key", 2, TWO)}
    with store.receive_part(upload, 2, PART) as body:
        body.write(THREE[:MIB])  # and the client is gone
    tags[3] = send(store, upload, "key", 3, LAST)
    tags[2] = send(store, upload, "key", 2, THREE)
    complete(store, upload, tags)
    assert get(store, "key") == ONE + THREE + LAST
    assert own_file(store) is None
    assert faults(store) == []


def test_a_part_that_broke_off_may_have_its_place_again(store: S3Store, upload: str) -> None:
    tags = {2: send(store, upload, "key", 2, LAST + TWO[len(LAST) :])}
    with store.receive_part(upload, 1, PART) as body:
        body.write(THREE[:MIB])
    with store.receive_part(upload, 1, PART) as body:
        body.write(ONE)
        with pytest.raises(AwsError, match="did not provide the number of bytes"):
            body.write(b"and more than it said")
    with store.receive_part(upload, 1, PART) as body:
        body.write(ONE[1:])
        with pytest.raises(AwsError, match="did not provide the number of bytes"):
            store.uploads.put_part("bucket", "key", upload, 1, body)
    tags[1] = send(store, upload, "key", 1, ONE)
    complete(store, upload, tags)
    assert own_file(store) is not None
    assert get(store, "key") == ONE + LAST + TWO[len(LAST) :]


def test_parts_that_are_longer_than_the_first_one_that_came_have_files_of_their_own(
    store: S3Store, upload: str
) -> None:
    tags = {3: send(store, upload, "key", 3, THREE)}
    tags |= {1: send(store, upload, "key", 1, ONE + b"1"), 2: send(store, upload, "key", 2, TWO + b"2")}
    complete(store, upload, tags)
    assert get(store, "key") == ONE + b"1" + TWO + b"2" + THREE
    assert own_file(store) is None
    assert faults(store) == []


def test_numbers_that_are_left_out_and_the_highest_number_make_no_other_object(store: S3Store, upload: str) -> None:
    tags = {number: send(store, upload, "key", number, ONE) for number in (1, 7)}
    tags[10_000] = send(store, upload, "key", 10_000, LAST)
    complete(store, upload, tags)
    assert get(store, "key") == ONE + ONE + LAST
    assert own_file(store) is None
    with store.receive_part(upload, 10_000, PART) as body:
        body.write(b"too late")
    assert faults(store) == []


def test_a_part_beyond_what_a_file_can_have_has_a_file_of_its_own(
    store: S3Store, upload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_MOST_BYTES", PART)
    other = store.uploads.create("bucket", "other").upload_id
    send(store, other, "other", 2, TWO)
    assert faults(store) == []
    tags = {1: send(store, upload, "key", 1, ONE), 2: send(store, upload, "key", 2, TWO)}
    complete(store, upload, tags)
    assert get(store, "key") == ONE + TWO
    assert own_file(store) is None


def test_an_upload_that_is_aborted_leaves_no_file_whatever_is_under_way(store: S3Store, upload: str) -> None:
    other = store.uploads.create("bucket", "other").upload_id
    send(store, other, "other", 1, ONE)
    with store.receive_part(upload, 1, PART) as first, store.receive_part(other, 2, PART) as second:
        for body in (first, second):
            body.write(ONE[: 2 * MIB])
        store.uploads.abort("bucket", "key", upload)
        store.uploads.abort("bucket", "other", other)
        for body in (first, second):
            body.write(ONE[2 * MIB :])
        with pytest.raises(AwsError, match="The specified upload does not exist"):
            store.uploads.put_part("bucket", "key", upload, 1, first)
        with pytest.raises(AwsError, match="The specified upload does not exist"):
            store.uploads.put_part("bucket", "other", other, 2, second)
    assert [path for path in store.folder.rglob("*") if path.is_file() and path.stat().st_size >= MIB] == []
    assert faults(store) == []


def test_a_part_whose_upload_was_aborted_before_its_first_byte_is_refused(store: S3Store, upload: str) -> None:
    send(store, upload, "key", 1, ONE)
    with store.receive_part(upload, 2, PART) as body:
        store.uploads.abort("bucket", "key", upload)
        with pytest.raises(AwsError, match="The specified upload does not exist"):
            body.write(TWO)


def test_an_upload_goes_on_after_a_restart(tmp_path: Path) -> None:
    tags = {}
    for number, data in enumerate((ONE, TWO, THREE), 1):
        store = S3Store(tmp_path)
        if number == 1:
            store.buckets.create("bucket", "123456789012", "us-east-1")
            upload = store.uploads.create("bucket", "key").upload_id
        tags[number] = send(store, upload, "key", number, data)
        assert faults(store) == []
        store.close()
    store = S3Store(tmp_path)
    complete(store, upload, tags)
    assert get(store, "key") == ONE + TWO + THREE
    assert faults(store) == []
    store.objects.delete("bucket", "key")
    assert faults(store) == []
    store.close()


def test_more_open_uploads_than_are_remembered_are_as_good(
    store: S3Store, upload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_UPLOADS", 1)
    tags = {1: send(store, upload, "key", 1, ONE)}
    other = store.uploads.create("bucket", "other").upload_id
    send(store, other, "other", 1, ONE)
    tags[2] = send(store, upload, "key", 2, TWO)
    complete(store, upload, tags)
    assert get(store, "key") == ONE + TWO
    put(store, "key", b"replaced")
    store.uploads.abort("bucket", "other", other)
    assert faults(store) == []
