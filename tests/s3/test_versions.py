"""Versioning: what a read, a delete and a listing see of the versions of a key."""

import pytest

from samebox.errors import AwsError
from samebox.s3.conditions import NO_CONDITIONS, WriteConditions
from samebox.s3.records import NULL_VERSION
from samebox.s3.store import S3Store
from tests.s3.harness import StorageClock, get, keys, put


def listed(store: S3Store) -> list[tuple[str, bool, bool]]:
    return [(one.version, one.is_latest, one.is_delete_marker) for one in store.lists.versions("bucket").items]


def test_a_version_stays_when_another_is_written(store: S3Store) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    one, two = put(store, "key", b"1"), put(store, "key", b"2")
    assert one.version != two.version
    assert get(store, "key") == b"2"
    assert get(store, "key", one.version) == b"1"
    assert listed(store) == [(two.version, True, False), (one.version, False, False)]


def test_a_delete_makes_a_marker_and_the_removal_of_the_marker_brings_the_object_back(store: S3Store) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    deletion = store.objects.delete("bucket", "key")
    assert deletion.is_delete_marker
    with pytest.raises(AwsError, match="NoSuchKey") as missing:
        store.objects.head("bucket", "key")
    assert missing.value.fields["DeleteMarker"] is True
    assert missing.value.fields["VersionId"] == deletion.version
    assert keys(store) == []
    with pytest.raises(AwsError, match="MethodNotAllowed") as refused:
        store.objects.head("bucket", "key", deletion.version)
    assert refused.value.status == 405
    assert store.objects.delete("bucket", "key", deletion.version).is_delete_marker
    assert get(store, "key") == b"1"
    assert keys(store) == ["key"]


def test_what_was_there_before_versioning_is_the_null_version(store: S3Store) -> None:
    put(store, "key", b"0")
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    assert get(store, "key", NULL_VERSION) == b"0"
    store.buckets.set_versioning("bucket", "Suspended")
    put(store, "key", b"2")  # replaces the null version, wherever that stands
    assert get(store, "key") == get(store, "key", NULL_VERSION) == b"2"
    assert [one[0] == NULL_VERSION for one in listed(store)] == [True, False]


def test_a_delete_while_versioning_is_suspended_replaces_the_null_version_by_a_marker(store: S3Store) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    kept = put(store, "key", b"1")
    store.buckets.set_versioning("bucket", "Suspended")
    put(store, "key", b"2")
    assert store.objects.delete("bucket", "key").version == NULL_VERSION
    assert listed(store) == [(NULL_VERSION, True, True), (kept.version, False, False)]
    store.objects.delete("bucket", "key", NULL_VERSION)
    assert get(store, "key") == b"1"


def test_the_newest_is_the_last_that_was_written_though_the_clock_was_set_back(
    store: S3Store, clock: StorageClock
) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    clock.now -= 3600
    put(store, "key", b"2")
    assert get(store, "key") == b"2"


def test_a_version_that_is_not_there(store: S3Store) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    version = put(store, "key", b"1").version
    put(store, "other", b"2")
    with pytest.raises(AwsError, match="NoSuchVersion"):
        store.objects.head("bucket", "other", version)
    with pytest.raises(AwsError, match="Invalid version id specified"):
        store.objects.head("bucket", "key", "no version")
    assert store.objects.delete("bucket", "other", version).version == version  # 204, as often as it is asked
    assert keys(store) == ["key", "other"]


def test_a_bucket_with_versions_is_not_empty(store: S3Store) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    store.objects.delete("bucket", "key")
    with pytest.raises(AwsError, match="You must delete all versions in the bucket"):
        store.buckets.delete("bucket")
    for version, _, _ in listed(store):
        store.objects.delete("bucket", "key", version)
    store.buckets.delete("bucket")
    with pytest.raises(AwsError, match="NoSuchBucket"):
        store.buckets.get("bucket")


def test_a_listing_of_versions_goes_on_within_a_key(store: S3Store) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    for number in range(3):
        for key in ("a", "b/x", "c"):
            put(store, key, b"%d" % number)
    found: list[tuple[str, str]] = []
    prefixes: list[str] = []
    key = version = ""
    while True:
        page = store.lists.versions("bucket", delimiter="/", after_key=key, after_version=version, limit=2)
        found += [(one.key, one.version) for one in page.items]
        prefixes += page.prefixes
        if not page.truncated:
            break
        key, version = page.next_key, page.next_version
    every = [(one.key, one.version) for one in store.lists.versions("bucket").items]
    assert found == [one for one in every if one[0] != "b/x"]
    assert prefixes == ["b/"]


def test_many_deletes_are_one_answer_each(store: S3Store) -> None:
    put(store, "a", b"1")
    put(store, "b", b"2")
    results = store.objects.delete_many(
        "bucket", [("a", None, NO_CONDITIONS), ("b", None, WriteConditions("0" * 32)), ("none", None, NO_CONDITIONS)]
    )
    assert [getattr(one, "code", "") for one in results] == ["", "PreconditionFailed", ""]
    assert keys(store) == ["b"]
