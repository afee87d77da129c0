"""How a host's end is told, and what of the user's data it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.check import subject
from emulator.check.checks import Context, Options
from emulator.check.hosts import Ended, files_in, folders_of, given_folder
from emulator.containers.engine import LogLine

if TYPE_CHECKING:
    from pathlib import Path

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


def test_files_are_in_the_order_in_which_s3_lists_them(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a.csv", "B", "é"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")

    assert files_in(tmp_path) == ["B", "a.csv", "a/z", "b", "é"]


def test_files_beside_folders_are_one_input(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "data.csv").write_text("1")
    context = Context(subject.from_path(tmp_path), options=Options(data=tmp_path))

    assert folders_of(context, "training") == {"training": tmp_path}


def test_what_is_given_is_a_copy(tmp_path: Path) -> None:
    source, copy = tmp_path / "mine", tmp_path / "theirs"
    source.mkdir()
    (source / "data.csv").write_text("mine")

    assert list(given_folder(source, copy, "/opt/ml/input/data/training")) == []
    (copy / "data.csv").write_text("spoilt")
    assert (source / "data.csv").read_text() == "mine"
