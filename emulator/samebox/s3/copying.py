"""Copies within the storage: rows only. The bytes are shared, whatever becomes of the source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from samebox.s3 import buckets, checksums, locks, refusals, versions
from samebox.s3.conditions import ANY_STATE, NO_CONDITIONS, ReadConditions, WriteConditions
from samebox.s3.objects import StoredObjects, key_bytes
from samebox.s3.records import Attributes, Checksums, Source, Version
from samebox.s3.versions import Content, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.s3.bodies import Bodies
    from samebox.s3.index import Index, Transaction
    from samebox.s3.reading import OpenObject

# CopyObject's; what is larger is copied in parts.
LARGEST_SOURCE = 5 * 1024**3


class SourceChanged(Exception):
    """The source was deleted or replaced while its checksum was computed."""


def copied(source: Attributes) -> Attributes:
    """What a copy keeps of its source where the client says nothing: metadata and tags, no ACL and no locks."""
    return Attributes(source.headers, source.metadata, source.tags)


class Copies:
    """Copies and renames. Every call may raise NoSuchBucket."""

    def __init__(
        self,
        index: Index,
        objects: StoredObjects,
        bodies: Bodies,
        changes: versions.Versions,
        clock: Callable[[], float],
    ) -> None:
        self._index = index
        self._objects = objects
        self._bodies = bodies
        self._versions = changes
        self._clock = clock

    def copy(
        self,
        source: Source,
        bucket: str,
        key: str,
        *,
        attributes: Callable[[Attributes], Attributes] = copied,
        algorithm: str = "",
        conditions: WriteConditions = NO_CONDITIONS,
        source_conditions: ReadConditions = ANY_STATE,
    ) -> Version:
        """Copy an object; `attributes` makes the copy's of the source's.

        `algorithm` names the checksum that the copy has; without it those of the source stay. A source that came in
        parts is read once for its MD5, because the copy is whole. Raises NoSuchKey, NoSuchVersion, PreconditionFailed,
        InvalidRequest (too large; a delete marker).
        """
        name = key_bytes(key)
        while True:
            with open_source(self._objects, source, source_conditions) as reading:
                if reading.version.size > LARGEST_SOURCE:
                    raise refusals.source_too_large(LARGEST_SOURCE)
                etag, sums = _digests(reading, algorithm)
                found = reading.stored
            made = attributes(found.version.attributes)

            def change(t: Transaction, found: Stored = found, etag: str = etag, sums: Checksums = sums,
                       made: Attributes = made) -> Version:  # fmt: skip
                row = buckets.row(t, bucket)
                newest = versions.latest(t, row, name)
                conditions.check_write(versions.visible(newest), key)
                check_unchanged(t, found)
                now = self._clock()
                locks.check_lockable(row, made, now)
                content = Content(self._bodies.share(t, found.body), found.version.size, etag, sums)
                return self._versions.add(t, row, name, content, made, now, newest)

            try:
                return self._index.write(change)
            except SourceChanged:
                continue

    def rename(
        self,
        bucket: str,
        key: str,
        new_key: str,
        *,
        conditions: WriteConditions = NO_CONDITIONS,
        source_conditions: ReadConditions = ANY_STATE,
    ) -> Version:
        """Give an object another key, in one step. Raises InvalidRequest in a bucket with versioning."""
        old, new = key_bytes(key), key_bytes(new_key)

        def change(t: Transaction) -> Version:
            row = buckets.row(t, bucket)
            if row.versioning:
                raise refusals.no_rename_of_versions()
            found = versions.required(t, row, old, None)
            source_conditions.check(found.version, "x-amz-rename-source-")
            newest = versions.latest(t, row, new)
            conditions.check_write(versions.visible(newest), new_key)
            if old == new:
                return found.version
            version = found.version
            content = Content(
                self._bodies.share(t, found.body), version.size, version.etag, version.checksums, found.layout,
                version.part_count,
            )  # fmt: skip
            renamed = self._versions.add(t, row, new, content, version.attributes, version.modified, newest)
            self._versions.remove(t, replace(found, layout=None))  # its layout is the new key's now
            return renamed

        return self._index.write(change)


def open_source(objects: StoredObjects, source: Source, conditions: ReadConditions) -> OpenObject:
    """Open what is to be copied. Raises what `head` raises, in the words for a source."""
    with objects.read_transaction() as t:
        row = buckets.row(t, source.bucket)
        named = versions.named(t, row, key_bytes(source.key), source.version) if source.version is not None else None
    if named is not None and named.version.is_delete_marker:
        raise refusals.source_is_delete_marker()
    reading = objects.open(source.bucket, source.key, source.version)
    try:
        conditions.check(reading.version, "x-amz-copy-source-")
    except BaseException:
        reading.close()
        raise
    return reading


def check_unchanged(t: Transaction, found: Stored) -> None:
    """Raises SourceChanged where a version is no longer what it was when it was read."""
    if not t.one(
        "SELECT 1 FROM versions WHERE bucket = ? AND key = ? AND age = ? AND body IS ?", (*found.row, found.body)
    ):
        raise SourceChanged


def _digests(reading: OpenObject, algorithm: str) -> tuple[str, Checksums]:
    version = reading.version
    whole = version.checksums if version.checksums.kind != "COMPOSITE" else Checksums()
    kept = not algorithm or list(whole.values) == [algorithm]
    if not version.part_count and kept:
        return version.etag, whole
    wanted = (algorithm,) if algorithm else (*whole.values,)
    digest = checksums.md5()
    sums = {name: checksums.running(name) for name in wanted or (checksums.DEFAULT,)}
    for chunk in reading.chunks():
        for one in (digest, *sums.values()):
            one.update(chunk)
    values = {name: checksums.encoded(one.digest()) for name, one in sums.items()}
    return digest.digest().hex(), Checksums(values, "FULL_OBJECT")
