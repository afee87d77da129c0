"""A program that did not start is distinguished from one that ran a missing command."""

from __future__ import annotations

import pytest

from samebox.check.ended import HostOutput, HostResult, LeftFile
from samebox.check.processing import baseline as processing
from samebox.check.training import baseline as training
from samebox.check.trials import cure, did_not_start
from samebox.containers.engine import LogLine
from samebox.platform.activity import Idle, LiveProcess

EXEC = "/usr/bin/process: exec: line 3: /bin/gone: not found"


def ended(code: int, *lines: str, start_error: str = "") -> HostResult:
    log = tuple(LogLine(number, "stderr", text) for number, text in enumerate(lines))
    return HostResult(code, 0.1, log=log, start_error=start_error)


@pytest.mark.parametrize(
    "plain",
    [
        ended(127, start_error='exec: "train": executable file not found in $PATH'),
        ended(127),
        ended(127, "/bin/sh: train: not found"),
        ended(127, "bash: line 1: train: command not found"),
        ended(2, "python3: can't open file '/train': [Errno 2] No such file or directory"),
        ended(2, "/bin/sh: 0: cannot open train: No such file"),
        ended(1, "Error: Cannot find module '/opt/app/train'"),
        ended(127, "[FATAL tini (7)] exec train failed: No such file or directory"),
    ],
)
def test_a_program_that_is_not_there_did_not_start(plain: HostResult) -> None:
    assert did_not_start(plain, training._NO_PROGRAM, lambda: True)


@pytest.mark.parametrize(
    "plain",
    [
        ended(127, "/usr/local/bin/train: line 3: pyhton: command not found"),
        ended(127, "/usr/local/bin/train: exec: line 3: python: not found"),
        ended(126, "/usr/local/bin/train: line 2: ./run.sh: Permission denied"),
        ended(1, "ls: /opt/ml/input/data/train: No such file or directory"),
        ended(1, "cat: can't open '/opt/ml/input/data/train/a.csv': No such file or directory"),
        ended(1, "FileNotFoundError: [Errno 2] No such file or directory: '/opt/ml/input/data/train'"),
    ],
)
def test_a_program_that_lacks_something_else_did(plain: HostResult) -> None:
    assert not did_not_start(plain, training._NO_PROGRAM, lambda: True)


def test_a_shebang_that_names_nothing_is_a_program_that_is_not_there() -> None:
    plain = ended(127, "/usr/bin/env: 'python3\\r': No such file or directory")

    assert did_not_start(plain, training._NO_PROGRAM, lambda: False)


def test_what_a_processing_job_hands_itself_over_to_must_be_there() -> None:
    assert did_not_start(ended(127, EXEC), processing._NO_PROGRAM, lambda: True)
    assert not did_not_start(ended(127, "/bin/process: line 3: gone: not found"), processing._NO_PROGRAM, lambda: True)


def test_the_cure_of_a_job_that_does_not_end_depends_on_whether_its_work_is_done() -> None:
    idle = Idle(12, (LiveProcess(1, "python3 train", 2),))
    done = HostResult(None, 12, left=HostOutput((LeftFile("model.txt", 1),)), idle=idle)

    assert "daemon=True" in (cure(done) or "")
    assert "time limit" in (cure(HostResult(None, 62, idle=idle)) or "")
    assert cure(HostResult(None, 600)) is None
