"""kill -9 in each phase of a training job on two hosts: the next start ends it as this one would have."""

import json
from typing import TYPE_CHECKING

import pytest

from tests.jobs.crashing import RecordedSteps

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness

HOSTS = ("algo-1", "algo-2")


def begin(harness: "Harness") -> "Resource":
    """A job whose hosts each write down their share of a channel, a line of their own, and that they ran once."""

    def train(process: "Process") -> int:
        config = json.loads((process.path("/opt/ml/input/config") / "resourceconfig.json").read_text())
        host = config["current_host"]
        data = process.path("/opt/ml/input/data") / "train"
        with (process.path("/opt/ml/model") / host).open("a") as file:
            file.write(" ".join(sorted(path.name for path in data.iterdir())) + "\n")
        process.print(f"I am {host}")
        (process.path("/opt/ml/output/data") / f"report-{host}").write_text("fine")
        return 0

    harness.engine.add_image("digits:1", {"train": train}, remote=True)
    for name in "abc":
        harness.put_object(f"digits/{name}")
    channel = harness.channel("train", f"s3://{harness.bucket}/digits/")
    channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": len(HOSTS), "VolumeSizeInGB": 1}
    return harness.create_training_job(InputDataConfig=[channel], ResourceConfig=resources)


def lines(harness: "Harness", job: "Resource", host: str) -> list[str]:
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = [one.name for one in harness.logbook.streams(group) if one.name.startswith(f"{job.name}/{host}-")]
    return [event.message for _, event in harness.logbook.read(group, stream)]


def check(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    stages = [one["Status"] for one in row.state["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    folder = f"s3://{harness.bucket}/out/digits/output"
    assert harness.files_of_tar(f"{folder}/model.tar.gz") == {"algo-1": b"a c\n", "algo-2": b"b\n"}
    assert harness.files_of_tar(f"{folder}/output.tar.gz") == {f"report-{host}": b"fine" for host in HOSTS}
    assert [lines(harness, job, host) for host in HOSTS] == [[f"I am {host}"] for host in HOSTS]
    assert harness.container_names() == []
    assert harness.next_start_leaves_no_network()


# Those of one host are in test_crashes.py; here are the calls that each host makes, and those that join them.
CALLS = {
    "resources.advance": 4,
    "resources.change": 1,
    "logbook.create": 2,
    "engine.create_network": 1,
    "objects.download": 3,
    "engine.create": 3,
    "engine.start": 2,
    "logbook.append": 2,
    "engine.archive": 5,
    "objects.upload": 2,
    "engine.remove": 2,
    "engine.sweep_path": 1,
}
STEPS = RecordedSteps(begin, check, CALLS, ("logbook.append",), is_complete=False)


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_step_changes_nothing_of_how_both_hosts_end(
    harness: "Harness", step: "Step", after: bool
) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_steps_above_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)


@pytest.mark.parametrize("ends", HOSTS)
def test_a_host_that_failed_while_no_emulator_ran_ends_the_other(harness: "Harness", ends: str) -> None:
    def train(process: "Process") -> int:
        process.print("begin")
        process.wait_for_stop()
        process.path("/opt/ml/output/failure").write_text("no luck")
        return 5

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": len(HOSTS), "VolumeSizeInGB": 1}
    job = harness.create_training_job(ResourceConfig=resources)
    harness.wait_for_status(job, "Training")
    harness.poll_until(lambda: all(one.running for one in harness.engine.find({})))
    harness.crash()
    (name,) = [name for name in harness.container_names() if f"-{ends}-" in name]
    harness.engine.stop(name, 10)
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"] == f"AlgorithmError: {ends}: no luck, exit code: 5"
    harness.poll_until(lambda: not harness.container_names())
    assert harness.next_start_leaves_no_network()
