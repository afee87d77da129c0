"""Conditional writes, reads and deletes, as S3 answers them."""

import threading

import pytest

from samebox.errors import AwsError
from samebox.s3.conditions import ReadConditions, WriteConditions
from samebox.s3.records import Completion, NamedPart, Source, Version
from samebox.s3.store import S3Store
from tests.s3.harness import get, put, send

ABSENT = WriteConditions(if_none_match="*")


def test_of_six_writers_exactly_one_makes_the_object(store: S3Store) -> None:
    start = threading.Barrier(6)
    results: list[Version | AwsError] = []

    def write(number: int) -> None:
        start.wait(30)
        try:
            results.append(put(store, "leader", b"%d" % number, conditions=ABSENT))
        except AwsError as error:
            results.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    refused = [one for one in results if isinstance(one, AwsError)]
    assert len(results) == 6
    assert [(one.code, one.status, dict(one.fields)) for one in refused] == [
        ("PreconditionFailed", 412, {"Condition": "If-None-Match"})
    ] * 5


def test_of_six_writers_that_saw_the_same_object_exactly_one_replaces_it(store: S3Store) -> None:
    seen = WriteConditions(if_match=put(store, "counter", b"0").etag)
    start = threading.Barrier(6)
    wins: list[int] = []

    def write(number: int) -> None:
        start.wait(30)
        try:
            put(store, "counter", b"%d" % (number + 1), conditions=seen)
        except AwsError:
            return
        wins.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [get(store, "counter")] == [b"%d" % (number + 1) for number in wins]


def test_a_write_that_insists_on_an_object_finds_none(store: S3Store) -> None:
    with pytest.raises(AwsError, match="NoSuchKey") as refused:
        put(store, "key", b"1", conditions=WriteConditions(if_match="0" * 32))
    assert refused.value.status == 404
    assert store.lists.objects("bucket").items == ()


def test_a_deleted_object_is_absent(store: S3Store) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    store.objects.delete("bucket", "key")
    put(store, "key", b"2", conditions=ABSENT)
    with pytest.raises(AwsError, match="PreconditionFailed"):
        put(store, "key", b"3", conditions=ABSENT)


def test_a_completion_and_a_copy_are_conditional_too(store: S3Store) -> None:
    put(store, "key", b"1")
    upload = store.uploads.create("bucket", "key").upload_id
    named = Completion((NamedPart(1, send(store, upload, "key", 1, b"2")),))
    with pytest.raises(AwsError, match="PreconditionFailed"):
        store.uploads.complete("bucket", "key", upload, named, conditions=ABSENT)
    put(store, "source", b"3")
    with pytest.raises(AwsError, match="PreconditionFailed"):
        store.copies.copy(Source("bucket", "source"), "bucket", "key", conditions=ABSENT)
    assert get(store, "key") == b"1"
    assert store.uploads.parts("bucket", "key", upload).total == 1  # the upload is still open


# Measured against S3 in eu-west-1, August 2026: ministackorg/ministack#1475.
@pytest.mark.parametrize("condition", ["*", "0" * 32])
@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("deleted", [False, True])
def test_a_conditional_delete_of_what_is_not_there_is_refused(
    store: S3Store, condition: str, versioned: bool, deleted: bool
) -> None:
    if versioned:
        store.buckets.set_versioning("bucket", "Enabled")
    if deleted:
        put(store, "key", b"1")
        store.objects.delete("bucket", "key")
    with pytest.raises(AwsError, match="NoSuchKey") as refused:
        store.objects.delete("bucket", "key", conditions=WriteConditions(if_match=condition))
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("conditions", "header"),
    [
        (WriteConditions(if_match="0" * 32), "If-Match"),
        (WriteConditions(if_match_size=2), "x-amz-if-match-size"),
        (WriteConditions(if_match_modified=1.0), "x-amz-if-match-last-modified-time"),
    ],
)
def test_a_delete_of_an_object_that_is_not_so_is_refused(
    store: S3Store, conditions: WriteConditions, header: str
) -> None:
    put(store, "key", b"1")
    with pytest.raises(AwsError, match="PreconditionFailed") as refused:
        store.objects.delete("bucket", "key", conditions=conditions)
    assert refused.value.fields["Condition"] == header
    assert get(store, "key") == b"1"


def test_a_delete_of_an_object_that_is_so_deletes_it(store: S3Store) -> None:
    version = put(store, "key", b"1")
    conditions = WriteConditions(version.etag, if_match_modified=version.modified, if_match_size=1)
    store.objects.delete("bucket", "key", conditions=conditions)
    assert store.lists.objects("bucket").items == ()


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        (ReadConditions(if_match=("x",)), 412),
        (ReadConditions(if_match=("x", "*")), None),
        (ReadConditions(if_none_match=("*",)), 304),
        (ReadConditions(if_none_match=("x",)), None),
        (ReadConditions(if_modified_since=0), 304),
        (ReadConditions(if_modified_since=-1), None),
        (ReadConditions(if_unmodified_since=-1), 412),
        (ReadConditions(if_unmodified_since=0), None),
        # RFC 9110 §13.2.2: the ETag outweighs the time.
        (ReadConditions(if_match=("*",), if_unmodified_since=-1), None),
        (ReadConditions(if_none_match=("x",), if_modified_since=0), None),
    ],
)
def test_a_read_has_conditions(store: S3Store, conditions: ReadConditions, status: int | None) -> None:
    # Times are seconds after that of the object here.
    modified = int(put(store, "key", b"1").modified)
    since, until = conditions.if_modified_since, conditions.if_unmodified_since
    conditions = ReadConditions(
        conditions.if_match,
        conditions.if_none_match,
        None if since is None else modified + since,
        None if until is None else modified + until,
    )
    if status is None:
        assert store.objects.head("bucket", "key", conditions=conditions).size == 1
        return
    with pytest.raises(AwsError) as refused:
        store.objects.head("bucket", "key", conditions=conditions)
    assert refused.value.status == status


def test_a_copy_has_no_304(store: S3Store) -> None:
    etag = put(store, "source", b"1").etag
    with pytest.raises(AwsError, match="PreconditionFailed"):
        store.copies.copy(
            Source("bucket", "source"), "bucket", "key", source_conditions=ReadConditions(if_none_match=(etag,))
        )
