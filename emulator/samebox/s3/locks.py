"""Object lock: what retention and legal holds forbid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.s3 import refusals

if TYPE_CHECKING:
    from samebox.s3.buckets import BucketRow
    from samebox.s3.records import Attributes, Retention


def check_removable(attributes: Attributes, now: float, bypass_governance: bool) -> None:
    """Raises AccessDenied for a version that must stay."""
    retention = attributes.retention
    if attributes.legal_hold:
        raise refusals.locked()
    if retention is None or retention.until <= now:
        return
    if retention.mode == "COMPLIANCE" or not bypass_governance:
        raise refusals.locked()


def check_lockable(bucket: BucketRow, attributes: Attributes, now: float) -> None:
    """Raises InvalidRequest for locks in a bucket without object lock, InvalidArgument for a date in the past."""
    if attributes.retention is None and not attributes.legal_hold:
        return
    if not bucket.object_lock:
        raise refusals.no_lock_of_new_objects()
    if attributes.retention is not None and attributes.retention.until <= now:
        raise refusals.retention_in_the_past(attributes.retention.until)


def check_change(before: Retention | None, after: Retention | None, now: float, bypass_governance: bool) -> None:
    """Raises AccessDenied where a retention would be weakened, InvalidArgument for a date in the past.

    Compliance mode is only ever prolonged. To shorten or remove governance mode takes the right to bypass it.
    """
    if after is not None and after.until <= now:
        raise refusals.retention_in_the_past(after.until)
    if before is None or before.until <= now:
        return
    prolonged = after is not None and after.until >= before.until
    if before.mode == "COMPLIANCE":
        if not prolonged or after is None or after.mode != "COMPLIANCE":
            raise refusals.locked()
    elif not prolonged and not bypass_governance:
        raise refusals.locked()
