"""StoppingCondition and CheckpointConfig of CreateTrainingJob."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import samples
from tests.conftest import Aws

TOO_SHORT = "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"

SPOT = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}


def message_of(aws: Aws, **changes: Any) -> str:
    with pytest.raises(ClientError) as refused:
        aws.sagemaker.create_training_job(**{**samples.TRAINING_JOB, **changes})
    error: dict[str, str] = refused.value.response["Error"]  # type: ignore[assignment]
    assert error["Code"] == "ValidationException"
    return error["Message"]


@pytest.mark.parametrize(
    "stopping",
    [
        {"MaxRuntimeInSeconds": 60},
        {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
        {"MaxWaitTimeInSeconds": 86_399},  # MaxRuntimeInSeconds is a day where it is not given
    ],
)
def test_a_spot_job_waits_at_least_as_long_as_it_runs(aws: Aws, stopping: dict[str, int]) -> None:
    assert message_of(aws, EnableManagedSpotTraining=True, StoppingCondition=stopping) == TOO_SHORT


def test_other_jobs_have_no_maximum_wait(aws: Aws) -> None:
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    assert message_of(aws, StoppingCondition=stopping) == (
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
    )


@pytest.mark.parametrize("seconds", ["soon", "30 soon", "30s", "30:60", "-1", "nan", "1e999"])
def test_a_spot_job_is_interrupted_after_seconds_and_nothing_else(aws: Aws, seconds: str) -> None:
    tags = [{"Key": "team", "Value": "soon"}, {"Key": "samebox:spot-interrupt-after", "Value": seconds}]
    assert message_of(aws, EnableManagedSpotTraining=True, StoppingCondition=SPOT, Tags=tags) == (
        f"Invalid tag samebox:spot-interrupt-after: {seconds!r} is no list of seconds, such as 30 60."
    )


@pytest.mark.parametrize("seconds", ["", "30", "30 1.5"])
def test_seconds_of_a_spot_job_are_a_list(aws: Aws, seconds: str) -> None:
    tags = [{"Key": "samebox:spot-interrupt-after", "Value": seconds}]
    arn = aws.create("TrainingJob", EnableManagedSpotTraining=True, StoppingCondition=SPOT, Tags=tags)
    assert aws.row(arn).tags == {"samebox:spot-interrupt-after": seconds}


@pytest.mark.parametrize("order", ["", "-after", "-at"])
def test_other_jobs_are_not_interrupted(aws: Aws, order: str) -> None:
    assert message_of(aws, Tags=[{"Key": f"samebox:spot-interrupt{order}", "Value": "30"}]) == (
        f"Invalid tag samebox:spot-interrupt{order}. It is only supported when EnableManagedSpotTraining is set to true"
    )


def test_a_spot_job_is_described_as_it_was_created(aws: Aws) -> None:
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    checkpoints = {"S3Uri": "s3://samples/checkpoints/", "LocalPath": "/state"}
    retries = {"MaximumRetryAttempts": 3}
    arn = aws.create(
        "TrainingJob",
        EnableManagedSpotTraining=True,
        StoppingCondition=stopping,
        CheckpointConfig=checkpoints,
        RetryStrategy=retries,
    )
    shown = aws.sagemaker.describe_training_job(TrainingJobName=aws.row(arn).name)
    assert shown["EnableManagedSpotTraining"] is True
    assert (shown["StoppingCondition"], shown["CheckpointConfig"]) == (stopping, checkpoints)
    assert shown["RetryStrategy"] == retries


def test_checkpoints_need_a_bucket(aws: Aws) -> None:
    message = message_of(aws, CheckpointConfig={"S3Uri": "s3://nowhere-at-all/x"})
    assert message.startswith('No S3 bucket found under S3 URL "s3://nowhere-at-all/x" given in checkpoint config.')


@pytest.mark.parametrize("path", ["here", "/a/../b", "/", "/opt/ml", "/opt/ml/model/", "/opt/ml/input/data/train"])
def test_checkpoints_need_a_folder_of_their_own(aws: Aws, path: str) -> None:
    message = message_of(aws, CheckpointConfig={"S3Uri": "s3://samples/x", "LocalPath": path})
    assert message.startswith(f"Invalid LocalPath '{path}' in checkpoint config.")
