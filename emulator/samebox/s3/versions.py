"""The versions of a key: the newest is what a read finds. Here they are found, added and removed, in a transaction."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from samebox.s3 import buckets, facts, refusals
from samebox.s3.records import NULL_VERSION, Attributes, Checksums, Version

if TYPE_CHECKING:
    from samebox.s3.bodies import Bodies
    from samebox.s3.buckets import BucketRow
    from samebox.s3.index import Row, Transaction

COLUMNS = (
    "key, age, version, latest, marker, modified, size, etag, class, checksums, checksum_type, body, layout, parts, "
    "facts"
)
_SELECT = f"SELECT {COLUMNS} FROM versions WHERE bucket = ? AND key = ?"
_LATEST = f"{_SELECT} ORDER BY age LIMIT 1"
# In one statement with the bucket: each write of an object asks for both.
_BUCKET_AND_LATEST = (
    f"SELECT id, name, buckets.versioning, object_lock, {', '.join(f'versions.{one}' for one in COLUMNS.split(', '))} "
    "FROM buckets LEFT JOIN versions ON bucket = id AND key = ? WHERE name = ? ORDER BY age LIMIT 1"
)
_BY_AGE = f"{_SELECT} AND age = ?"
_OLD_NULL = f"{_SELECT} AND version = 'null' AND latest = 0"
_INSERT = "INSERT INTO versions VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PROMOTE = (
    "UPDATE versions SET latest = 1 WHERE bucket = ? AND key = ? "
    "AND age = (SELECT min(age) FROM versions WHERE bucket = ? AND key = ?)"
)
_ROW = "bucket = ? AND key = ? AND age = ?"
_AGE_BYTES = 8
_VERSION_BYTES = 24


@dataclass(frozen=True)
class Stored:
    """A version, and where it is: its row, its body, and the parts that it came in."""

    bucket: int
    age: int
    body: int | None
    layout: int | None
    version: Version

    @property
    def row(self) -> tuple[int, bytes, int]:
        """The primary key."""
        return self.bucket, self.version.key.encode(), self.age


@dataclass(frozen=True)
class Content:
    """What a new version consists of; nothing for a delete marker."""

    body: int | None = None
    size: int = 0
    etag: str = ""
    checksums: Checksums = field(default_factory=Checksums)
    layout: int | None = None
    part_count: int = 0
    in_place_of: Stored | None = None  # the version that it replaces, whose body's row has its body


def stored(bucket: BucketRow, raw: Row) -> Stored:
    """A row as a value."""
    key, age, name, latest, marker, modified, size, etag, kind, sums, sums_type, body, layout, parts, text = raw
    version = Version(
        bucket.name,
        key.decode(),
        name,
        modified,
        size,
        etag,
        bool(latest),
        bool(marker),
        facts.loaded(text, kind),
        Checksums(facts.loaded_map(sums), sums_type),
        parts,
    )
    return Stored(bucket.id, age, body, layout, version)


def latest(t: Transaction, bucket: BucketRow, key: bytes) -> Stored | None:
    """The newest version of a key, which may be a delete marker."""
    raw = t.one(_LATEST, (bucket.id, key))
    return stored(bucket, raw) if raw else None


def bucket_and_latest(t: Transaction, bucket: str, key: bytes) -> tuple[BucketRow, Stored | None]:
    """A bucket by its name, and the newest version of a key in it. Raises NoSuchBucket."""
    raw = t.one(_BUCKET_AND_LATEST, (key, bucket))
    row = buckets.row_of(raw[:4] if raw else None, bucket)
    return row, stored(row, raw[4:]) if raw and raw[4] is not None else None


def visible(found: Stored | None) -> Version | None:
    """The object that a GET without a version finds."""
    return None if found is None or found.version.is_delete_marker else found.version


def named(t: Transaction, bucket: BucketRow, key: bytes, version: str) -> Stored | None:
    """A version by its id. Raises InvalidArgument for what can be none."""
    if version == NULL_VERSION:
        return _null_version(t, bucket, key, latest(t, bucket, key))
    raw = t.one(_BY_AGE, (bucket.id, key, _age(version)))
    return stored(bucket, raw) if raw and raw[2] == version else None


def _null_version(t: Transaction, bucket: BucketRow, key: bytes, newest: Stored | None) -> Stored | None:
    if newest is None or newest.version.version == NULL_VERSION:
        return newest
    raw = t.one(_OLD_NULL, (bucket.id, key))
    return stored(bucket, raw) if raw else None


def replaced_by(t: Transaction, bucket: BucketRow, key: bytes, newest: Stored | None) -> Stored | None:
    """The version that a write of the key replaces, after `newest`: none in a bucket with versioning."""
    return None if bucket.versioning == "Enabled" else _null_version(t, bucket, key, newest)


def required(t: Transaction, bucket: BucketRow, key: bytes, version: str | None) -> Stored:
    """What a read finds. Raises NoSuchKey, NoSuchVersion, and MethodNotAllowed for a delete marker by its version."""
    text = key.decode()
    if version is None:
        found = latest(t, bucket, key)
        if found is None:
            raise refusals.no_such_key(text)
        if found.version.is_delete_marker:
            raise refusals.is_deleted(text, found.version.version)
        return found
    found = named(t, bucket, key, version)
    if found is None:
        raise refusals.no_such_version(text, version)
    if found.version.is_delete_marker:
        raise refusals.delete_marker_named(version, found.version.modified)
    return found


class Versions:
    """Adds and removes versions, as the versioning of their bucket wants it."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies

    def add(
        self,
        t: Transaction,
        bucket: BucketRow,
        key: bytes,
        content: Content,
        attributes: Attributes,
        modified: float,
        newest: Stored | None,
        *,
        marker: bool = False,
    ) -> Version:
        """Make a version the newest of its key, in place of `newest`; without versioning the 'null' version goes."""
        age = -int(modified * 1_000_000_000)
        if newest is not None:
            age = min(age, newest.age - 1)  # newer than that, even if the clock was set back
        if bucket.versioning == "Enabled":
            name = _name(age)
        else:
            name = NULL_VERSION
            replaced = content.in_place_of or replaced_by(t, bucket, key, newest)
            if replaced is not None:
                self._delete(t, replaced, has_body=content.in_place_of is None)
                newest = None if replaced == newest else newest
        if newest is not None:
            t.run(f"UPDATE versions SET latest = 0 WHERE {_ROW}", newest.row)
        sums = content.checksums
        t.run(
            _INSERT,
            (
                bucket.id, key, age, name, marker, modified, content.size, content.etag, attributes.storage_class,
                facts.dumped_map(sums.values), sums.kind, content.body, content.layout, content.part_count,
                facts.dumped(attributes),
            ),
        )  # fmt: skip
        return Version(
            bucket.name, key.decode(), name, modified, content.size, content.etag, True, marker, attributes, sums,
            content.part_count,
        )  # fmt: skip

    def remove(self, t: Transaction, found: Stored) -> None:
        """Remove a version for good; the next one becomes the newest."""
        self._delete(t, found)
        if found.version.is_latest:
            bucket, key, _ = found.row
            t.run(_PROMOTE, (bucket, key, bucket, key))

    def change(self, t: Transaction, found: Stored, attributes: Attributes) -> Version:
        """Give a version other attributes."""
        t.run(
            f"UPDATE versions SET facts = ?, class = ? WHERE {_ROW}",
            (facts.dumped(attributes), attributes.storage_class, *found.row),
        )
        return replace(found.version, attributes=attributes)

    def _delete(self, t: Transaction, found: Stored, *, has_body: bool = True) -> None:
        t.run(f"DELETE FROM versions WHERE {_ROW}", found.row)
        if has_body:
            self._bodies.release(t, found.body)
        if found.layout is not None:
            t.run("DELETE FROM layouts WHERE layout = ?", (found.layout,))


def _name(age: int) -> str:
    # It leads to its row, and cannot be guessed from another one.
    random = secrets.token_bytes(_VERSION_BYTES - _AGE_BYTES)
    return base64.urlsafe_b64encode((-age).to_bytes(_AGE_BYTES, "big") + random).decode()


def _age(version: str) -> int:
    try:
        data = base64.b64decode(version, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != _VERSION_BYTES:
        raise refusals.invalid_version(version)
    return -int.from_bytes(data[:_AGE_BYTES], "big", signed=True)
