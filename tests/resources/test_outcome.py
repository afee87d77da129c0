"""Outcomes: each has an ending that the lifecycle knows, and texts that people can look for."""

import pytest

from samebox.resources.lifecycle import TRAINING_JOB
from samebox.resources.outcome import REASON_CHARACTERS, TRAINING_ENDINGS, Outcome, reason


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_an_ending_that_is_final(outcome: Outcome) -> None:
    assert TRAINING_JOB.stages[TRAINING_ENDINGS[outcome].stage].next == ()


@pytest.mark.parametrize("outcome", Outcome)
def test_what_failed_has_a_reason_and_what_did_not_has_none(outcome: Outcome) -> None:
    assert (reason(TRAINING_ENDINGS[outcome]) is not None) == (TRAINING_ENDINGS[outcome].stage == "Failed")


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
