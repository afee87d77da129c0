"""Objects: put, read, delete, and change what is kept beside their bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.s3 import buckets, facts, locks, refusals, versions
from samebox.s3.conditions import ANY_STATE, NO_CONDITIONS, ReadConditions, WriteConditions
from samebox.s3.reading import OpenObject, object_parts, opened
from samebox.s3.records import Attributes, Checksums, Deletion, Expected, PartsPage, Version
from samebox.s3.versions import Content, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from samebox.s3.bodies import Bodies
    from samebox.s3.buckets import BucketRow
    from samebox.s3.files import Files
    from samebox.s3.index import Index, Transaction
    from samebox.s3.receiving import Received
    from samebox.s3.records import Retention

KEY_BYTES = 1024


def key_bytes(key: str) -> bytes:
    """A key as its row has it. Raises KeyTooLongError, InvalidArgument."""
    data = key.encode()
    if len(data) > KEY_BYTES:
        raise refusals.key_too_long(len(data), KEY_BYTES)
    if not data:
        raise refusals.empty_key()
    return data


class StoredObjects:
    """The objects of all buckets. Every call that names a bucket may raise NoSuchBucket."""

    def __init__(
        self, index: Index, files: Files, bodies: Bodies, changes: versions.Versions, clock: Callable[[], float]
    ) -> None:
        self._index = index
        self._files = files
        self._bodies = bodies
        self._versions = changes
        self._clock = clock

    def put(
        self,
        bucket: str,
        key: str,
        body: Received,
        attributes: Attributes | None = None,
        *,
        conditions: WriteConditions = NO_CONDITIONS,
        seen: Version | None = None,
        expected: Expected | None = None,
    ) -> Version:
        """Make the body the newest version of the key: on disk, whole, when this returns.

        `seen` is the object as it was before the body came: with conditions, its deletion meanwhile is a conflict.
        Raises BadDigest, IncompleteBody, PreconditionFailed, NoSuchKey (If-Match where there is no object),
        ConditionalRequestConflict,
        InvalidRequest (a lock in a bucket without object lock), InsufficientStorage.
        """
        name, attributes = key_bytes(key), attributes or Attributes()
        body.check(expected or Expected(), is_object=True)
        sums = body.checksums()
        etag, parts = body.etag, body.parts
        sealed = body.seal()

        def change(t: Transaction) -> Version:
            row, newest = versions.bucket_and_latest(t, bucket, name)
            current = versions.visible(newest)
            if seen is not None and current is None:
                raise refusals.conflicting_operation(conditions.header, key)
            conditions.check_write(current, key)
            now = self._clock()
            locks.check_lockable(row, attributes, now)
            t.afterwards.append(body.take)
            replaced = versions.replaced_by(t, row, name, newest)
            if replaced is not None and not self._bodies.replace(t, replaced.body, sealed):
                replaced = None
            number = self._bodies.insert(t, sealed) if replaced is None else replaced.body
            content = Content(
                number, sealed.size, etag, Checksums(sums, "FULL_OBJECT" if sums else ""),
                _keep_layout(t, number, parts), len(parts), replaced,
            )  # fmt: skip
            return self._versions.add(t, row, name, content, attributes, now, newest)

        return self._index.write(change)

    def head(
        self, bucket: str, key: str, version: str | None = None, *, conditions: ReadConditions = ANY_STATE
    ) -> Version:
        """What a version is. Raises NoSuchKey, NoSuchVersion, MethodNotAllowed, PreconditionFailed, NotModified."""
        with self._index.read() as t:
            found = versions.required(t, buckets.row(t, bucket), key_bytes(key), version)
        conditions.check(found.version)
        return found.version

    def current(self, bucket: str, key: str) -> Version | None:
        """The object that a GET would find, or None."""
        with self._index.read() as t:
            _, newest = versions.bucket_and_latest(t, bucket, key_bytes(key))
            return versions.visible(newest)

    def read_transaction(self) -> AbstractContextManager[Transaction]:
        """Queries of the index that all see the same state."""
        return self._index.read()

    def open(
        self, bucket: str, key: str, version: str | None = None, *, conditions: ReadConditions = ANY_STATE
    ) -> OpenObject:
        """Open a version for reading; close it. Raises what `head` raises."""

        def find(t: Transaction) -> Stored:
            found = versions.required(t, buckets.row(t, bucket), key_bytes(key), version)
            conditions.check(found.version)
            return found

        return opened(self._index, self._files, find)

    def parts(
        self, bucket: str, key: str, version: str | None = None, *, after: int = 0, limit: int = 1000
    ) -> PartsPage:
        """The parts that an object came in; none for one that came whole."""
        with self._index.read() as t:
            found = versions.required(t, buckets.row(t, bucket), key_bytes(key), version)
            if found.layout is None:
                return PartsPage(())
            parts = object_parts(t, found.layout, after, limit + 1)
        page, total = tuple(parts[:limit]), found.version.part_count
        return PartsPage(page, len(parts) > limit, page[-1].number if page else after, total)

    def delete(
        self,
        bucket: str,
        key: str,
        version: str | None = None,
        *,
        conditions: WriteConditions = NO_CONDITIONS,
        bypass_governance: bool = False,
    ) -> Deletion:
        """Delete an object, or make a delete marker, or remove the version that is named.

        Raises PreconditionFailed, NoSuchKey (a condition where there is no object), AccessDenied (a lock),
        InvalidArgument (what can be no version).
        """
        return self._index.write(
            lambda t: self._delete(t, buckets.row(t, bucket), key, version, conditions, bypass_governance)
        )

    def delete_many(
        self,
        bucket: str,
        items: Sequence[tuple[str, str | None, WriteConditions]],
        *,
        bypass_governance: bool = False,
    ) -> list[Deletion | AwsError]:
        """Delete (key, version, conditions) each, in one commit; what was refused stands as an error in its place."""

        def change(t: Transaction) -> list[Deletion | AwsError]:
            row = buckets.row(t, bucket)
            results: list[Deletion | AwsError] = []
            for key, version, conditions in items:
                try:
                    results.append(self._delete(t, row, key, version, conditions, bypass_governance))
                except AwsError as refused:  # raised before anything of this key was written
                    results.append(refused)
            return results

        return self._index.write(change)

    def set_tags(self, bucket: str, key: str, tags: Mapping[str, str], version: str | None = None) -> Version:
        """Give a version other tags. Raises what `head` raises."""
        return self._change(bucket, key, version, lambda _, found: replace(found.version.attributes, tags=dict(tags)))

    def set_acl(self, bucket: str, key: str, acl: str, version: str | None = None) -> Version:
        """Give a version another ACL. Raises what `head` raises."""
        return self._change(bucket, key, version, lambda _, found: replace(found.version.attributes, acl=acl))

    def set_retention(
        self,
        bucket: str,
        key: str,
        retention: Retention | None,
        version: str | None = None,
        *,
        bypass_governance: bool = False,
    ) -> Version:
        """Give a version another retention. Raises AccessDenied, InvalidRequest, InvalidArgument."""

        def changed(row: BucketRow, found: Stored) -> Attributes:
            if not row.object_lock:
                raise refusals.no_object_lock()
            locks.check_change(found.version.attributes.retention, retention, self._clock(), bypass_governance)
            return replace(found.version.attributes, retention=retention)

        return self._change(bucket, key, version, changed)

    def set_restored(self, bucket: str, key: str, until: float, version: str | None = None) -> Version:
        """Let an archived version be read until then, in epoch seconds. Raises what `head` raises."""
        return self._change(
            bucket, key, version, lambda _, found: replace(found.version.attributes, restored_until=until)
        )

    def set_legal_hold(self, bucket: str, key: str, hold: bool, version: str | None = None) -> Version:
        """Place or lift a legal hold. Raises InvalidRequest in a bucket without object lock."""

        def changed(row: BucketRow, found: Stored) -> Attributes:
            if not row.object_lock:
                raise refusals.no_object_lock()
            return replace(found.version.attributes, legal_hold=hold)

        return self._change(bucket, key, version, changed)

    def _change(
        self, bucket: str, key: str, version: str | None, changed: Callable[[BucketRow, Stored], Attributes]
    ) -> Version:
        def change(t: Transaction) -> Version:
            row = buckets.row(t, bucket)
            found = versions.required(t, row, key_bytes(key), version)
            return self._versions.change(t, found, changed(row, found))

        return self._index.write(change)

    def _delete(
        self,
        t: Transaction,
        row: BucketRow,
        key: str,
        version: str | None,
        conditions: WriteConditions,
        bypass_governance: bool,
    ) -> Deletion:
        name = key_bytes(key)
        if version is not None:
            found = versions.named(t, row, name, version)
            conditions.check_delete(found.version if found else None, key)
            if found is None:
                return Deletion(version)  # 204, as often as it is asked
            locks.check_removable(found.version.attributes, self._clock(), bypass_governance)
            self._versions.remove(t, found)
            return Deletion(version, found.version.is_delete_marker)
        newest = versions.latest(t, row, name)
        conditions.check_delete(versions.visible(newest), key)
        if row.versioning:
            marker = self._versions.add(t, row, name, Content(), Attributes(), self._clock(), newest, marker=True)
            return Deletion(marker.version, True)
        if newest is not None:
            self._versions.remove(t, newest)
        return Deletion()


def _keep_layout(t: Transaction, body: int | None, parts: Sequence[int]) -> int | None:
    """Note where the parts of a body are; gives the layout's number, None for one that came whole."""
    if body is None or not parts:
        return None
    layout, start, rows = -body, 0, []  # other layouts have the numbers of uploads
    for number, size in enumerate(parts, 1):
        rows.append((layout, number, start, size, facts.dumped_map({})))
        start += size
    t.run_many("INSERT INTO layouts VALUES (?, ?, ?, ?, ?)", rows)
    return layout
