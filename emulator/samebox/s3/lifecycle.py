"""Lifecycle: which rule of a bucket's configuration removes what, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAY = 24 * 3600.0


@dataclass(frozen=True)
class Filter:
    """The objects that a rule is about: by prefix, tags, and size (exclusive bounds)."""

    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    larger_than: int | None = None
    smaller_than: int | None = None

    def fits(self, key: str, size: int, tags: Mapping[str, str]) -> bool:
        """Is an object of this key, size and tags one of them?"""
        return (
            key.startswith(self.prefix)
            and self.tags.items() <= tags.items()
            and (self.larger_than is None or size > self.larger_than)
            and (self.smaller_than is None or size < self.smaller_than)
        )


@dataclass(frozen=True)
class LifecycleRule:
    """One enabled rule; ages are in days, `date` in seconds since 1970. What is None the rule does not do."""

    name: str
    filter: Filter = Filter()
    days: int | None = None
    date: float | None = None
    removes_lone_markers: bool = False
    noncurrent_days: int | None = None
    newer_noncurrent: int = 0
    abort_days: int | None = None

    def expires_at(self, modified: float) -> float | None:
        """When an object that was written at `modified` expires, or None."""
        if self.date is not None:
            return self.date
        return None if self.days is None else midnight_after(modified, self.days)


def midnight_after(moment: float, days: int) -> float:
    """S3 adds the days and rounds up to the next midnight UTC (S3 user guide, lifecycle rules)."""
    return math.ceil((moment + days * DAY) / DAY) * DAY


def rules(configuration: Mapping[str, Any]) -> tuple[LifecycleRule, ...]:
    """The enabled rules of a LifecycleConfiguration, as botocore's model shapes it.

    Dates are datetimes, ISO texts or seconds since 1970.
    """
    return tuple(_rule(one) for one in configuration.get("Rules", ()) if one.get("Status") == "Enabled")


def expiration(
    found: Iterable[LifecycleRule], key: str, size: int, tags: Mapping[str, str], modified: float
) -> tuple[float, str] | None:
    """When a current object expires and by which rule, for `x-amz-expiration`: the earliest wins."""
    dates = [
        (moment, rule.name)
        for rule in found
        if rule.filter.fits(key, size, tags) and (moment := rule.expires_at(modified)) is not None
    ]
    return min(dates, default=None)


def _rule(one: Mapping[str, Any]) -> LifecycleRule:
    expires = one.get("Expiration", {})
    noncurrent = one.get("NoncurrentVersionExpiration", {})
    return LifecycleRule(
        one.get("ID", ""),
        filter_of(one),
        expires.get("Days"),
        _moment(expires["Date"]) if "Date" in expires else None,
        bool(expires.get("ExpiredObjectDeleteMarker")),
        noncurrent.get("NoncurrentDays"),
        noncurrent.get("NewerNoncurrentVersions", 0),
        one.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    )


def filter_of(one: Mapping[str, Any]) -> Filter:
    """The objects that a rule of a configuration is about."""
    chosen = one.get("Filter", {})
    joint = {**chosen, **chosen.get("And", {})}
    tags = [*joint.get("Tags", ()), *([joint["Tag"]] if "Tag" in joint else [])]
    return Filter(
        joint.get("Prefix", one.get("Prefix", "")),
        {tag["Key"]: tag["Value"] for tag in tags},
        joint.get("ObjectSizeGreaterThan"),
        joint.get("ObjectSizeLessThan"),
    )


def _moment(date: datetime | str | float) -> float:
    if isinstance(date, float | int):
        return float(date)
    return (datetime.fromisoformat(date) if isinstance(date, str) else date).timestamp()
