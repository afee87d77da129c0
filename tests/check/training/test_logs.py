"""Findings on the log of a training, with lines as containers really write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.check import subject
from samebox.check.checks import Options
from samebox.check.findings import Quote
from samebox.check.registry import CHECKS
from samebox.check.runner import Run
from samebox.containers.docker import DockerEngine
from tests.check.fixtures.recipes import Recipe, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from samebox.check.findings import Finding

HOLDS_BACK = """#!/bin/sh
held=
for epoch in 1 2 3 4 5 6; do held="$held epoch-$epoch"; sleep 1; done
printf '%s\\n' $held
echo trained > /opt/ml/model/model.txt
"""
SAYS_WHY_FIRST = """#!/bin/sh
cat >&2 <<END
Traceback (most recent call last):
  File "/opt/train.py", line 3, in <module>
    label = row[64]
IndexError: list index out of range
END
printf '%s' 'the script failed with exit code 1' > /opt/ml/output/failure
echo '[wrapper] training ended with exit code 1' >&2
exit 1
"""


@pytest.fixture
def docker() -> Iterator[DockerEngine]:
    engine = DockerEngine()
    yield engine
    engine.close()


def look(engine: DockerEngine, program: str, rule_id: str, data: Path | None = None) -> Finding:
    (check,) = [one for one in CHECKS if one.rule.id == rule_id]
    options = Options(claims=frozenset({"train"}), fast=True, data=data)
    with Run(engine, options) as kit:
        kit.examine(subject.from_engine(engine, build(Recipe({"bin/train": program})), kit.context.labels))
        (finding,) = kit.one(check)
    return finding


@pytest.mark.docker
def test_a_training_whose_lines_come_all_at_once_is_a_warning(docker: DockerEngine) -> None:
    finding = look(docker, HOLDS_BACK, "train-logs")

    assert finding.status == "warn"
    assert finding.seen.startswith("its 6 lines came all at once, after ")


@pytest.mark.docker
def test_the_failure_file_and_the_exception_above_a_wrappers_last_line_are_quoted_whole(
    docker: DockerEngine, tmp_path: Path
) -> None:
    finding = look(docker, SAYS_WHY_FIRST, "train-completes", tmp_path)

    assert finding.status == "fail"
    assert finding.seen.endswith("IndexError: list index out of range")
    message, exception = finding.quotes
    assert message == Quote("/opt/ml/output/failure", "the script failed with exit code 1")
    assert exception.text.splitlines()[0] == "Traceback (most recent call last):"
    assert finding.log[-1] == "[wrapper] training ended with exit code 1"
