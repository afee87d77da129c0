"""Lifecycle: what expires when, by a clock that the test moves."""

from collections.abc import Sequence
from typing import Any

import pytest

from samebox.s3.expiry import ExpiredVersion
from samebox.s3.lifecycle import DAY, Filter, LifecycleRule, expiration, midnight_after, rules
from samebox.s3.records import Attributes, Retention
from samebox.s3.store import S3Store
from tests.s3.harness import ACCOUNT, REGION, StorageClock, keys, put, send


def rule(**members: Any) -> dict[str, Any]:
    return {"Rules": [{"ID": "rule", "Status": "Enabled", "Filter": {}, **members}]}


def expire(store: S3Store, bucket: str, found: tuple[LifecycleRule, ...]) -> int:
    """How many versions and uploads went."""
    return store.expire(bucket, found, lambda _: None)


def versions(store: S3Store, bucket: str = "bucket") -> list[tuple[str, bool]]:
    return [(one.key, one.is_delete_marker) for one in store.lists.versions(bucket).items]


def test_days_end_at_the_next_midnight_utc() -> None:
    # S3 user guide: an object made on 15 January 2014 at 10:30, kept for 3 days, expires on 19 January at 00:00.
    assert midnight_after(1389781800, 3) == 1390089600


def test_an_object_expires_after_its_days(store: S3Store, clock: StorageClock) -> None:
    put(store, "logs/old", b"1")
    put(store, "kept", b"1")
    clock.now += 2 * DAY
    put(store, "logs/new", b"1")
    found = rules(rule(Filter={"Prefix": "logs/"}, Expiration={"Days": 3}))
    assert expire(store, "bucket", found) == 0
    clock.now += 2 * DAY
    assert expire(store, "bucket", found) == 1
    assert keys(store) == ["kept", "logs/new"]


def test_a_rule_is_about_tags_and_sizes_too(store: S3Store, clock: StorageClock) -> None:
    put(store, "a", b"12345", attributes=Attributes(tags={"tmp": "1"}))
    put(store, "b", b"12345")
    put(store, "c", b"1", attributes=Attributes(tags={"tmp": "1"}))
    chosen = {"And": {"Prefix": "", "Tags": [{"Key": "tmp", "Value": "1"}], "ObjectSizeGreaterThan": 1}}
    clock.now += 5 * DAY
    expire(store, "bucket", rules(rule(Filter=chosen, Expiration={"Days": 1})))
    assert keys(store) == ["b", "c"]


def test_with_versioning_an_expired_object_gets_a_marker_once(store: S3Store, clock: StorageClock) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    found = rules(rule(Expiration={"Days": 1}))
    clock.now += 5 * DAY
    assert [expire(store, "bucket", found) for _ in range(2)] == [1, 0]
    assert versions(store) == [("key", True), ("key", False)]


def test_a_marker_that_is_left_alone_goes_once_it_has_the_age_of_the_rule(store: S3Store, clock: StorageClock) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    store.objects.delete("bucket", "key")
    found = rules(rule(Expiration={"Days": 20}, NoncurrentVersionExpiration={"NoncurrentDays": 1}))
    clock.now += 5 * DAY
    assert expire(store, "bucket", found) == 1
    assert versions(store) == [("key", True)]
    clock.now += 16 * DAY
    of_tags = rules(rule(Filter={"Tag": {"Key": "a", "Value": "1"}}, Expiration={"Days": 20}))
    assert expire(store, "bucket", of_tags) == 0
    assert expire(store, "bucket", found) == 1
    assert versions(store) == []


def test_what_was_removed_and_what_got_a_marker_is_reported_once_it_is_on_disk(
    store: S3Store, clock: StorageClock
) -> None:
    reported: list[tuple[str, bool, bool]] = []

    def report(removed: Sequence[ExpiredVersion]) -> None:
        there = keys(store)
        reported.extend((one.key, bool(one.marker), one.key in there) for one in removed)

    put(store, "gone", b"1")
    clock.now += 5 * DAY
    store.expire("bucket", rules(rule(Expiration={"Days": 1})), report)
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "hidden", b"1")
    clock.now += 5 * DAY
    store.expire("bucket", rules(rule(Expiration={"Days": 1})), report)
    assert reported == [("gone", False, False), ("hidden", True, False)]


def test_old_versions_expire_but_the_newest_of_them(store: S3Store, clock: StorageClock) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    for number in range(4):
        put(store, "key", b"%d" % number)
    found = rules(rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}))
    assert expire(store, "bucket", found) == 0
    clock.now += 5 * DAY
    assert expire(store, "bucket", found) == 1
    assert len(versions(store)) == 3


def test_a_marker_that_stands_alone_is_removed(store: S3Store, clock: StorageClock) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    put(store, "key", b"1")
    store.objects.delete("bucket", "key")
    clock.now += 5 * DAY
    found = rules(
        rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}, Expiration={"ExpiredObjectDeleteMarker": True})
    )
    assert expire(store, "bucket", found) == 2
    assert versions(store) == []


def test_open_uploads_are_aborted(store: S3Store, clock: StorageClock) -> None:
    upload = store.uploads.create("bucket", "a/key").upload_id
    send(store, upload, "a/key", 1, b"1")
    store.uploads.create("bucket", "b/key")
    clock.now += 9 * DAY
    found = rules(rule(Filter={"Prefix": "a/"}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}))
    assert expire(store, "bucket", found) == 1
    assert [one.key for one in store.lists.uploads("bucket").items] == ["b/key"]


def test_a_locked_version_does_not_expire(store: S3Store, clock: StorageClock) -> None:
    store.buckets.create("locked", ACCOUNT, REGION, object_lock=True)
    retention = Retention("COMPLIANCE", clock.now + 100 * DAY)
    put(store, "key", b"1", bucket="locked", attributes=Attributes(retention=retention))
    put(store, "key", b"2", bucket="locked")
    clock.now += 50 * DAY
    found = rules(rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}))
    assert expire(store, "locked", found) == 0
    clock.now += 51 * DAY
    assert expire(store, "locked", found) == 1


def test_a_bucket_of_more_keys_than_a_transaction_takes(store: S3Store, clock: StorageClock) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    for number in range(300):
        for _ in range(2):
            put(store, f"{number:03}", b"")
    for _ in range(600):
        put(store, "many", b"")
    clock.now += 5 * DAY
    assert expire(store, "bucket", rules(rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}))) == 300 + 599
    assert len(versions(store)) == 301


@pytest.mark.parametrize("status", ["Enabled", "Disabled"])
def test_the_earliest_enabled_rule_sets_the_time(status: str) -> None:
    configuration = {"Rules": [
        {"ID": "late", "Status": "Enabled", "Prefix": "a", "Expiration": {"Days": 30}},
        {"ID": "early", "Status": status, "Filter": {"Prefix": "a"}, "Expiration": {"Date": "1970-01-03T00:00:00Z"}},
    ]}  # fmt: skip
    found = rules(configuration)
    expected = (2 * DAY, "early") if status == "Enabled" else (31 * DAY, "late")
    assert expiration(found, "a/b", 1, {}, 1.0) == expected
    assert expiration(found, "b", 1, {}, 1.0) is None
    assert found[0].filter == Filter("a")
