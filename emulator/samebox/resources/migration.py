"""Migration: a state file of an earlier schema becomes one of the newest, all at once, and the old file is kept."""

import importlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import resources as package_files
from pathlib import Path

from samebox.resources import migrations

# Waiting for another process that migrates the same file.
_BUSY_SECONDS = 30.0


class NewerSchema(Exception):
    """A later version of samebox wrote the file; nothing is done to it."""

    def __init__(self, path: Path, schema: int, newest: int) -> None:
        super().__init__(
            f"{path} was written by a newer samebox: it has schema {schema}, this one knows schemas up to {newest}. "
            f"Update samebox, or take another data folder. The file was not changed."
        )


@dataclass(frozen=True)
class MigrationStep:
    """One step: it leads from the schema before its number to the schema of its number."""

    number: int
    apply: Callable[[sqlite3.Connection], None]


def known() -> tuple[MigrationStep, ...]:
    """The steps of this version, in order."""
    folder = package_files.files(migrations)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name[:4].isdigit())
    return tuple(_step(name, folder.joinpath(name).read_text()) for name in names)


def migrate(path: Path, steps: Sequence[MigrationStep] | None = None) -> None:
    """Bring a file to the newest schema; a missing file is made. Raises NewerSchema.

    All steps are one transaction: whenever the process ends, the file has its old schema or the newest. What it was
    before lies beside it as `<name>.before-NNNN`, after the first step that was made.
    """
    steps = known() if steps is None else steps
    with closing(_connect(path)) as connection:
        if not _pending(connection, path, steps):
            return
        # Others may still read, and find the old schema, but not write: the copy is what the steps begin with.
        connection.execute("BEGIN IMMEDIATE")
        pending = _pending(connection, path, steps)
        if pending and connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            _keep(path, pending[0].number)
        for step in pending:
            step.apply(connection)
            connection.execute(f"PRAGMA user_version = {step.number}")
        connection.execute("COMMIT")


def is_current(path: Path) -> bool:
    """Whether nothing is left to do with a file. Raises NewerSchema."""
    with closing(_connect(path)) as connection:
        return not _pending(connection, path, known())


def copy(path: Path, target: Path) -> Path:
    """Copy a file as it was committed last, what lies in its write-ahead log included. Returns `target`."""
    with closing(_connect(path)) as source, closing(_connect(target)) as made:
        source.backup(made)
    return target


def _pending(connection: sqlite3.Connection, path: Path, steps: Sequence[MigrationStep]) -> list[MigrationStep]:
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    newest = steps[-1].number
    if schema > newest:
        raise NewerSchema(path, schema, newest)
    return [step for step in steps if step.number > schema]


def _connect(path: Path) -> sqlite3.Connection:
    # Without isolation_level: transactions begin and end where we say so, and hold CREATE and ALTER, too.
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)


def _keep(path: Path, number: int) -> None:
    kept = path.with_name(f"{path.name}.before-{number:04}")
    partial = kept.with_name(f"{kept.name}.partial")
    partial.unlink(missing_ok=True)
    copy(path, partial)
    shutil.copymode(path, partial)
    partial.replace(kept)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _step(name: str, text: str) -> MigrationStep:
    if name.endswith(".sql"):
        return MigrationStep(int(name[:4]), lambda connection: _run(connection, text))
    module = importlib.import_module(f"{migrations.__name__}.{name.removesuffix('.py')}")
    return MigrationStep(int(name[:4]), module.migrate)


def _run(connection: sqlite3.Connection, text: str) -> None:
    for statement in statements(text):
        connection.execute(statement)


def statements(text: str) -> Iterator[str]:
    """The statements of an SQL text; `executescript` would commit before the first one."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
