"""A job and an endpoint through an engine that has another disk, another network and other processes than we do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, docker, until
from tests.scenarios.test_processing import ended as processed
from tests.scenarios.test_processing import process
from tests.second_engine import copy_image, missing, restartable_engine, second_engine

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(bool(missing()), reason=f"a second engine needs {missing()}"),
]

WAIT_SECONDS = 180.0
INTERNAL = "InternalServerError: We encountered an internal error.  Please try again."
TRAIN = """
rows = Path("/opt/ml/input/data/train/rows.csv").read_text()
Path("/opt/ml/model/weights").write_text(rows * 2)
Path("/opt/ml/output/data/report").write_text("fine")
print("trained on", rows)
"""
SERVE = 'def invoke(body, headers): return 200, Path("/opt/ml/model/weights").read_bytes() + body'


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, box_image: str) -> Iterator[str]:
    with second_engine(tmp_path_factory.mktemp("second") / "engine") as found:
        copy_image(box_image, found)
        yield found


@pytest.fixture
def elsewhere(tmp_path: Path, host: str) -> Iterator[EmulatorProcess]:
    """An emulator whose containers run there."""
    process = EmulatorProcess(
        tmp_path / "data", allow_local_images="true", training_stop_seconds="2", serving_stop_seconds="2"
    )
    process.environment["DOCKER_HOST"] = host
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.down()


def left(host: str, what: str) -> list[str]:
    everything = {"container": ("--all",)}.get(what, ())
    return docker("--host", host, what, "ls", "--quiet", "--filter", "label=samebox", *everything).split()


def channel(uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}}


def test_what_a_job_there_learned_is_served_there(elsewhere: EmulatorProcess, host: str, box_image: str) -> None:
    elsewhere.s3.put_object(Bucket="samebox-test", Key="data/rows.csv", Body=b"1,2;")
    elsewhere.train("there", box_image, TRAIN, InputDataConfig=[channel("s3://samebox-test/data/")])
    job = elsewhere.ended("there")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert elsewhere.log_lines("there/") == ["trained on 1,2;"]

    def invoke() -> bytes:
        answer = elsewhere.runtime.invoke_endpoint(EndpointName="there", Body=b"!", ContentType="text/csv")
        return bytes(answer["Body"].read())

    elsewhere.serve("there", box_image, SERVE, ModelDataUrl=job["ModelArtifacts"]["S3ModelArtifacts"])
    assert invoke() == b"1,2;1,2;!"
    elsewhere.kill()
    elsewhere.up()
    assert until(lambda: elsewhere.endpoint_at("there", {"InService"}) and invoke(), WAIT_SECONDS, "it serves") == (
        b"1,2;1,2;!"
    )
    elsewhere.sagemaker.delete_endpoint(EndpointName="there")
    elsewhere.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="there", WaiterConfig={"Delay": 1})
    elsewhere.down()
    assert {what: left(host, what) for what in ("container", "volume", "network")} == {
        "container": [], "volume": [], "network": [],
    }  # fmt: skip


def test_hosts_there_find_each_other_and_a_stop_ends_them(
    elsewhere: EmulatorProcess, host: str, box_image: str
) -> None:
    script = """
import socket
print("found", sorted(name for name in ("algo-1", "algo-2") if socket.gethostbyname(name)))
time.sleep(600)
"""
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    elsewhere.train("both", box_image, script, ResourceConfig=resources)
    found = ["found ['algo-1', 'algo-2']"]
    elsewhere.job_at("both", {"Training"})
    for number in (1, 2):
        until(lambda: elsewhere.log_lines(f"both/algo-{number}-") == found, WAIT_SECONDS, "it prints")  # noqa: B023
    elsewhere.sagemaker.stop_training_job(TrainingJobName="both")
    assert elsewhere.ended("both")["TrainingJobStatus"] == "Stopped"
    assert left(host, "container") == left(host, "volume") == []


def test_a_restart_of_the_engine_fails_its_jobs_and_they_are_tried_again(tmp_path: Path, box_image: str) -> None:
    script = """
state = Path("/opt/ml/checkpoints/state")
state.parent.mkdir(exist_ok=True)
if state.exists():
    print("resumed"); sys.exit(0)
state.write_text("half")
print("begun")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True: time.sleep(1)
"""
    with restartable_engine(tmp_path / "engine") as (host, restart):
        copy_image(box_image, host)
        emulator = EmulatorProcess(tmp_path / "data", allow_local_images="true", checkpoint_seconds="0.5")
        emulator.environment["DOCKER_HOST"] = host
        emulator.up()
        try:
            emulator.s3.create_bucket(Bucket="samebox-test")
            checkpoints = {"CheckpointConfig": {"S3Uri": "s3://samebox-test/ckpt"}}
            small = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}  # all run at once
            emulator.train("fails", box_image, script, ResourceConfig=small)
            emulator.train(
                "retried",
                box_image,
                script,
                ResourceConfig=small,
                RetryStrategy={"MaximumRetryAttempts": 1},
                **checkpoints,
            )
            cluster = {"ClusterConfig": {**small, "InstanceCount": 2}}
            process(
                emulator,
                box_image,
                "cleans",
                "import signal; signal.signal(signal.SIGTERM, lambda *_: exit()); signal.pause()",
                ProcessingResources=cluster,
            )
            for name in ("fails", "retried"):
                until(lambda: "begun" in emulator.log_lines(f"{name}/"), WAIT_SECONDS, "it begins")  # noqa: B023
            until(
                lambda: len(docker("--host", host, "ps", "-q", "--filter", "name=samebox-cleans").split()) == 2,
                60,
                "runs",
            )
            until(lambda: "Contents" in emulator.s3.list_objects_v2(Bucket="samebox-test", Prefix="ckpt/"), 60, "saved")
            restart()
            failed, retried = emulator.ended("fails", WAIT_SECONDS), emulator.ended("retried", WAIT_SECONDS)
            assert failed["FailureReason"] == processed(emulator, "cleans")["FailureReason"] == INTERNAL
            assert (retried["TrainingJobStatus"], retried.get("FailureReason")) == ("Completed", None)
            assert "resumed" in emulator.log_lines("retried/")
            assert "Restarting" in [one["Status"] for one in retried["SecondaryStatusTransitions"]]
            assert left(host, "container") == []
            emulator.train("after", box_image, "print('runs')", ResourceConfig=small)
            assert emulator.ended("after")["TrainingJobStatus"] == "Completed"
        finally:
            emulator.down()
