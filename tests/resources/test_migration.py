"""Migration: whatever schema a state file has, an update loses nothing of it, wherever it is interrupted."""

import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from samebox.resources import migration
from samebox.resources.migration import MigrationStep, NewerSchema
from samebox.resources.query import Query
from samebox.resources.store import Resource, Store

# One file for each schema that was ever released, with rows as that version wrote them.
SAMPLES = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
NEWEST = SAMPLES[-1]
KINDS = ("Repository", "TrainingJob", "Model", "EndpointConfig", "Endpoint", "Session", "EcrImage", "EcrTag")

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: str(path.stem))


def made(sample: Path, path: Path) -> Path:
    """The state file of a sample, as an emulator leaves it when it is killed: part of it in its write-ahead log."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(sample.read_text())
    return path


def content(path: Path) -> tuple[Any, ...]:
    """Everything that a file says: its number, its tables and indexes, their rows."""
    with closing(sqlite3.connect(path)) as connection:
        return (*connection.execute("PRAGMA user_version").fetchone(), *connection.iterdump())


def schema(path: Path) -> set[str]:
    """Tables and indexes without comments and spacing."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    texts = (re.sub(r"--.*", "", text) for (text,) in found)
    return {" ".join(text.replace("IF NOT EXISTS ", "").split()) for text in texts}


def rows(path: Path) -> list[Resource]:
    with closing(Store(path)) as store:
        return [row for kind in KINDS for row in store.find(Query(kind))]


@each_sample
def test_a_file_of_any_schema_is_read_as_if_this_version_had_written_it(sample: Path, tmp_path: Path) -> None:
    assert rows(made(sample, tmp_path / "old")) == rows(made(NEWEST, tmp_path / "new"))
    assert {row.kind for row in rows(tmp_path / "old")} == set(KINDS)


@each_sample
def test_a_file_of_any_schema_gets_the_tables_of_a_new_one(sample: Path, tmp_path: Path) -> None:
    migration.migrate(made(sample, tmp_path / "old"))
    migration.migrate(tmp_path / "new")
    assert schema(tmp_path / "old") == schema(tmp_path / "new")


def test_each_migration_has_a_sample_of_what_it_leads_to(tmp_path: Path) -> None:
    steps = migration.known()
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    for step in steps:
        migration.migrate(tmp_path / str(step.number), steps[: step.number])
        sample = made(Path(__file__).parent / "schemas" / f"{step.number:04}.sql", tmp_path / f"sample-{step.number}")
        assert content(sample)[0] == step.number
        assert schema(sample) == schema(tmp_path / str(step.number))


@each_sample
def test_the_old_file_is_kept_as_it_was(sample: Path, tmp_path: Path) -> None:
    old = content(made(sample, tmp_path / "sample"))
    path = made(sample, tmp_path / "state.sqlite")
    path.chmod(0o600)
    migration.migrate(path)
    kept = list(tmp_path.glob("state.sqlite.before-*"))
    if sample == NEWEST:
        assert kept == []
    else:
        assert [content(one) for one in kept] == [old]
        assert kept[0].name == f"state.sqlite.before-{old[0] + 1:04}"
        assert kept[0].stat().st_mode & 0o777 == 0o600


def test_a_new_file_has_no_copy_beside_it(tmp_path: Path) -> None:
    migration.migrate(tmp_path / "state.sqlite")
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"]


def test_a_newer_file_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = made(NEWEST, tmp_path / "state.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = content(path)
    with pytest.raises(NewerSchema, match=r"a newer samebox: it has schema 99, this one knows schemas up to"):
        Store(path)
    assert content(path) == before
    assert list(tmp_path.glob("*before*")) == []


def fail(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM resources")
    connection.execute("no SQL")


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = made(SAMPLES[0], tmp_path / "state.sqlite")
    before = content(path)
    steps = migration.known()
    with pytest.raises(sqlite3.OperationalError):
        migration.migrate(path, (*steps, MigrationStep(len(steps) + 1, fail)))
    assert content(path) == before


# Runs a migration and kills itself: before its Nth statement, or before or after the copy is given its name.
KILLED = """
import os, pathlib, signal, sqlite3, sys
from samebox.resources import migration

left = int(sys.argv[2])

def step(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

connect, replace = migration._connect, pathlib.Path.replace

def traced(path):
    connection = connect(path)
    connection.set_trace_callback(step)
    return connection

def counted(self, target):
    step()
    replace(self, target)
    step()

migration._connect, pathlib.Path.replace = traced, counted
migration.migrate(pathlib.Path(sys.argv[1]))
"""


def killed(path: Path, steps: int) -> int:
    """Migrate in a process that is killed after so many steps; its exit status."""
    return subprocess.run([sys.executable, "-c", KILLED, str(path), str(steps)], check=False).returncode


def test_a_kill_at_any_step_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    sample = SAMPLES[0]
    old = content(made(sample, tmp_path / "old"))
    migration.migrate(made(sample, tmp_path / "new"))
    new = content(tmp_path / "new")
    ends: list[str] = []
    status = -signal.SIGKILL
    while status == -signal.SIGKILL:
        path = made(sample, tmp_path / f"{len(ends)}.sqlite")
        status = killed(path, len(ends))
        found = content(path)
        ends.append("old" if found == old else "new" if found == new else "neither")
        for kept in tmp_path.glob(f"{path.name}.before-????"):
            assert content(kept) == old
        # The next start ends what this one began.
        migration.migrate(path)
        assert content(path) == new
    assert status == 0
    assert ends == ["old"] * (len(ends) - 1) + ["new"]
    assert len(ends) > 20


def test_two_processes_that_open_a_file_at_once_migrate_it_once(tmp_path: Path) -> None:
    path = made(SAMPLES[0], tmp_path / "state.sqlite")
    program = "import sys, pathlib; from samebox.resources.store import Store; Store(pathlib.Path(sys.argv[1])).close()"
    both = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(2)]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    migration.migrate(made(SAMPLES[0], tmp_path / "alone"))
    assert content(path) == content(tmp_path / "alone")


def test_a_copy_has_what_is_in_the_write_ahead_log_too(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with closing(Store(path)) as store:
        store.insert(rows(made(NEWEST, tmp_path / "sample"))[0])
        assert path.with_name("state.sqlite-wal").stat().st_size > 0
        assert content(migration.copy(path, tmp_path / "copy")) == content(path)


def test_a_statement_may_have_several_lines_and_comments() -> None:
    text = "-- one;\nCREATE TABLE a (\n  b TEXT -- two;\n);\nINSERT INTO a VALUES (';\n');\n"
    assert [one.count("\n") for one in migration.statements(text)] == [4, 2]
