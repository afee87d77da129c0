"""Outcomes: each has an ending that the lifecycle knows, and texts that people can look for."""

import pytest

from samebox.resources.lifecycle import PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, Lifecycle
from samebox.resources.outcome import (
    PROCESSING_ENDINGS,
    REASON_CHARACTERS,
    TRAINING_ENDINGS,
    TRANSFORM_ENDINGS,
    Ending,
    Outcome,
    reason,
)

TABLES = ((TRAINING_JOB, TRAINING_ENDINGS), (PROCESSING_JOB, PROCESSING_ENDINGS), (TRANSFORM_JOB, TRANSFORM_ENDINGS))
ENDINGS = [
    pytest.param(lifecycle, ending, id=f"{lifecycle.member}-{outcome.value}")
    for lifecycle, table in TABLES
    for outcome, ending in table.items()
]


def test_every_outcome_is_one_of_a_kind_of_job() -> None:
    assert {outcome for _, table in TABLES for outcome in table} == set(Outcome)


@pytest.mark.parametrize(("lifecycle", "ending"), ENDINGS)
def test_every_ending_is_final(lifecycle: Lifecycle, ending: Ending) -> None:
    assert lifecycle.stages[ending.stage].next == ()


@pytest.mark.parametrize(("lifecycle", "ending"), ENDINGS)
def test_what_failed_has_a_reason_and_what_did_not_has_none(lifecycle: Lifecycle, ending: Ending) -> None:
    assert (reason(ending) is not None) == (ending.stage == "Failed")


def test_the_reason_of_a_failed_algorithm_is_its_failure_file_and_its_exit_code() -> None:
    assert reason(TRAINING_ENDINGS[Outcome.ALGORITHM_ERROR], "no data", 3) == "AlgorithmError: no data, exit code: 3"
    assert reason(TRAINING_ENDINGS[Outcome.ALGORITHM_ERROR], "", 1) == "AlgorithmError: , exit code: 1"


def test_a_long_text_is_cut_so_that_the_exit_code_is_kept() -> None:
    text = reason(TRAINING_ENDINGS[Outcome.ALGORITHM_ERROR], "x" * 5000, 137)
    assert text is not None
    assert len(text) == REASON_CHARACTERS
    assert text.endswith("x, exit code: 137")


def test_braces_in_a_failure_file_are_only_braces() -> None:
    assert (
        reason(TRAINING_ENDINGS[Outcome.ALGORITHM_ERROR], "{text} {0}", 1) == "AlgorithmError: {text} {0}, exit code: 1"
    )
