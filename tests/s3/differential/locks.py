"""Object lock: retention, legal hold and their configuration."""

from datetime import UTC, datetime
from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

UNTIL = datetime(2099, 1, 1, tzinfo=UTC)
RULE = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}


def locked(s3: S3Calls) -> str:
    """A bucket with object lock."""
    name = f"{s3.bucket}-l"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@behaviour
def a_bucket_with_object_lock_is_versioned(s3: S3Calls) -> Any:
    name = locked(s3)
    return [s3.get_bucket_versioning(Bucket=name), s3.get_object_lock_configuration(Bucket=name)]


@behaviour
def its_versioning_cannot_be_suspended(s3: S3Calls) -> Any:
    name = locked(s3)
    return s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"}).verdict


@behaviour
def a_default_retention_is_shown(s3: S3Calls) -> Any:
    name = locked(s3)
    put = s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=RULE)
    return [put, s3.get_object_lock_configuration(Bucket=name)]


@behaviour
def a_default_retention_is_that_of_new_objects(s3: S3Calls) -> Any:
    name = locked(s3)
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=RULE)
    s3.put_object(Bucket=name, Key="k", Body=b"1")
    return s3.head_object(Bucket=name, Key="k").pick("ObjectLockMode")


@each(
    {
        "days and years": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1},
        "no length": {"Mode": "GOVERNANCE"},
        "no mode": {"Days": 1},
        "an unknown mode": {"Mode": "STRICT", "Days": 1},
    }
)
def a_default_retention_that_cannot_be(s3: S3Calls, default: Any) -> Any:
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}}
    return s3.put_object_lock_configuration(Bucket=locked(s3), ObjectLockConfiguration=configuration).verdict


@behaviour
def a_retention_is_shown(s3: S3Calls) -> Any:
    name = locked(s3)
    s3.put_object(Bucket=name, Key="k", Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=UNTIL)
    return [s3.get_object_retention(Bucket=name, Key="k"), s3.head_object(Bucket=name, Key="k").pick("ObjectLockMode")]


@behaviour
def a_retention_is_put_later(s3: S3Calls) -> Any:
    name = locked(s3)
    s3.put_object(Bucket=name, Key="k", Body=b"1")
    s3.put_object_retention(Bucket=name, Key="k", Retention={"Mode": "COMPLIANCE", "RetainUntilDate": UNTIL})
    return s3.get_object_retention(Bucket=name, Key="k")


@behaviour
def a_retention_keeps_a_version(s3: S3Calls) -> Any:
    name = locked(s3)
    lock: Any = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL}
    version = s3.put_object(Bucket=name, Key="k", Body=b"1", **lock)["VersionId"]
    refused = s3.delete_object(Bucket=name, Key="k", VersionId=version).verdict
    removed = s3.delete_object(Bucket=name, Key="k", VersionId=version, BypassGovernanceRetention=True).status
    return [refused, removed]


@behaviour
def a_retained_object_gets_a_marker(s3: S3Calls) -> Any:
    name = locked(s3)
    s3.put_object(Bucket=name, Key="k", Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=UNTIL)
    return s3.delete_object(Bucket=name, Key="k").pick("DeleteMarker")


@behaviour
def compliance_is_not_bypassed(s3: S3Calls) -> Any:
    name = locked(s3)
    lock: Any = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": UNTIL}
    version = s3.put_object(Bucket=name, Key="k", Body=b"1", **lock)["VersionId"]
    return s3.delete_object(Bucket=name, Key="k", VersionId=version, BypassGovernanceRetention=True).verdict


@behaviour
def an_object_without_retention(s3: S3Calls) -> Any:
    name = locked(s3)
    s3.put_object(Bucket=name, Key="k", Body=b"1")
    return s3.get_object_retention(Bucket=name, Key="k").pick("Code", "Message")


@each(["ON", "OFF"])
def a_legal_hold(s3: S3Calls, status: str) -> Any:
    name = locked(s3)
    s3.put_object(Bucket=name, Key="k", Body=b"1")
    s3.put_object_legal_hold(Bucket=name, Key="k", LegalHold={"Status": status})
    return s3.get_object_legal_hold(Bucket=name, Key="k").pick("LegalHold")


@behaviour
def a_legal_hold_keeps_a_version(s3: S3Calls) -> Any:
    name = locked(s3)
    version = s3.put_object(Bucket=name, Key="k", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    refused = s3.delete_object(Bucket=name, Key="k", VersionId=version).verdict
    s3.put_object_legal_hold(Bucket=name, Key="k", LegalHold={"Status": "OFF"})
    return [refused, s3.delete_object(Bucket=name, Key="k", VersionId=version).status]


@behaviour
def a_legal_hold_in_a_bucket_without_object_lock(s3: S3Calls) -> Any:
    s3.put("k")
    return [
        s3.put_object_legal_hold(Key="k", LegalHold={"Status": "ON"}).pick("Code", "Message"),
        s3.get_object_legal_hold(Key="k").pick("Code", "Message"),
    ]


@behaviour
def a_retention_in_a_bucket_without_object_lock(s3: S3Calls) -> Any:
    s3.put("k")
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": UNTIL}
    return [s3.put_object_retention(Key="k", Retention=retention).verdict, s3.get_object_retention(Key="k").verdict]


@behaviour
def a_put_with_retention_into_a_bucket_without_object_lock(s3: S3Calls) -> Any:
    lock: Any = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL}
    return s3.put_object(Key="k", Body=b"1", **lock).pick("Code", "Message")


@behaviour
def a_retention_in_the_past(s3: S3Calls) -> Any:
    name = locked(s3)
    lock: Any = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime(2020, 1, 1, tzinfo=UTC)}
    return s3.put_object(Bucket=name, Key="k", Body=b"1", **lock).verdict


@behaviour
def a_mode_without_a_date(s3: S3Calls) -> Any:
    return s3.put_object(Bucket=locked(s3), Key="k", Body=b"1", ObjectLockMode="GOVERNANCE").verdict


@behaviour
def object_lock_needs_versions(s3: S3Calls) -> Any:
    return s3.put_object_lock_configuration(ObjectLockConfiguration=RULE).verdict


@behaviour
def object_lock_is_turned_on_in_a_versioned_bucket(s3: S3Calls) -> Any:
    s3.versioned()
    put = s3.put_object_lock_configuration(ObjectLockConfiguration=RULE).verdict
    return [put, s3.get_object_lock_configuration().pick("ObjectLockConfiguration")]


@behaviour
def a_retention_may_be_shortened_only_by_bypass(s3: S3Calls) -> Any:
    name = locked(s3)
    s3.put_object(Bucket=name, Key="k", Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=UNTIL)
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime(2098, 1, 1, tzinfo=UTC)}
    return [
        s3.put_object_retention(Bucket=name, Key="k", Retention=shorter).verdict,
        s3.put_object_retention(Bucket=name, Key="k", Retention=shorter, BypassGovernanceRetention=True).verdict,
    ]
