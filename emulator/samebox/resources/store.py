"""The store: every resource as one row of SQLite, on disk before a request is answered."""

import functools
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from samebox.resources.migration import migrate
from samebox.resources.query import Column, Compare, Query, Scope
from samebox.resources.reserve import Reserve

# Waiting for another thread's write lock; far above any write we do, so reaching it means a bug or a dying disk.
BUSY_SECONDS = 30.0
# What SQLite raises when a write fails for want of space: FULL for ENOSPC, an IOERR for EDQUOT.
NO_SPACE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Resource:
    """One row; times are epoch seconds.

    `spec` is the request as accepted, `state` what became of it, in AWS's members, which Describe may show. `facts` is
    what we know beside (facts.py), as JSON; it is never shown.
    """

    kind: str
    account: str
    region: str
    name: str
    arn: str
    status: str
    created: float
    modified: float
    version: int
    spec: Mapping[str, Any]
    state: Mapping[str, Any]
    tags: Mapping[str, str]
    parent: str | None = None  # ARN of the resource that it is part of
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Relation:
    """What one resource is to another, such as the contribution of an artifact to an action; ends are ARNs."""

    source: str
    type: str
    target: str
    created: float
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ResourcePage:
    """Rows of a query, and the place of the last one, from where the next page goes on; None at the end."""

    rows: tuple[Resource, ...]
    after: tuple[object, str] | None


@dataclass(frozen=True)
class Announcement:
    """What waits in the outbox: a resource as it was after a change, or an event that a client put."""

    id: int
    change: Resource | None
    event: Mapping[str, Any]


class AlreadyThere(Exception):
    """A row with this kind, scope and name (or this ARN) exists. `arn` is the existing one's."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


class Changed(Exception):
    """The row was changed or deleted since it was read; read it again."""


class HasParts(Exception):
    """The row is the parent of others, or has relations."""


_COLUMNS = "kind, account, region, name, arn, status, created, modified, version, parent, spec, state, tags, facts"
_COUNT_BY_STATUS = "SELECT status, count(*) FROM resources WHERE kind = ? GROUP BY status"
_STATUSES = "SELECT name, status FROM resources WHERE kind = ? ORDER BY name_key"
_PARTS = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM resources WHERE parent = ?1) "
    "OR EXISTS (SELECT 1 FROM relations WHERE source = ?1 OR target = ?1)"
)
# A page of a hundred rows is four hundred documents: json.loads would look for blanks around each.
_parse = json.JSONDecoder().raw_decode
_RELATION = "source, type, target, created, data"


def _writes(method: Method) -> Method:
    """A method that writes: on a full disk it is tried once more, with the bytes that are set aside for that."""

    @functools.wraps(method)
    def write(self: "Store", *given: Any, **named: Any) -> Any:
        try:
            found = method(self, *given, **named)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in NO_SPACE or not self.reserve.spend():
                raise
            found = method(self, *given, **named)
        self.reserve.renew()
        return found

    return cast("Method", write)


class Store:
    """SQLite in WAL mode. Thread-safe; listeners are called for each change, once it is on disk."""

    def __init__(self, path: Path, reserve: Reserve | None = None) -> None:
        """Open the file, brought to the newest schema. `reserve` is for a full disk. Raises NewerSchema."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.reserve = reserve or Reserve()
        # Connections not in use right now. As many exist as calls were ever under way at once: a thread that ends
        # leaves none behind. A list's append and pop are atomic.
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._writing = threading.Lock()
        self._listeners: list[Callable[[Resource], None]] = []
        self._post_listeners: list[Callable[[], None]] = []
        migrate(path)
        with self._connection() as connection:
            # Kept in the file. Only here: while others write, asking for it again may find the file locked.
            connection.execute("PRAGMA journal_mode = WAL")

    def subscribe(self, listener: Callable[[Resource], None]) -> None:
        """Call `listener` with every row inserted, updated or deleted, after it is on disk, in the writer's thread."""
        self._listeners.append(listener)

    def on_post(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each event that was posted, in the poster's thread."""
        self._post_listeners.append(listener)

    @_writes
    def insert(self, row: Resource, name_key: str | None = None, *, under_parent: bool = False) -> Resource:
        """Write a new row. Raises AlreadyThere; with `under_parent`, Changed where its parent is not there."""
        key = name_key if name_key is not None else row.name
        values = (
            row.kind, row.account, row.region, row.name, row.arn, row.status, row.created, row.modified,
            row.version, row.parent, _dump(row.spec), _dump(row.state), _dump(row.tags),
            _dump(row.facts), key,
        )  # fmt: skip
        places = ", ".join("?" * len(values))
        with self._writer() as connection:
            if under_parent and not _has(connection, "SELECT 1 FROM resources WHERE arn = ?", row.parent):
                raise Changed(row.parent)
            try:
                with connection:
                    connection.execute(f"INSERT INTO resources ({_COLUMNS}, name_key) VALUES ({places})", values)
            except sqlite3.IntegrityError as error:
                raise AlreadyThere(row.arn) from error
        self._tell(row)
        return row

    def get(self, kind: str, scope: Scope, name_key: str) -> Resource | None:
        """The row of this kind and name, or None."""
        return self._one(
            "kind = ? AND account = ? AND region = ? AND name_key = ?", (kind, scope.account, scope.region, name_key)
        )

    def by_arn(self, arn: str) -> Resource | None:
        """The row with this ARN, whatever its kind, or None."""
        return self._one("arn = ?", (arn,))

    @_writes
    def update(self, row: Resource, *, modified: float, **changes: Any) -> Resource:
        """Replace name, spec, state, facts, tags or status of the row if it has `row`'s version. Raises Changed."""
        fresh = replace(row, modified=modified, version=row.version + 1, **changes)
        with self._writer() as connection, connection:
            cursor = connection.execute(
                "UPDATE resources SET name = ?, status = ?, modified = ?, version = ?, spec = ?, state = ?, tags = ?, "
                "facts = ? WHERE arn = ? AND created = ? AND version = ?",
                (
                    fresh.name, fresh.status, fresh.modified, fresh.version, _dump(fresh.spec), _dump(fresh.state),
                    _dump(fresh.tags), _dump(fresh.facts), row.arn, row.created, row.version,
                ),
            )  # fmt: skip
        if cursor.rowcount != 1:
            raise Changed(row.arn)
        self._tell(fresh)
        return fresh

    @_writes
    def delete(self, row: Resource, *, alone: bool = False) -> None:
        """Remove the row, with its relations, if it is still at the version that was read. Raises Changed.

        With `alone`, HasParts is raised where it is the parent of others or has relations.
        """
        with self._writer() as connection, connection:
            if alone and _has(connection, _PARTS, row.arn):
                raise HasParts(row.arn)
            cursor = connection.execute(
                "DELETE FROM resources WHERE arn = ? AND created = ? AND version = ?",
                (row.arn, row.created, row.version),
            )
            if cursor.rowcount == 1:
                connection.execute("DELETE FROM relations WHERE source = ? OR target = ?", (row.arn, row.arn))
        if cursor.rowcount != 1:
            raise Changed(row.arn)
        self._tell(row)

    def find(self, query: Query) -> list[Resource]:
        """The rows of a query, in order."""
        condition = query.sql()
        with self._connection() as connection:
            found = connection.execute(f"SELECT {_COLUMNS} FROM resources{condition.text}", condition.values)
            return [_row(raw) for raw in found]

    def page(self, query: Query, size: int) -> ResourcePage:
        """The first `size` rows of a query, and where the next page begins."""
        condition = replace(query, limit=size + 1).sql()  # one more row tells whether there is a next page
        value, tie = query.place()
        direction = "DESC" if query.descending else "ASC"
        # First which rows, which an index can tell, and then what is in them: rows are long.
        sql = (
            f"SELECT place, tie, {_COLUMNS} FROM resources "
            f"JOIN (SELECT rowid AS id, {value.text} AS place, {tie} AS tie FROM resources{condition.text}) "
            f"ON resources.rowid = id ORDER BY place {direction}, tie {direction}"
        )
        with self._connection() as connection:
            found = connection.execute(sql, (*value.values, *condition.values)).fetchall()
        after = (found[size - 1][0], str(found[size - 1][1])) if len(found) > size else None
        return ResourcePage(tuple(_row(raw[2:]) for raw in found[:size]), after)

    def children(self, parent: str, kinds: str | tuple[str, ...]) -> list[Resource]:
        """The resources of these kinds that are part of the one with this ARN; oldest first."""
        return self.find(Query(kinds, where=Compare(Column("parent"), "=", parent)))

    @_writes
    def relate(self, relation: Relation) -> None:
        """Write down a relation. Raises AlreadyThere; Changed where one of its ends is not there."""
        ends = {relation.source, relation.target}
        values = (relation.source, relation.type, relation.target, relation.created, _dump(relation.data))
        with self._writer() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")  # so that no end goes between this look and the commit
            for arn in ends:
                if connection.execute("SELECT 1 FROM resources WHERE arn = ?", (arn,)).fetchone() is None:
                    raise Changed(arn)
            try:
                connection.execute(f"INSERT INTO relations ({_RELATION}) VALUES (?, ?, ?, ?, ?)", values)
            except sqlite3.IntegrityError as error:
                raise AlreadyThere(relation.source) from error

    @_writes
    def unrelate(self, source: str, type: str, target: str) -> bool:  # noqa: A002
        """Remove a relation; whether there was one."""
        sql = "DELETE FROM relations WHERE source = ? AND type = ? AND target = ?"
        with self._writer() as connection, connection:
            return connection.execute(sql, (source, type, target)).rowcount == 1

    def related(
        self,
        source: str | None = None,
        type: str | None = None,  # noqa: A002
        target: str | None = None,
    ) -> list[Relation]:
        """The relations with this source, of this type, with this target; oldest first."""
        given = {"source": source, "type": type, "target": target}
        conditions = {column: value for column, value in given.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in conditions) or "1"
        sql = f"SELECT {_RELATION} FROM relations WHERE {where} ORDER BY created, source, target, type"
        with self._connection() as connection:
            found = connection.execute(sql, tuple(conditions.values()))
            return [_relation(raw) for raw in found]

    @_writes
    def post(self, event: Mapping[str, Any]) -> None:
        """Write an event into the outbox."""
        with self._writer() as connection, connection:
            connection.execute("INSERT INTO outbox (type, document) VALUES ('event', ?)", (_dump(event),))
        for listener in self._post_listeners:
            listener()

    def outbox(self, most: int) -> list[Announcement]:
        """What is to be announced, the oldest first, as often as it is not marked as announced."""
        sql = "SELECT id, type, document FROM outbox ORDER BY id LIMIT ?"
        with self._connection() as connection:
            return [_announcement(*raw) for raw in connection.execute(sql, (most,))]

    @_writes
    def announced(self, last: int) -> None:
        """Take what is in the outbox up to this id out of it."""
        with self._writer() as connection, connection:
            connection.execute("DELETE FROM outbox WHERE id <= ?", (last,))

    def count_by_status(self, kind: str) -> dict[str, int]:
        """How many resources of a kind have each status, of all accounts. Only the index is read."""
        with self._connection() as connection:
            return dict(connection.execute(_COUNT_BY_STATUS, (kind,)))

    def statuses(self, kind: str) -> dict[str, str]:
        """The status of each resource of a kind by its name, of all accounts. Only the index is read."""
        with self._connection() as connection:
            return dict(connection.execute(_STATUSES, (kind,)))

    def close(self) -> None:
        """Close the files, those of calls under way as soon as they return. Nothing may use the store afterwards."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _one(self, where: str, values: Sequence[object]) -> Resource | None:
        with self._connection() as connection:
            raw = connection.execute(f"SELECT {_COLUMNS} FROM resources WHERE {where}", values).fetchone()
        return _row(raw) if raw else None

    @contextmanager
    def _writer(self) -> Iterator[sqlite3.Connection]:
        # SQLite has one writer at a time; who waits here waits in turn, and not by trying again.
        with self._writing, self._connection() as connection:
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open()
        try:
            yield connection
        finally:
            self._idle.append(connection)
            if self._closed:
                self.close()

    def _open(self) -> sqlite3.Connection:
        # One thread at a time uses a connection, but not always the same one, hence check_same_thread.
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, check_same_thread=False)
        # FULL: the commit is on disk, not only in the page cache, when a request is answered.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _tell(self, row: Resource) -> None:
        for listener in self._listeners:
            listener(row)


def _has(connection: sqlite3.Connection, sql: str, value: str | None) -> bool:
    return connection.execute(sql, (value,)).fetchone() is not None


def _dump(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _row(raw: tuple[Any, ...]) -> Resource:
    spec, state, tags, facts = (_parse(text)[0] for text in raw[-4:])
    kind, account, region, name, arn, status, created, modified, version, parent = raw[:-4]
    return Resource(
        kind, account, region, name, arn, status, created, modified, version, spec, state, tags, parent, facts
    )


def _relation(raw: tuple[Any, ...]) -> Relation:
    source, type_, target, created, data = raw
    return Relation(source, type_, target, created, json.loads(data))


def _announcement(number: int, type_: str, document: str) -> Announcement:
    found = json.loads(document)
    return Announcement(number, Resource(**found), {}) if type_ == "change" else Announcement(number, None, found)
