"""How a host's end is told: its exit code, its middle, and whether a stopped one heard."""

from __future__ import annotations

import pytest

from emulator.check.ended import Ended
from emulator.containers.engine import LogLine

GIB = 1 << 30


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (Ended(3, 1.0), "exit code 3"),
        (Ended(None, 1.0), "not done"),
        (
            Ended(137, 1.0, oom_killed=True, memory_bytes=GIB),
            "exit code 137 (killed for its memory at the limit of 1.0 GiB)",
        ),
        (Ended(1, 1.0, oom_killed=True), "exit code 1 (a process of it killed for its memory)"),
        (
            Ended(137, 1.0, memory_bytes=4 * GIB, peak_bytes=GIB),
            "exit code 137 (SIGKILL, and not for its memory: it held 1.0 GiB of 4.0 GiB)",
        ),
        (Ended(137, 1.0), "exit code 137 (SIGKILL, and not for its memory)"),
    ],
)
def test_an_exit_code_is_told_with_what_it_means(ended: Ended, words: str) -> None:
    assert ended.how == words


def ended(*lines: str) -> Ended:
    log = tuple(LogLine(int((100 + number) * 1e9), "stdout", text) for number, text in enumerate(lines))
    return Ended(0, float(len(lines)), started_at=100.0, log=log)


PLAIN = ended("begun", "epoch 1: loss 0.9", "epoch 2: loss 0.5", "epoch 3: loss 0.4", "saved", "done")


def test_a_job_that_says_all_that_it_says_otherwise_went_on() -> None:
    same = ("begun", "epoch 1: loss 0.8", "epoch 2: loss 0.6", "epoch 3: loss 0.4", "saved", "done")

    assert ended(*same).went_on_as(PLAIN)
    assert ended(*same, "ignored a signal").went_on_as(PLAIN)


def test_a_job_that_skips_an_epoch_and_tells_why_did_not_go_on() -> None:
    heard = ("begun", "epoch 1: loss 0.9", "epoch 2: loss 0.5", "SIGTERM: no more epochs", "saved", "done")

    assert not ended(*heard).went_on_as(PLAIN)


def line(second: float) -> LogLine:
    return LogLine(int(second * 1e9), "stdout", f"at {second}")


def test_the_middle_of_a_training_is_told_by_its_lines() -> None:
    ended = Ended(0, 10.0, started_at=100.0, log=tuple(line(100 + second) for second in range(10)))

    assert ended.middle_line == 6


@pytest.mark.parametrize("seconds", [(0, 1, 2, 3), (9, 9.1, 9.2, 9.3), (1, 9)])
def test_lines_that_are_all_at_one_end_tell_no_middle(seconds: tuple[float, ...]) -> None:
    ended = Ended(0, 10.0, started_at=100.0, log=tuple(line(100 + second) for second in seconds))

    assert ended.middle_line == 0


def test_how_a_job_ended_is_told_with_its_last_words() -> None:
    assert Ended(3, 1.25, log=(line(1), LogLine(2, "stderr", "  "))).outcome == "exit code 3 after 1.2 s: at 1"
    assert Ended(None, 60.0).outcome == "not done after 60.0 s, without a word"
