"""RetryStrategy: a job that fails inside of the platform is tried again, as often as it may be."""

from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import EngineUnavailable
from samebox.resources.run_facts import job_facts

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.harness import Harness

INTERNAL = "InternalServerError: We encountered an internal error.  Please try again."


def create(harness: "Harness", attempts: int, **changes: Any) -> "Resource":
    return harness.create_training_job(RetryStrategy={"MaximumRetryAttempts": attempts}, **changes)


def stages_of(row: "Resource") -> list[str]:
    return [one["Status"] for one in row.state["SecondaryStatusTransitions"]]


def test_a_job_that_fails_inside_of_us_is_tried_again_as_often_as_it_may(harness: "Harness") -> None:
    started = list["Process"]()

    def train(process: "Process") -> int:
        started.append(process)
        process.print(f"attempt {len(started)}")
        process.wait_for_stop()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    job = create(harness, 2)
    for number in (1, 2, 3):
        harness.wait_for_line(job, f"attempt {number}")
        (name,) = harness.container_names()
        harness.engine.remove(name)  # as when an engine loses a container
    row = harness.wait_until_ended(job)
    assert (row.status, row.state["FailureReason"]) == ("Failed", INTERNAL)
    again = ["Restarting", "Downloading", "Training"]
    assert stages_of(row) == ["Starting", "Downloading", "Training", *again, *again, "Failed"]
    assert harness.container_names() == []
    assert harness.next_start_leaves_no_network()


def test_a_second_attempt_that_ends_well_completes_the_job_with_its_checkpoints(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        file = process.path("/opt/ml/checkpoints") / "state"
        if file.exists():
            return 0
        file.write_text("half")
        process.print("saved")
        process.wait_for_stop()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    job = create(harness, 1, CheckpointConfig={"S3Uri": f"s3://{harness.bucket}/ckpt"})
    harness.wait_for_line(job, "saved")
    (name,) = harness.container_names()
    harness.engine.remove(name)
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert harness.objects_under("ckpt") == {"state": b"half"}


@pytest.mark.parametrize("exit_code", [137, 143])
def test_an_engine_that_is_restarted_is_an_internal_error_whatever_the_exit_code(
    harness: "Harness", exit_code: int
) -> None:
    def train(process: "Process") -> int:
        process.print("begin")
        process.wait_until_killed()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    jobs = [harness.create_training_job("once"), create(harness, 1, name="twice")]
    for job in jobs:
        harness.wait_for_line(job, "begin")
    harness.engine.restart(exit_code)
    assert harness.wait_until_ended(jobs[0]).state["FailureReason"] == INTERNAL
    harness.wait_until(lambda: stages_of(harness.reload(jobs[1]))[3:] == ["Restarting", "Downloading", "Training"])
    harness.stop_job(jobs[1])
    harness.wait_until(lambda: job_facts(harness.reload(jobs[1])).run.stop_signalled_at)
    harness.clock_offset = 121.0
    harness.touch(jobs[1])
    assert harness.wait_until_ended(jobs[1]).status == "Stopped"


def test_a_failure_long_before_a_restart_of_the_engine_is_the_containers_own(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": lambda process: 3})
    harness.engine.restart()
    harness.start()
    assert harness.wait_until_ended(create(harness, 1)).state["FailureReason"] == "AlgorithmError: , exit code: 3"


@pytest.mark.parametrize("failure", ["AlgorithmError: , exit code: 3", "ClientError: Data download failed:"])
def test_other_failures_are_not_tried_again(harness: "Harness", failure: str) -> None:
    harness.engine.add_image("digits:1", {"train": lambda process: 3})
    harness.start()
    channels = [harness.channel("train", f"s3://{harness.bucket}-gone/x")] if "download" in failure else []
    row = harness.wait_until_ended(create(harness, 5, InputDataConfig=channels))
    assert row.state["FailureReason"].startswith(failure)
    assert "Restarting" not in stages_of(row)


def test_an_engine_that_is_away_for_too_long_is_an_internal_error_that_is_tried_again(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.engine.add_image("digits:1", {"train": lambda process: 0})
    create_container, refusals = harness.engine.create, [EngineUnavailable("it is restarted")]

    def create_once_away(spec: Any) -> str:
        if refusals:
            raise refusals.pop()
        return create_container(spec)

    monkeypatch.setattr(harness.engine, "create", create_once_away)
    harness.start(outage_seconds=0.0)
    row = harness.wait_until_ended(create(harness, 1))
    assert row.status == "Completed", row.state.get("FailureReason")
    assert stages_of(row)[:4] == ["Starting", "Downloading", "Restarting", "Downloading"]


def test_the_runtime_of_all_attempts_together_is_bounded(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        process.print(f"after {harness.clock_offset:g}")
        process.wait_for_stop()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    job = create(harness, 5)
    harness.wait_for_line(job, "after 0")
    harness.clock_offset = 3000.0
    (name,) = harness.container_names()
    harness.engine.remove(name)
    harness.wait_for_line(job, "after 3000")
    harness.clock_offset = 3601.0  # 3,000 s of the first attempt, and 601 s of this one
    harness.touch(job)
    assert harness.wait_until_ended(job).state["SecondaryStatus"] == "MaxRuntimeExceeded"
