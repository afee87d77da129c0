"""kill -9 at every step of a transform job on two instances: the next start ends it as this one would have."""

from typing import TYPE_CHECKING

import pytest

from tests.jobs import transform_models
from tests.jobs.crashing import RecordedSteps
from tests.jobs.transform_models import ModelServer

if TYPE_CHECKING:
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness

OBJECTS = {"a": b"1\n", "b/c": b"2\n", "d": b"3\n"}


def begin(harness: "Harness") -> "Resource":
    """Three objects, which the two instances share."""
    for name, body in OBJECTS.items():
        harness.put_object(f"in/{name}", body)
    place = f"s3://{harness.bucket}/captured"
    return transform_models.begin(
        harness, ModelServer(lambda body: body * 2), {"SplitType": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2},
        DataCaptureConfig={"DestinationS3Uri": place},
    )  # fmt: skip


def check(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert harness.objects_under("out") == {f"{name}.out": body * 2 for name, body in OBJECTS.items()}
    assert len(harness.objects_under("captured")) == 2
    assert harness.container_names() == []
    assert harness.next_start_leaves_no_network()


# What the phases of a job change; requests to the engine are repeated as in tests/jobs/test_crashes.py. The last test
# below records the steps again.
CALLS = {
    "resources.advance": 1,
    "resources.change": 5,
    "engine.create": 2,
    "engine.start": 2,
    "engine.address": 2,
    "objects.list": 1,
    "objects.upload": 3,
    "objects.put": 2,
    "engine.kill": 2,
    "engine.remove": 2,
}
STEPS = RecordedSteps(begin, check, CALLS, is_complete=False)


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_step_changes_nothing_of_how_a_job_ends(harness: "Harness", step: "Step", after: bool) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_steps_above_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)
