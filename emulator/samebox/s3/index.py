"""The index: every row of the storage, in one SQLite file. The only door to sqlite3 of this room.

Threads that write at once share one commit, and with it one sync of the disk: the thread whose turn it is carries out
all waiting changes, each of them whole or not at all.
"""

from __future__ import annotations

import errno
import sqlite3
import threading
from contextlib import contextmanager, suppress
from importlib import resources as package_files
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from samebox.s3 import refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")
Row = tuple[Any, ...]
Values: TypeAlias = "Sequence[object] | Mapping[str, object]"

SCHEMA_VERSION = 1
# Waiting for the write lock of another process, which only a program that is not a part of samebox could hold.
BUSY_SECONDS = 30.0
_PAGE_BYTES = 8192
# Larger than SQLite's 1,000 pages: a checkpoint is a sync of its own, in the middle of a put.
_CHECKPOINT_PAGES = 2000
_LOG_BYTES = 64 * 1024 * 1024
_FREED_PAGES = 16 * 1024
_CACHE_KIB = 32 * 1024
# What SQLite says when a write fails for want of space: FULL for ENOSPC, an IOERR for EDQUOT.
_NO_SPACE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


class Transaction:
    """The statements of one change, and what is to be done once it is on disk."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.afterwards: list[Callable[[], None]] = []

    def run(self, statement: str, values: Values = ()) -> int:
        """Execute a statement; gives the number of rows that it changed."""
        return self._connection.execute(statement, values).rowcount

    def run_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement for each of the rows."""
        self._connection.executemany(statement, rows)

    def one(self, statement: str, values: Values = ()) -> Row | None:
        """The first row of a query, or None."""
        row: Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def all(self, statement: str, values: Values = ()) -> list[Row]:
        """All rows of a query."""
        return self._connection.execute(statement, values).fetchall()

    def rows(self, statement: str, values: Values = ()) -> Iterator[Row]:
        """The rows of a query as they are read."""
        return self._connection.execute(statement, values)


class _Ticket(Generic[T]):
    # A change that waits for its turn, and then what became of it.
    def __init__(self, change: Callable[[Transaction], T]) -> None:
        self._change = change
        self._result: T | None = None
        self._error: BaseException | None = None
        self.afterwards: list[Callable[[], None]] = []
        self.is_done = False
        # Held until the change is carried out, or its thread is to carry out what waits.
        self._called = threading.Lock()
        self._called.acquire()

    def wait(self) -> None:
        self._called.acquire()

    def call(self) -> None:
        self._called.release()

    def carry_out(self, connection: sqlite3.Connection) -> None:
        transaction = Transaction(connection)
        self.afterwards = transaction.afterwards
        self._error = None
        try:
            self._result = self._change(transaction)
        except sqlite3.Error:
            raise
        except BaseException as error:
            self._error, self.afterwards = error, []
            raise

    def fail(self, error: BaseException) -> None:
        self._error, self.afterwards = error, []

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # set when there is no error


def _outcome(work: Callable[[], T]) -> T | BaseException:
    try:
        return work()
    except Exception as error:
        return error


class Index:
    """SQLite in WAL mode with synchronous=FULL. Thread-safe."""

    def __init__(self, path: Path, *, read_only: bool = False, step: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._step = step
        self._read_only = read_only
        self._closed = False
        # Connections that no thread uses right now; a list's append and pop are atomic.
        self._idle: list[sqlite3.Connection] = []
        self._order = threading.Lock()  # of the two below
        self._waiting: list[_Ticket[Any]] = []
        self._busy = False  # a thread has the turn
        self._joint = threading.local()  # the transaction of `together`, in the thread that carries it out
        if read_only:
            self._check_version()
            return
        self._writer = self._open()
        self._writer.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        self._writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        self._writer.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION):
            raise ValueError(f"{path} was written by another version of samebox (schema {version}).")
        if not version:
            schema = package_files.files(__package__).joinpath("schema.sql").read_text()
            self._writer.executescript(f"BEGIN;\n{schema}\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;")
        # What deleted values left free goes back to the disk, a bounded part of it at each start.
        # A script, because the statement frees one page a step, and `execute` makes one step.
        self._writer.executescript(f"PRAGMA incremental_vacuum({_FREED_PAGES})")

    def write(self, change: Callable[[Transaction], T]) -> T:
        """Carry out a change, whole and on disk, and what it wants done afterwards; gives what it returns.

        `change` may run more than once before it is committed, so it does nothing but read and write rows. Raises what
        it raises (then nothing of it is written), and InsufficientStorage when the disk is full.
        """
        joint: Transaction | None = getattr(self._joint, "transaction", None)
        if joint is not None:
            return change(joint)
        ticket = _Ticket(change)
        with self._order:
            self._waiting.append(ticket)
            has_turn = not self._busy
            self._busy = True
        if not has_turn:
            ticket.wait()
        # Another thread may have carried it out meanwhile, together with its own; or else the turn is ours now.
        if not ticket.is_done:
            self._take_turn(ticket)
        for effect in ticket.afterwards:
            effect()
        return ticket.result()

    def together(self, works: Sequence[Callable[[], T]]) -> list[T | BaseException]:
        """What each of `works` returns or raises; all that they write by `write` is one commit, on disk afterwards.

        A work may run more than once, as a change may.
        """

        def change(t: Transaction) -> list[T | BaseException]:
            self._joint.transaction = t
            try:
                return [self._joined(work) for work in works]
            finally:
                del self._joint.transaction

        if len(works) > 1:
            with suppress(Exception):
                return self.write(change)
        return [_outcome(work) for work in works]

    def _joined(self, work: Callable[[], T]) -> T | BaseException:
        before = self._writer.total_changes
        try:
            return work()
        except sqlite3.Error:
            raise
        except Exception as error:
            if self._writer.total_changes != before:
                raise  # half of it is written: all is undone, and each work tried alone
            return error

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Queries that all see the same state."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open()
        try:
            connection.execute("BEGIN")
            yield Transaction(connection)
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")
            self._idle.append(connection)
            if self._closed:
                self._close_idle()

    def close(self) -> None:
        """Close the files; those of reads under way as soon as they end. Nothing may use the index afterwards."""
        self._closed = True
        self._close_idle()
        if not self._read_only:
            self._writer.close()

    def _take_turn(self, own: _Ticket[Any]) -> None:
        with self._order:
            tickets, self._waiting = self._waiting, []
        try:
            self._carry_out_all(tickets)
        finally:
            # The turn passes on before the others are called: the next commit need not wait for them to wake up.
            with self._order:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            for ticket in [following, *tickets]:
                if ticket is not None and ticket is not own:
                    ticket.call()

    def _carry_out_all(self, tickets: list[_Ticket[Any]]) -> None:
        try:
            if len(tickets) == 1 or not (self._carry_out_together(tickets) or self._carry_out_together(tickets, True)):
                for ticket in tickets:
                    self._carry_out_alone(ticket)
        except BaseException as error:
            for ticket in tickets:
                ticket.fail(error)
            raise
        finally:
            for ticket in tickets:
                ticket.is_done = True

    def _carry_out_together(self, tickets: list[_Ticket[Any]], separately: bool = False) -> bool:
        # Changes are rarely refused, and a savepoint for each costs two statements: only then, `separately`, they have
        # them. An error of SQLite's may have undone more than the change that met it: then each is tried alone.
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for ticket in tickets:
                if separately:
                    self._carry_out_separately(ticket)
                else:
                    ticket.carry_out(self._writer)
            self._commit()
        except Exception:
            self._roll_back()
            return False
        except BaseException:
            self._roll_back()
            raise
        return True

    def _carry_out_separately(self, ticket: _Ticket[Any]) -> None:
        self._writer.execute("SAVEPOINT change")
        try:
            ticket.carry_out(self._writer)
        except sqlite3.Error:
            raise
        except Exception:
            self._writer.execute("ROLLBACK TO change")
        self._writer.execute("RELEASE change")

    def _carry_out_alone(self, ticket: _Ticket[Any]) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            ticket.carry_out(self._writer)
            self._commit()
        except sqlite3.Error as error:
            self._roll_back()
            full = getattr(error, "sqlite_errorcode", None) in _NO_SPACE
            ticket.fail(refusals.out_of_space(str(self._path)) if full else error)
        except BaseException:
            self._roll_back()
            # It is in the ticket, and raised by the thread whose change it was.

    def _commit(self) -> None:
        self._step("row written")
        self._writer.execute("COMMIT")
        self._step("row committed")

    def _roll_back(self) -> None:
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        # One thread at a time uses a connection, but not always the same one, hence check_same_thread.
        mode = "ro" if self._read_only else "rwc"
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        # FULL: the commit is on disk, not only in the page cache, when a request is answered.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return connection

    def _check_version(self) -> None:
        if not self._path.exists():
            raise FileNotFoundError(errno.ENOENT, "There is no index of objects", str(self._path))
        with self.read() as rows:
            found = rows.one("PRAGMA user_version")
        if found != (SCHEMA_VERSION,):
            raise ValueError(f"{self._path} was written by another version of samebox (schema {found}).")

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()
