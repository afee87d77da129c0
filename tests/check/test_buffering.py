"""Lines that a program buffered are distinguished from those of one that had logged nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.check import subject
from samebox.check.buffering import BLOCK, held_back, looked_at
from samebox.check.checks import Context
from samebox.check.ended import HostResult
from samebox.check.training.rules import LOGS
from samebox.containers.engine import LogLine
from tests.check.images import SHELL, ImageSource, elf, layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BEGAN = 1000.0


def line(second: float, text: str = "epoch 1", stream: str = "stdout") -> LogLine:
    return LogLine(int((BEGAN + second) * 1e9), "stderr" if stream == "stderr" else "stdout", text)


def ended(lines: Sequence[LogLine], seconds: float = 30.0) -> HostResult:
    return HostResult(0, seconds, BEGAN, log=tuple(sorted(lines, key=lambda one: one.time)))


AT_THE_END = [line(29.8 + number / 10_000, f"epoch {number}") for number in range(30)]


def test_lines_that_come_all_at_once_at_the_end_were_held_back() -> None:
    assert held_back(ended(AT_THE_END)) == "its 30 lines came all at once, after 29.8 s of 30.0 s"


def test_an_engine_that_is_held_up_between_two_lines_hides_nothing() -> None:
    late = [*AT_THE_END[:10], *(line(29.9 + number / 10_000) for number in range(20))]

    assert held_back(ended(late)).startswith("its 30 lines came all at once")


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        pytest.param([line(second) for second in range(30)], 30.0, id="one a second"),
        pytest.param(AT_THE_END[:4], 30.0, id="a few words at the end"),
        pytest.param([line(3.0 + number / 10_000) for number in range(30)], 3.2, id="a short job"),
        pytest.param([line(28 + number / 10) for number in range(20)], 30.0, id="a job that starts slowly"),
        pytest.param([line(29 + number / 50) for number in range(20)], 30.0, id="a job that computes between lines"),
        pytest.param([line(2, stream="stderr"), *AT_THE_END], 30.0, id="a sum at the end of a job that logs"),
        pytest.param([], 30.0, id="nothing"),
    ],
)
def test_lines_that_come_as_they_are_printed_were_not(lines: list[LogLine], seconds: float) -> None:
    assert held_back(ended(lines, seconds)) == ""


def blocks(width: int, of: int = BLOCK) -> list[LogLine]:
    """Lines of a width, printed evenly, as a buffer of a size gives them on."""
    found, size = [], 0
    for _ in range(3 * of // width + 5):
        size += width
        found.append(line(10.0 * -(-size // of) + size / 1e7, "x" * (width - 1)))
    return found


@pytest.mark.parametrize("width", [64, 100, 333])
def test_lines_that_come_in_full_blocks_were_held_back(width: int) -> None:
    assert held_back(ended(blocks(width), 50.0)).startswith("its lines come in blocks of 8 KB, 10 s apart")


def test_silence_that_no_full_block_explains_is_the_jobs_own() -> None:
    assert held_back(ended(blocks(100, of=3000), 50.0)) == ""


def context_of(folder: Path, *, python: bool, unbuffered: str = "") -> Context:
    entries = (*SHELL, elf("usr/bin/python3")) if python else SHELL
    environment = ["PATH=/usr/bin:/bin", f"PYTHONUNBUFFERED={unbuffered}"]
    path = folder / "image.tar"
    path.write_bytes(ImageSource((layer(*entries),), {"Env": environment}).docker_archive())
    return Context(subject.from_path(path))


def test_the_cure_is_that_of_the_language(tmp_path: Path) -> None:
    of_python = looked_at(context_of(tmp_path, python=True), LOGS, ended(AT_THE_END))
    of_another = looked_at(context_of(tmp_path, python=False), LOGS, ended(AT_THE_END))

    assert of_python is not None
    assert of_another is not None
    assert (of_python.status, of_python.rule_id) == ("warn", "train-logs")
    assert "PYTHONUNBUFFERED=1" in of_python.remedy
    assert "PYTHONUNBUFFERED" not in of_another.remedy


def test_a_python_without_buffering_has_logged_all_its_lines(tmp_path: Path) -> None:
    assert looked_at(context_of(tmp_path, python=True, unbuffered="1"), LOGS, ended(AT_THE_END)) is None
