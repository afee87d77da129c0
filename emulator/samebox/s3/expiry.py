"""What lifecycle rules remove is removed: a few hundred versions a transaction, so that no request waits for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.s3 import buckets
from samebox.s3.folding import after_all
from samebox.s3.lifecycle import DAY, midnight_after
from samebox.s3.locks import check_removable
from samebox.s3.records import Attributes
from samebox.s3.versions import COLUMNS, Content, Stored, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from samebox.s3.buckets import BucketRow
    from samebox.s3.index import Index, Transaction
    from samebox.s3.lifecycle import LifecycleRule
    from samebox.s3.records import Version
    from samebox.s3.uploads import Uploads
    from samebox.s3.versions import Versions

_BATCH = 500
_FROM = f"SELECT {COLUMNS} FROM versions WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key, age LIMIT ?"
_REST = f"SELECT {COLUMNS} FROM versions WHERE bucket = ? AND key = ? AND age > ? ORDER BY age"
_OLD_UPLOADS = "SELECT id, key, initiated FROM uploads WHERE bucket = ? AND completed IS NULL AND initiated < ?"


@dataclass(frozen=True)
class ExpiredVersion:
    """What a lifecycle rule did to a key: `version` was removed, or a delete marker, `marker`, put before it."""

    key: str
    version: str
    etag: str
    marker: str = ""


class Expiry:
    """Carries out lifecycle rules, by a clock."""

    def __init__(self, index: Index, changes: Versions, uploads: Uploads, clock: Callable[[], float]) -> None:
        self._index = index
        self._versions = changes
        self._uploads = uploads
        self._clock = clock

    def expire(
        self, bucket: str, rules: Sequence[LifecycleRule], removed: Callable[[Sequence[ExpiredVersion]], None]
    ) -> int:
        """Remove what has expired in a bucket now; gives how many versions and uploads. Raises NoSuchBucket."""
        count = 0
        for rule in rules:
            for batch in self._of_keys(bucket, rule):
                removed(batch)
                count += len(batch)
            count += self._of_uploads(bucket, rule)
        return count

    def _of_keys(self, bucket: str, rule: LifecycleRule) -> Iterator[list[ExpiredVersion]]:
        prefix = rule.filter.prefix.encode()
        position = prefix
        while True:

            def change(t: Transaction, position: bytes = position) -> tuple[list[ExpiredVersion], bytes | None]:
                row = buckets.row(t, bucket)
                found = [stored(row, raw) for raw in t.all(_FROM, (row.id, position, after_all(prefix), _BATCH))]
                keys = _by_key(found)
                last = b""
                if len(found) == _BATCH:  # the last key may have more versions
                    keys[-1] += [stored(row, raw) for raw in t.all(_REST, found[-1].row)]
                    last = found[-1].version.key.encode()
                removed = [gone for one in keys for gone in self._of_key(t, row, rule, one)]
                return removed, last + b"\0" if last else None

            batch, after = self._index.write(change)
            if batch:
                yield batch
            if after is None:
                return
            position = after

    def _of_key(self, t: Transaction, row: BucketRow, rule: LifecycleRule, found: list[Stored]) -> list[ExpiredVersion]:
        now = self._clock()
        removed: list[ExpiredVersion] = []
        for place, older in reversed(list(enumerate(found[1:]))):
            # A version is old from when the next one was written.
            since = found[place].version.modified
            if self._is_past(rule, older, place, since, now) and _is_free(older, now):
                self._versions.remove(t, older)
                found.remove(older)
                removed.append(_expired(older.version))
        newest = found[0].version
        expires = rule.expires_at(newest.modified)
        is_due = expires is not None and expires <= now
        if newest.is_delete_marker:
            # With an age it goes once it has that age (user guide, examples of lifecycle configurations, 7).
            if len(found) == 1 and (rule.removes_lone_markers or is_due) and rule.filter.fits(newest.key, 0, {}):
                self._versions.remove(t, found[0])
                removed.append(_expired(newest))
            return removed
        if not is_due or not _fits(rule, found[0]):
            return removed
        if row.versioning:
            marker = self._versions.add(
                t, row, newest.key.encode(), Content(), Attributes(), now, found[0], marker=True
            )
            return [*removed, replace(_expired(newest), marker=marker.version)]
        self._versions.remove(t, found[0])
        return [*removed, _expired(newest)]

    def _is_past(self, rule: LifecycleRule, older: Stored, place: int, since: float, now: float) -> bool:
        if rule.noncurrent_days is None or place < rule.newer_noncurrent or not _fits(rule, older):
            return False
        return midnight_after(since, rule.noncurrent_days) <= now

    def _of_uploads(self, bucket: str, rule: LifecycleRule) -> int:
        if rule.abort_days is None:
            return 0
        days, prefix = rule.abort_days, rule.filter.prefix.encode()

        def change(t: Transaction) -> int:
            row, now = buckets.row(t, bucket), self._clock()
            old = t.all(_OLD_UPLOADS, (row.id, now - days * DAY))
            due = [one for one, key, begun in old if key.startswith(prefix) and midnight_after(begun, days) <= now]
            for upload in due:
                self._uploads.remove(t, upload)
            return len(due)

        return self._index.write(change)


def _expired(version: Version) -> ExpiredVersion:
    return ExpiredVersion(version.key, version.version, version.etag)


def _by_key(found: Iterable[Stored]) -> list[list[Stored]]:
    keys: list[list[Stored]] = []
    for one in found:
        if keys and keys[-1][0].version.key == one.version.key:
            keys[-1].append(one)
        else:
            keys.append([one])
    return keys


def _fits(rule: LifecycleRule, one: Stored) -> bool:
    return rule.filter.fits(one.version.key, one.version.size, one.version.attributes.tags)


def _is_free(one: Stored, now: float) -> bool:
    try:
        check_removable(one.version.attributes, now, bypass_governance=False)
    except AwsError:
        return False
    return True
