"""Requests that AWS refuses at once, in AWS's words; none of them leaves anything behind."""

import json
import socket
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.scenarios.emulator_process import ROLE, EmulatorProcess

pytestmark = pytest.mark.docker

PATTERN = r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


def post(emulator: EmulatorProcess, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        emulator.url,
        body,
        {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def error_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_job_name_with_an_underscore(emulator: EmulatorProcess, box: str) -> None:
    with pytest.raises(ClientError) as caught:
        emulator.train("under_score", box, "")
    code, message = error_of(caught)
    assert code == "ValidationException"
    assert message == (
        "1 validation error detected: Value 'under_score' at 'trainingJobName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {PATTERN}"
    )


def test_every_violation_is_in_one_message(emulator: EmulatorProcess, box: str) -> None:
    with pytest.raises(ClientError) as caught:
        emulator.train("under_score", box, "", RoleArn="arn:aws:nothing::::::::")
    assert error_of(caught)[1].startswith("2 validation errors detected: ")


def test_a_hyperparameter_that_is_no_string(emulator: EmulatorProcess) -> None:
    status, error = post(emulator, "CreateTrainingJob", b'{"TrainingJobName": "n", "HyperParameters": {"epochs": 3}}')
    assert (status, error["__type"]) == (400, "SerializationException")


def test_a_channel_without_objects(emulator: EmulatorProcess, box: str) -> None:
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://samebox-test/nothing/here"}
    with pytest.raises(ClientError) as caught:
        emulator.train(
            "no-data", box, "", InputDataConfig=[{"ChannelName": "c", "DataSource": {"S3DataSource": source}}]
        )
    code, message = error_of(caught)
    assert code == "ValidationException"
    assert message.startswith(
        'No S3 objects found under S3 URL "s3://samebox-test/nothing/here" given in input data source. Please ensure '
        "that the bucket exists in the selected region (us-east-1), that objects exist under that S3 prefix, and that "
        f'the role "{ROLE}"'
    )
    with pytest.raises(ClientError):
        emulator.job("no-data")


def test_an_image_that_is_not_in_ecr(emulator: EmulatorProcess, box: str) -> None:
    with pytest.raises(ClientError) as caught:
        emulator.train("no-image", box.replace("/box:", "/absent:"), "")
    assert error_of(caught)[0] == "ValidationException"
    assert "repository: absent" in error_of(caught)[1]


def test_an_image_of_another_registry(emulator: EmulatorProcess) -> None:
    with pytest.raises(ClientError) as caught:
        emulator.train("elsewhere", "docker.io/library/busybox:latest", "")
    assert error_of(caught)[0] == "ValidationException"
    assert "private Docker registry" in error_of(caught)[1]


def test_a_role_that_is_none(emulator: EmulatorProcess, box: str) -> None:
    with pytest.raises(ClientError) as caught:
        emulator.train("no-role", box, "", RoleArn="arn:aws:s3:::not-a-role-at-all")
    assert "at 'roleArn' failed to satisfy constraint: Member must satisfy regular expression" in error_of(caught)[1]


def test_two_jobs_of_one_name(emulator: EmulatorProcess, box: str) -> None:
    emulator.train("twice", box, "")
    with pytest.raises(ClientError) as caught:
        emulator.train("twice", box, "")
    code, message = error_of(caught)
    assert code == "ResourceInUse"
    assert message.startswith("Training job names must be unique within an AWS account and region")
    assert emulator.ended("twice")["TrainingJobStatus"] == "Completed"


def test_a_truncated_body(emulator: EmulatorProcess) -> None:
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=60) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListTrainingJobs\r\n"
            b"Content-Type: application/x-amz-json-1.1\r\nContent-Length: 1000\r\n\r\n{"
        )
        client.shutdown(socket.SHUT_WR)
        client.recv(1000)  # an answer or the end of the connection, but something, within the time
    assert post(emulator, "ListTrainingJobs", b"{}")[0] == 200


@pytest.mark.parametrize("body", [b'{"TrainingJobName": "n"', b"[1]", b"nonsense", b'{"a":' * 50 + b"1" + b"}" * 50])
def test_a_body_that_is_not_the_protocols(emulator: EmulatorProcess, body: bytes) -> None:
    status, error = post(emulator, "CreateTrainingJob", body)
    assert status == 400
    assert error["__type"] in ("SerializationException", "ValidationException")


def test_an_unknown_operation(emulator: EmulatorProcess) -> None:
    status, error = post(emulator, "MakeCoffee", b"{}")
    assert status in (400, 404)
    assert error["__type"] == "UnknownOperationException"


def test_an_operation_that_nothing_here_runs_is_named(emulator: EmulatorProcess) -> None:
    with pytest.raises(ClientError) as caught:
        emulator.sagemaker.list_feature_groups()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ListFeatureGroups" in error_of(caught)[1]


def test_nothing_is_left_running(emulator: EmulatorProcess) -> None:
    emulator.ended("twice")
    assert emulator.containers("name=samebox-no-") == []
