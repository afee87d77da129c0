"""Faults that a job has as tags: each ends it as the same trouble on AWS would."""

from typing import TYPE_CHECKING, Any

import pytest

from samebox.resources.outcome import TRAINING_ENDINGS, Outcome

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness


def create(harness: "Harness", fault: str, **changes: Any) -> Any:
    return harness.create_training_job(Tags=[{"Key": "samebox:fault", "Value": fault}], **changes)


def wait(process: "Process") -> int:
    process.wait_for_stop()
    return 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("capacity", "CapacityError: Unable to provision requested ML compute capacity."),
        ("image-pull", "ClientError: Cannot pull algorithm container."),
        ("disk-full", "ClientError: Data download failed:Insufficient disk space"),
        ("disk-full at=upload", "ClientError: Artifact upload failed:Insufficient disk space"),
        ("s3-error", "ClientError: Data download failed:SlowDown"),
        ("s3-error at=upload", "ClientError: Artifact upload failed:SlowDown"),
    ],
)
def test_a_job_fails_as_on_aws(harness: "Harness", fault: str, reason: str) -> None:
    harness.engine.add_image("digits:1", {"train": lambda _: 0})
    harness.start()
    job = create(harness, fault)
    row = harness.wait_until_ended(job)
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith(reason)
    assert f"samebox: fault {fault}" in harness.log_lines(job)


def test_a_fault_of_memory_ends_a_job_as_the_kernel_does(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": wait})
    harness.start()
    job = create(harness, "out-of-memory")
    reason = TRAINING_ENDINGS[Outcome.OUT_OF_MEMORY].reason
    assert harness.wait_until_ended(job).state["FailureReason"] == reason
    assert "samebox: the container was out of memory; its limit is 8.0 GiB" in harness.log_lines(job)


def test_a_lost_host_is_an_internal_error_and_the_job_is_tried_again(harness: "Harness") -> None:
    starts: list[int] = []

    def train(process: "Process") -> int:
        starts.append(1)
        return 0 if len(starts) > 1 else wait(process)

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    once = harness.wait_until_ended(create(harness, "lost-host"))
    assert once.state["FailureReason"].startswith("InternalServerError")
    starts.clear()
    again = create(harness, "lost-host", name="again", RetryStrategy={"MaximumRetryAttempts": 1})
    row = harness.wait_until_ended(again)
    assert (row.status, len(starts)) == ("Completed", 2), row.state.get("FailureReason")


def test_a_host_that_the_job_does_not_have_is_named(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": wait})
    harness.start()
    job = create(harness, "lost-host host=algo-7")
    line = "samebox: fault lost-host host=algo-7: the job has no host algo-7"
    harness.poll_until(lambda: harness.reload(job).state.get("SecondaryStatus") == "Training")
    harness.wait_for_line(job, line)
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
