"""Faults on purpose, through plain boto3 and `samebox fault`: what a client sees of each."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.scenarios.emulator_process import EmulatorProcess

pytestmark = pytest.mark.docker

WAITS = "import threading; print('waiting', flush=True); threading.Event().wait()"
PAIR = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def fault(emulator: EmulatorProcess, *words: str) -> str:
    command = [sys.executable, "-m", "samebox.cli", "fault", *words]
    done = subprocess.run(command, env=emulator.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _cleared(emulator: EmulatorProcess) -> Iterator[None]:
    yield
    fault(emulator, "clear")


def tagged(text: str) -> dict[str, Any]:
    return {"Tags": [{"Key": "samebox:fault", "Value": text}]}


def refused(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def test_a_throttled_operation_is_seen_by_a_client_that_does_not_try_again(emulator: EmulatorProcess) -> None:
    fault(emulator, "set", "throttled", "operation=ListModels", "times=2")
    assert refused(emulator.sagemaker.list_models) == "ThrottlingException"
    patient = boto3.client(
        "sagemaker", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="123456789012",
        aws_secret_access_key="test", config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
    )  # fmt: skip
    assert patient.list_models()["ResponseMetadata"]["RetryAttempts"] == 1
    assert fault(emulator, "list") == "throttled operation=ListModels times=2 (struck 2 times)\n"


def test_s3_asks_to_slow_down_for_one_bucket(emulator: EmulatorProcess) -> None:
    emulator.s3.create_bucket(Bucket="other-bucket")
    fault(emulator, "set", "s3-error", "bucket=samebox-test", "times=1")
    emulator.s3.put_object(Bucket="other-bucket", Key="a", Body=b"x")
    assert refused(emulator.s3.put_object, Bucket="samebox-test", Key="a", Body=b"x" * 100_000) == "SlowDown"
    emulator.s3.put_object(Bucket="samebox-test", Key="a", Body=b"x")


def test_a_slow_s3_answers_when_a_client_has_given_up(emulator: EmulatorProcess) -> None:
    fault(emulator, "set", "s3-slow", "bucket=samebox-test", "seconds=600", "times=1")
    hasty = boto3.client(
        "s3", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="123456789012",
        aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}, read_timeout=0.2),
    )  # fmt: skip
    with pytest.raises(ReadTimeoutError):
        hasty.list_objects_v2(Bucket="samebox-test")
    emulator.s3.list_objects_v2(Bucket="samebox-test")
    assert "(struck 1 times)" in fault(emulator, "list")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("No-Capacity", "capacity", "CapacityError: Unable to provision requested ML compute capacity."),
        ("No-Image", "image-pull", "ClientError: Cannot pull algorithm container."),
        ("No-Room", "disk-full", "ClientError: Data download failed:Insufficient disk space"),
        ("No-S3", "s3-error", "ClientError: Data download failed:SlowDown"),
        ("Killed", "out-of-memory", "ClientError: Please use an instance type with more memory,"),
    ],
)
def test_a_job_with_a_fault_fails_for_it(
    emulator: EmulatorProcess, box: str, name: str, text: str, reason: str
) -> None:
    emulator.train(name, box, WAITS, **tagged(text))
    assert emulator.ended(name)["FailureReason"].startswith(reason)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("No-Room-Left", "disk-full at=upload", "ClientError: Artifact upload failed:Insufficient disk space"),
        ("No-S3-Left", "s3-error at=upload", "ClientError: Artifact upload failed:SlowDown"),
    ],
)
def test_a_job_whose_output_a_fault_keeps_from_s3_fails_and_leaves_none(
    emulator: EmulatorProcess, box: str, name: str, text: str, reason: str
) -> None:
    emulator.train(name, box, "Path('/opt/ml/model/one').write_text('1')", **tagged(text))
    assert emulator.ended(name)["FailureReason"].startswith(reason)
    assert "Contents" not in emulator.s3.list_objects_v2(Bucket="samebox-test", Prefix=f"out/{name}/")


def test_a_lost_host_of_two_is_an_internal_error(emulator: EmulatorProcess, box: str) -> None:
    emulator.train("Lost", box, WAITS, ResourceConfig=PAIR, **tagged("lost-host host=algo-2"))
    assert emulator.ended("Lost")["FailureReason"].startswith("InternalServerError")
    assert not emulator.containers("name=samebox-Lost")


def test_a_container_that_hangs_is_killed_when_the_window_of_a_stop_is_over(
    emulator: EmulatorProcess, box: str
) -> None:
    emulator.train("Hangs", box, WAITS, **tagged("hang"))
    emulator.job_at("Hangs", {"Training"})
    emulator.sagemaker.stop_training_job(TrainingJobName="Hangs")
    assert emulator.ended("Hangs")["TrainingJobStatus"] == "Stopped"


def test_an_endpoint_whose_first_pings_are_late_comes_into_service(emulator: EmulatorProcess, box: str) -> None:
    fault(emulator, "set", "slow-ping", "endpoint=late", "seconds=2", "times=1")
    emulator.serve("late", box)
    assert "(struck 1 times)" in fault(emulator, "list")
    emulator.sagemaker.delete_endpoint(EndpointName="late")


def test_a_tag_that_names_no_fault_is_refused(emulator: EmulatorProcess, box: str) -> None:
    with pytest.raises(ClientError, match="samebox:fault: there is no fault 'rain'"):
        emulator.train("Rain", box, WAITS, **tagged("rain"))
