"""kill -9 at every step of a processing job, on one host and on two: the next start ends it as this one would have."""

import json
from typing import TYPE_CHECKING

import pytest

from samebox.jobs.processing import PROCESSING
from tests.jobs.crashing import RecordedSteps

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness


def begin(harness: "Harness") -> "Resource":
    """A job whose program writes down how often it was run."""

    def clean(process: "Process") -> int:
        with (process.path("/opt/ml/processing/done") / "runs").open("a") as file:
            file.write("run\n")
        process.print("begun", "done")
        (process.path("/opt/ml/output") / "message").write_text("fine")
        return 0

    harness.types = (PROCESSING,)
    harness.engine.add_image("clean:1", {"clean": clean})
    harness.put_object("raw/a.csv")
    return harness.create_processing_job(
        ProcessingInputs=[harness.processing_input(f"s3://{harness.bucket}/raw/")],
        ProcessingOutputConfig={"Outputs": [harness.processing_output()]},
    )


def check(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert row.state["ExitMessage"] == "fine"
    assert harness.objects_under("done") == {"runs": b"run\n"}
    assert harness.log_lines(job) == ["begun", "done"]
    assert harness.container_names() == []
    assert harness.next_start_leaves_no_network()


# What the phases of a job change; how each request to the engine is repeated is what tests/jobs/test_crashes.py tries
# out, for it is the same for all kinds. The last test below records the steps again.
CALLS = {
    "resources.advance": 1,
    "resources.change": 4,
    "objects.download": 1,
    "engine.create": 1,
    "engine.start": 1,
    "engine.archive": 2,
    "objects.upload": 1,
    "engine.remove": 1,
}
STEPS = RecordedSteps(begin, check, CALLS, is_complete=False)


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_step_changes_nothing_of_how_a_job_ends(harness: "Harness", step: "Step", after: bool) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_steps_above_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)


def begin_pair(harness: "Harness") -> "Resource":
    """A job on two hosts that share a sharded input; each writes down how often its program was run."""

    def clean(process: "Process") -> int:
        host = json.loads((process.path("/opt/ml/config") / "resourceconfig.json").read_text())["current_host"]
        names = sorted(path.name for path in process.path("/opt/ml/processing/raw").iterdir())
        with (process.path("/opt/ml/processing/done") / host).open("a") as file:
            file.write(f"{' '.join(names)}\n")
        process.print(f"{host} done")
        (process.path("/opt/ml/output") / "message").write_text(f"{host};")
        return 0

    harness.types = (PROCESSING,)
    harness.engine.add_image("clean:1", {"clean": clean})
    for name in "abc":
        harness.put_object(f"raw/{name}")
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    uri = f"s3://{harness.bucket}/raw/"
    return harness.create_processing_job(
        ProcessingResources={"ClusterConfig": cluster},
        ProcessingInputs=[harness.processing_input(uri, S3DataDistributionType="ShardedByS3Key")],
        ProcessingOutputConfig={"Outputs": [harness.processing_output()]},
    )


def check_pair(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert row.state["ExitMessage"] == "algo-1;algo-2;"
    assert harness.objects_under("done") == {"algo-1": b"a c\n", "algo-2": b"b\n"}
    assert harness.lines_of_hosts(job) == {"algo-1": ["algo-1 done"], "algo-2": ["algo-2 done"]}
    assert harness.container_names() == []
    assert harness.next_start_leaves_no_network()


CALLS_OF_A_PAIR = {
    "resources.advance": 1,
    "resources.change": 4,
    "objects.download": 3,
    "engine.create": 2,
    "engine.start": 2,
    "engine.archive": 4,
    "objects.upload": 2,
    "engine.remove": 2,
}
PAIR_STEPS = RecordedSteps(begin_pair, check_pair, CALLS_OF_A_PAIR, is_complete=False)


@pytest.mark.parametrize(("step", "after"), PAIR_STEPS.kills())
def test_a_kill_at_any_step_of_two_hosts_changes_nothing_of_how_their_job_ends(
    harness: "Harness", step: "Step", after: bool
) -> None:
    PAIR_STEPS.kill_at(harness, step, after)


def test_the_steps_of_two_hosts_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    PAIR_STEPS.check_calls(harness)
