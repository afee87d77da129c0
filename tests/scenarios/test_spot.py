"""Managed spot training in real containers: interrupted by a tag or by command, resumed from checkpoints."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, until

pytestmark = pytest.mark.docker

WAIT_SECONDS = 180.0
# Counts the attempts in its checkpoint; the attempts but the last wait to be interrupted.
TRAIN = """
host = json.loads(Path("/opt/ml/input/config/resourceconfig.json").read_text())["current_host"]
folder = Path("/opt/ml/checkpoints")
state, first = folder / f"state-{host}", folder / "state-algo-1"
begun = len(first.read_text()) if first.exists() else 0
print("begun", begun, "times before")
def stop(*_):
    state.write_text("x" * (begun + 1))
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
if begun < int(os.environ["LAST"]):
    (state.parent / f"attempt-{begun}").write_text("while it runs")
    print("waiting")
    while True: time.sleep(1)
(state.parent / "attempt-0").unlink(missing_ok=True)
Path("/opt/ml/model/weights").write_text(f"after {begun} interruptions")
"""
RUN = ["Starting", "Downloading", "Training"]


def request(name: str, tags: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
        "CheckpointConfig": {"S3Uri": f"s3://samebox-test/ckpt/{name}"},
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        **changes,
    }


def checkpoints(emulator: EmulatorProcess, name: str) -> dict[str, bytes]:
    prefix = f"ckpt/{name}/"
    found = emulator.s3.list_objects_v2(Bucket="samebox-test", Prefix=prefix).get("Contents", [])
    return {
        one["Key"].removeprefix(prefix): emulator.s3.get_object(Bucket="samebox-test", Key=one["Key"])["Body"].read()
        for one in found
    }


def stages_of(job: dict[str, Any]) -> list[str]:
    return [one["Status"] for one in job["SecondaryStatusTransitions"]]


def test_a_job_on_two_hosts_is_interrupted_at_a_line_and_resumes(emulator: EmulatorProcess, box: str) -> None:
    resources = {"InstanceType": "ml.t3.medium", "InstanceCount": 2, "VolumeSizeInGB": 1}
    given = request("at-a-line", {"samebox:spot-interrupt-at": "waiting"}, ResourceConfig=resources)
    emulator.train("at-a-line", box, TRAIN, Environment={"LAST": "1"}, **given)
    job = emulator.ended("at-a-line", WAIT_SECONDS)
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert stages_of(job) == [*RUN, "Interrupted", *RUN, "Uploading", "Completed"]
    # Each host had the files of both, and has deleted what is not needed any more. The second may have been killed
    # before it could handle a signal: the line was the first host's.
    assert {**checkpoints(emulator, "at-a-line"), "state-algo-2": b"x"} == {"state-algo-1": b"x", "state-algo-2": b"x"}
    assert "begun 1 times before" in emulator.log_lines("at-a-line/algo-2-")
    assert job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]


def test_a_job_is_interrupted_by_command_while_the_emulator_was_killed(emulator: EmulatorProcess, box: str) -> None:
    emulator.train("by-command", box, TRAIN, Environment={"LAST": "2"}, **request("by-command"))
    for number in range(2):
        line = f"begun {number} times before"
        until(lambda: line in lines(emulator, "by-command"), WAIT_SECONDS, "it begins")  # noqa: B023
        until(lambda: f"attempt-{number}" in checkpoints(emulator, "by-command"), WAIT_SECONDS, "it is copied")  # noqa: B023
        emulator.kill()
        emulator.up()
        command = [sys.executable, "-m", "samebox.cli", "spot", "interrupt", "by-command"]
        subprocess.run(command, check=True, env=emulator.environment)
    job = emulator.ended("by-command", WAIT_SECONDS)
    assert stages_of(job) == [*RUN, "Interrupted", *RUN, "Interrupted", *RUN, "Uploading", "Completed"]
    assert checkpoints(emulator, "by-command") == {"attempt-1": b"while it runs", "state-algo-1": b"xx"}


def lines(emulator: EmulatorProcess, name: str) -> list[str]:
    return emulator.log_lines(f"{name}/algo-1-")


CAPACITY_SECONDS = 8


@pytest.fixture
def scarce(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator whose spot jobs wait for their instances. It takes local image names."""
    process = EmulatorProcess(
        tmp_path_factory.mktemp("scarce"),
        allow_local_images="true",
        spot_capacity_seconds=str(CAPACITY_SECONDS),
    )
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


def test_a_job_is_stopped_when_its_wait_is_over_before_it_has_instances_or_while_it_trains(
    scarce: EmulatorProcess, box_image: str
) -> None:
    # The time without instances is no runtime, so the wait is over before MaxRuntimeInSeconds.
    for name, seconds in (("never-begins", 1), ("not-done", CAPACITY_SECONDS + 15)):
        limits = {"MaxRuntimeInSeconds": seconds, "MaxWaitTimeInSeconds": seconds}
        scarce.train(name, box_image, TRAIN, Environment={"LAST": "1"}, **request(name, StoppingCondition=limits))
    never, not_done = (scarce.ended(name) for name in ("never-begins", "not-done"))
    for job in (never, not_done):
        assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
        assert "FailureReason" not in job
        assert "MaxWaitTimeInSeconds" in job["SecondaryStatusTransitions"][-1]["StatusMessage"]
    assert stages_of(never) == ["Starting", "Stopping", "MaxWaitTimeExceeded"]
    assert lines(scarce, "never-begins") == []
    assert stages_of(not_done) == [*RUN, "Stopping", "MaxWaitTimeExceeded"]
    assert lines(scarce, "not-done")[-2:] == ["begun 0 times before", "waiting"]
    assert checkpoints(scarce, "not-done") == {"attempt-0": b"while it runs", "state-algo-1": b"x"}
    until(lambda: not scarce.containers("name=samebox-n"), WAIT_SECONDS, "the containers are gone")
