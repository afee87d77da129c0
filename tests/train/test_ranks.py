"""The ranks of one host: their variables, and how they end together."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from samebox_train import ranks

PROGRAM = Path(ranks.__file__)


def run(script: str, *, hosts: int = 2, number: int = 1, count: int = 2) -> subprocess.CompletedProcess[str]:
    topology = [str(hosts), str(number), str(count), "algo-1", "7777"]
    command = [sys.executable, str(PROGRAM), *topology, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_ranks_are_numbered_over_the_hosts() -> None:
    found = ranks.variables(hosts=2, number=1, count=2, master="algo-1", port="7777")
    assert [(one["RANK"], one["LOCAL_RANK"]) for one in found] == [("2", "0"), ("3", "1")]
    shared = ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK")
    assert [found[0][name] for name in shared] == ["algo-1", "7777", "4", "2", "1"]


def test_each_rank_finds_its_variables() -> None:
    done = run("import os; os.write(1, f\"{os.environ['RANK']} {os.environ['WORLD_SIZE']}\\n\".encode())")
    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, ["2 4", "3 4"])


def test_a_rank_that_fails_ends_the_others_with_its_exit_code() -> None:
    done = run("import os, sys, threading\nif os.environ['RANK'] == '2': sys.exit(7)\nthreading.Event().wait()")
    assert done.returncode == 7


def test_a_rank_that_is_killed_shows_its_signal() -> None:
    done = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", count=1)
    assert done.returncode == 128 + signal.SIGKILL
