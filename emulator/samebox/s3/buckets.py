"""Buckets and their settings."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from samebox.s3 import refusals
from samebox.s3.records import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from samebox.s3.bodies import Bodies
    from samebox.s3.index import Index, Row, Transaction
    from samebox.s3.records import Versioning

T = TypeVar("T")

_MOST_KNOWN = 1000
_COLUMNS = "id, name, account, region, created, versioning, object_lock"
_BY_NAME = f"SELECT {_COLUMNS} FROM buckets WHERE {{}} ORDER BY name"


@dataclass(frozen=True)
class BucketRow:
    """A bucket with the number that its rows have."""

    id: int
    name: str
    versioning: Versioning
    object_lock: bool


def row(t: Transaction, name: str) -> BucketRow:
    """The bucket of a name. Raises NoSuchBucket."""
    return row_of(t.one("SELECT id, name, versioning, object_lock FROM buckets WHERE name = ?", (name,)), name)


def row_of(found: Row | None, name: str) -> BucketRow:
    """The columns id, name, versioning and object_lock as a value. Raises NoSuchBucket where there are none."""
    if found is None:
        raise refusals.no_such_bucket(name)
    number, name, versioning, lock = found
    return BucketRow(number, name, versioning, bool(lock))


def every(t: Transaction) -> tuple[Bucket, ...]:
    """All buckets, by name."""
    return tuple(_bucket(found) for found in t.all(_BY_NAME.format("TRUE")))


class Buckets:
    """The buckets of all accounts; their names are one namespace. Names are the caller's to check."""

    def __init__(self, index: Index, bodies: Bodies, clock: Callable[[], float]) -> None:
        self._index = index
        self._bodies = bodies
        self._clock = clock
        # Each request looks at its bucket, and few change one: what was read last, until a bucket changes.
        self._known: dict[str, tuple[Bucket, dict[str, str]]] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def create(self, name: str, account: str, region: str, *, object_lock: bool = False) -> Bucket:
        """Make a bucket; with object lock it is versioned. Raises BucketAlreadyOwnedByYou, BucketAlreadyExists."""
        versioning: Versioning = "Enabled" if object_lock else ""
        bucket = Bucket(name, account, region, self._clock(), versioning, object_lock)

        def change(t: Transaction) -> Bucket:
            found = t.one("SELECT account FROM buckets WHERE name = ?", (name,))
            if found is not None:
                raise refusals.bucket_exists(name, own=found == (account,))
            values = (name, account, region, bucket.created, versioning, object_lock)
            t.run(f"INSERT INTO buckets VALUES (NULL, {', '.join('?' * len(values))})", values)
            return bucket

        return self._write(change)

    def get(self, name: str) -> Bucket:
        """One bucket. Raises NoSuchBucket."""
        return self._read(name)[0]

    def list(
        self, account: str | None = None, *, prefix: str = "", region: str | None = None, after: str = "",
        limit: int | None = None,
    ) -> tuple[Bucket, ...]:  # fmt: skip
        """Buckets by name: those of an account and a region, where they are given."""
        where, values = ["name > ?", "substr(name, 1, ?) = ?"], [after, len(prefix), prefix]  # type: list[str], list[object]
        for column, value in (("account", account), ("region", region)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        values.append(-1 if limit is None else limit)
        with self._index.read() as t:
            return tuple(_bucket(found) for found in t.all(f"{_BY_NAME.format(' AND '.join(where))} LIMIT ?", values))

    def delete(self, name: str) -> None:
        """Delete an empty bucket, with its open uploads. Raises NoSuchBucket, BucketNotEmpty."""

        def change(t: Transaction) -> None:
            bucket = row(t, name)
            if t.one("SELECT 1 FROM versions WHERE bucket = ? LIMIT 1", (bucket.id,)):
                raise refusals.bucket_not_empty(name, versioned=bool(bucket.versioning))
            parts = "FROM parts WHERE upload IN (SELECT id FROM uploads WHERE bucket = ?)"
            for (body,) in t.all(f"SELECT body {parts}", (bucket.id,)):
                self._bodies.release(t, body)
            t.run(f"DELETE {parts}", (bucket.id,))
            for table in ("uploads", "settings"):
                t.run(f"DELETE FROM {table} WHERE bucket = ?", (bucket.id,))
            t.run("DELETE FROM buckets WHERE id = ?", (bucket.id,))

        self._write(change)

    def set_versioning(self, name: str, versioning: Literal["Enabled", "Suspended"]) -> Bucket:
        """Enable or suspend versioning. Raises NoSuchBucket, InvalidBucketState."""

        def change(t: Transaction) -> None:
            bucket = row(t, name)
            if bucket.object_lock and versioning != "Enabled":
                raise refusals.versioning_is_locked()
            t.run("UPDATE buckets SET versioning = ? WHERE id = ?", (versioning, bucket.id))

        self._write(change)
        return self.get(name)

    def enable_object_lock(self, name: str) -> Bucket:
        """Let versions of an existing bucket be locked. Raises NoSuchBucket, InvalidBucketState without versioning."""

        def change(t: Transaction) -> None:
            bucket = row(t, name)
            if bucket.versioning != "Enabled":
                raise refusals.lock_needs_versioning()
            t.run("UPDATE buckets SET object_lock = 1 WHERE id = ?", (bucket.id,))

        self._write(change)
        return self.get(name)

    def setting(self, name: str, setting: str) -> str | None:
        """A setting as it was given, or None. Raises NoSuchBucket."""
        return self._read(name)[1].get(setting)

    def settings(self, name: str) -> dict[str, str]:
        """All settings of a bucket. Raises NoSuchBucket."""
        return dict(self._read(name)[1])

    def set_setting(self, name: str, setting: str, text: str) -> None:
        """Keep a setting: any text, by any name. Raises NoSuchBucket."""
        self._write(
            lambda t: t.run("INSERT OR REPLACE INTO settings VALUES (?, ?, ?)", (row(t, name).id, setting, text))
        )

    def remove_setting(self, name: str, setting: str) -> None:
        """Remove a setting; nothing happens if it is not there. Raises NoSuchBucket."""
        self._write(lambda t: t.run("DELETE FROM settings WHERE bucket = ? AND name = ?", (row(t, name).id, setting)))

    def _read(self, name: str) -> tuple[Bucket, dict[str, str]]:
        """A bucket and its settings. Raises NoSuchBucket."""
        known = self._known.get(name)
        if known is not None:
            return known
        changes = self._changes
        with self._index.read() as t:
            found = t.one(f"SELECT {_COLUMNS} FROM buckets WHERE name = ?", (name,))
            if found is None:
                raise refusals.no_such_bucket(name)
            known = _bucket(found), dict(t.all("SELECT name, text FROM settings WHERE bucket = ?", (found[0],)))
        with self._lock:
            # A change since may be one that was not seen.
            if changes == self._changes and len(self._known) < _MOST_KNOWN:
                self._known[name] = known
        return known

    def _write(self, change: Callable[[Transaction], T]) -> T:
        try:
            return self._index.write(change)
        finally:
            with self._lock:
                self._changes += 1
                self._known.clear()


def _bucket(found: tuple[object, ...]) -> Bucket:
    _, name, account, region, created, versioning, lock = found
    return Bucket(
        str(name), str(account), str(region), cast("float", created), cast("Versioning", versioning), bool(lock)
    )
