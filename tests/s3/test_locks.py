"""Object lock: what retention and legal holds keep, and who may change them."""

import pytest

from samebox.errors import AwsError
from samebox.s3.records import Attributes, Retention
from samebox.s3.store import S3Store
from tests.s3.harness import ACCOUNT, REGION, StorageClock, put

DAY = 24 * 3600


@pytest.fixture
def locking(store: S3Store) -> S3Store:
    store.buckets.create("locked", ACCOUNT, REGION, object_lock=True)
    return store


def kept(store: S3Store, retention: Retention | None = None, *, hold: bool = False) -> str:
    attributes = Attributes(retention=retention, legal_hold=hold)
    return put(store, "key", b"1", bucket="locked", attributes=attributes).version


@pytest.mark.parametrize(("mode", "bypass", "stays"), [
    ("GOVERNANCE", False, True), ("GOVERNANCE", True, False), ("COMPLIANCE", True, True)
])  # fmt: skip
def test_a_retained_version_stays_until_its_date(
    locking: S3Store, clock: StorageClock, mode: str, bypass: bool, stays: bool
) -> None:
    version = kept(locking, Retention(mode, clock.now + DAY))  # type: ignore[arg-type]
    assert locking.objects.delete("locked", "key").is_delete_marker  # which removes nothing
    if stays:
        with pytest.raises(AwsError, match="object protected by object lock") as refused:
            locking.objects.delete("locked", "key", version, bypass_governance=bypass)
        assert refused.value.status == 403
        clock.now += DAY + 1
    locking.objects.delete("locked", "key", version, bypass_governance=bypass)
    assert [one.is_delete_marker for one in locking.lists.versions("locked").items] == [True]


def test_a_legal_hold_keeps_a_version_until_it_is_lifted(locking: S3Store, clock: StorageClock) -> None:
    version = kept(locking, hold=True)
    clock.now += 1000 * DAY
    with pytest.raises(AwsError, match="AccessDenied"):
        locking.objects.delete("locked", "key", version, bypass_governance=True)
    locking.objects.set_legal_hold("locked", "key", False, version)
    locking.objects.delete("locked", "key", version)


def test_compliance_is_only_ever_prolonged(locking: S3Store, clock: StorageClock) -> None:
    kept(locking, Retention("COMPLIANCE", clock.now + DAY))
    weaker = [Retention("COMPLIANCE", clock.now + 1), Retention("GOVERNANCE", clock.now + 2 * DAY), None]
    for retention in weaker:
        with pytest.raises(AwsError, match="AccessDenied"):
            locking.objects.set_retention("locked", "key", retention, bypass_governance=True)
    longer = Retention("COMPLIANCE", clock.now + 2 * DAY)
    assert locking.objects.set_retention("locked", "key", longer).attributes.retention == longer


def test_governance_is_shortened_by_who_may_bypass_it(locking: S3Store, clock: StorageClock) -> None:
    kept(locking, Retention("GOVERNANCE", clock.now + DAY))
    with pytest.raises(AwsError, match="AccessDenied"):
        locking.objects.set_retention("locked", "key", None)
    assert locking.objects.set_retention("locked", "key", None, bypass_governance=True).attributes.retention is None


def test_a_date_in_the_past_and_a_bucket_without_locks_are_refused(locking: S3Store, clock: StorageClock) -> None:
    with pytest.raises(AwsError, match="must be in the future"):
        kept(locking, Retention("GOVERNANCE", clock.now - 1))
    with pytest.raises(AwsError, match="Bucket is missing ObjectLockConfiguration"):
        put(locking, "key", b"1", attributes=Attributes(legal_hold=True))
    put(locking, "key", b"1")
    with pytest.raises(AwsError, match="Bucket is missing Object Lock Configuration"):
        locking.objects.set_legal_hold("bucket", "key", True)
    with pytest.raises(AwsError, match="InvalidBucketState"):
        locking.buckets.set_versioning("locked", "Suspended")
    with pytest.raises(AwsError, match="InvalidBucketState"):
        locking.buckets.enable_object_lock("bucket")
