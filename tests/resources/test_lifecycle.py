"""Lifecycles: only the table's moves are made, and each leaves its mark in the history."""

from typing import Any

import pytest

from samebox.resources.lifecycle import ENDPOINT, PROCESSING_JOB, TRAINING_JOB, IllegalMove, Lifecycle
from samebox.wire.models import Models

PREPARING = "Preparing the instances for training"


def walk(lifecycle: Lifecycle, *stages: str) -> dict[str, object]:
    state = lifecycle.begin(0.0)
    for at, stage in enumerate(stages, 1):
        state = lifecycle.advance(state, stage, float(at))
    return state


@pytest.mark.parametrize("lifecycle", [TRAINING_JOB, PROCESSING_JOB, ENDPOINT])
def test_every_move_leads_to_a_stage_of_the_table(lifecycle: Lifecycle) -> None:
    for stage in lifecycle.stages.values():
        assert set(stage.next) <= set(lifecycle.stages)


@pytest.mark.parametrize("lifecycle", [TRAINING_JOB, PROCESSING_JOB, ENDPOINT])
def test_every_stage_can_be_reached(lifecycle: Lifecycle) -> None:
    reached, left = {lifecycle.first}, [lifecycle.first]
    while left:
        fresh = set(lifecycle.stages[left.pop()].next) - reached
        reached |= fresh
        left += fresh
    assert reached == set(lifecycle.stages)


def test_statuses_are_values_of_the_model(models: Models) -> None:
    shapes = models.service("sagemaker").shapes
    assert {stage.status for stage in TRAINING_JOB.stages.values()} <= shapes["TrainingJobStatus"].allowed
    assert set(TRAINING_JOB.stages) <= shapes["SecondaryStatus"].allowed
    assert {stage.status for stage in PROCESSING_JOB.stages.values()} <= shapes["ProcessingJobStatus"].allowed
    assert {stage.status for stage in ENDPOINT.stages.values()} <= shapes["EndpointStatus"].allowed


def test_the_transitions_of_a_job_that_ran_are_recorded() -> None:
    state = walk(TRAINING_JOB, "Downloading", "Training", "Uploading", "Completed")
    assert state["SecondaryStatusTransitions"] == [
        {"Status": "Starting", "StartTime": 0.0, "EndTime": 1.0, "StatusMessage": PREPARING},
        {"Status": "Downloading", "StartTime": 1.0, "EndTime": 2.0, "StatusMessage": "Downloading input data"},
        {
            "Status": "Training",
            "StartTime": 2.0,
            "EndTime": 3.0,
            "StatusMessage": "Training image download completed. Training in progress.",
        },
        {
            "Status": "Uploading",
            "StartTime": 3.0,
            "EndTime": 4.0,
            "StatusMessage": "Uploading generated training model",
        },
        {"Status": "Completed", "StartTime": 4.0, "EndTime": 4.0, "StatusMessage": "Training job completed"},
    ]
    assert (state["TrainingJobStatus"], state["SecondaryStatus"]) == ("Completed", "Completed")
    assert not TRAINING_JOB.stages[TRAINING_JOB.stage(state)].next


def test_a_move_that_is_not_in_the_table_is_not_made() -> None:
    state = walk(TRAINING_JOB, "Failed")
    with pytest.raises(IllegalMove, match="Failed -> Training"):
        TRAINING_JOB.advance(state, "Training", 9.0)


def test_a_start_is_shown_as_its_last_step_once_it_is_over() -> None:
    def of_start(state: dict[str, Any]) -> str:
        return str(state["SecondaryStatusTransitions"][0]["StatusMessage"])

    began = walk(TRAINING_JOB)
    assert of_start(TRAINING_JOB.advance(began, "Stopping", 1.0)) == of_start(began) == "Starting the training job"
    assert of_start(TRAINING_JOB.advance(began, "Downloading", 1.0)) == PREPARING
    waited = TRAINING_JOB.annotate(began, "it waited")
    assert of_start(TRAINING_JOB.advance(waited, "Downloading", 1.0)) == "it waited"


def test_a_newer_message_replaces_the_text_of_the_last_one_and_not_its_time() -> None:
    state = TRAINING_JOB.annotate(walk(TRAINING_JOB), PREPARING)
    (transition,) = state["SecondaryStatusTransitions"]
    assert transition["StatusMessage"] == PREPARING
    assert transition["StartTime"] == 0.0


def test_a_state_is_never_changed_in_place() -> None:
    before = walk(TRAINING_JOB)
    TRAINING_JOB.advance(before, "Downloading", 1.0)
    TRAINING_JOB.annotate(before, "other")
    assert before == walk(TRAINING_JOB)


def test_ends_are_known() -> None:
    assert TRAINING_JOB.unfinished_statuses() == {"InProgress", "Stopping"}
    assert ENDPOINT.unfinished_statuses() == set(ENDPOINT.stages), "Failed may still be deleted"
