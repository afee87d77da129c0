"""How long until `samebox up` answers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

from bench.figures import Bar, Row, median
from samebox.resources.kinds import KINDS, TRAINING_JOB
from samebox.resources.resources import Resources
from samebox.resources.store import Store
from samebox.wire.models import Models
from tests import samples
from tests.conftest import CALLER

if TYPE_CHECKING:
    from pathlib import Path

    from bench.stand import Stand
    from tests.scenarios.emulator_process import EmulatorProcess

UP = "up"
BAR = Bar("ours", 1.0)
JOBS = 10_000
JOBS_BAR = Bar("ours", 1.5)
COMMAND_SECONDS = 120.0
# Copies of one row in one transaction: written one by one, as an emulator does, they would take a minute.
COPY_THE_ROW = """
    WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
    INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state,
        tags, facts)
    SELECT kind, account, region, name || '-' || n, name_key || '-' || n, arn || '-' || n, status, created + n,
           modified + n, version, spec, state, tags, facts
    FROM resources, number WHERE kind = 'TrainingJob'
"""


def measure(stand: Stand, rounds: int) -> list[Row]:
    """On a new folder, on one that has been used, and on one with ten thousand ended jobs."""
    new: list[float] = []
    used: list[float] = []
    many: list[float] = []
    for number in range(rounds):
        emulator = stand.new_emulator()
        for seconds in (new, used):
            began = time.monotonic()
            emulator.up()
            seconds.append(time.monotonic() - began)
            emulator.down()
        add_ended_jobs(emulator.data_dir, JOBS)
        many.append(detached_up(emulator))
        stand.report(f"{number + 1} of {rounds}")
    return [
        Row(UP, "samebox up → ready, new data folder", "s", median(new), bar=BAR),
        Row(UP, "samebox up → ready, data folder in use", "s", median(used), bar=BAR),
        Row(UP, f"samebox up --detach, {JOBS:,} ended jobs", "s", median(many), bar=JOBS_BAR),
    ]


def add_ended_jobs(data_dir: Path, count: int) -> None:
    """Write ended training jobs into the store of an emulator that does not run."""
    path = data_dir / "state.sqlite"
    store = Store(path)
    resources = Resources(store, Models(), KINDS, time.time)
    resources.advance(resources.create(TRAINING_JOB, CALLER, samples.TRAINING_JOB), "Failed")
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(COPY_THE_ROW, (count - 1,))


def detached_up(emulator: EmulatorProcess) -> float:
    """How long `samebox up --detach` takes, as a person waits for it; the emulator is ended again."""
    try:
        began = time.monotonic()
        _samebox(emulator, "up", "--detach")
        return time.monotonic() - began
    finally:
        _samebox(emulator, "down")


def _samebox(emulator: EmulatorProcess, *words: str) -> None:
    command = [sys.executable, "-m", "samebox.cli", *words]
    done = subprocess.run(
        command, env=emulator.environment, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"samebox {' '.join(words)}: {done.stderr.strip()}")
