"""StoppingCondition, CheckpointConfig and what else is uploaded while a job runs, of CreateTrainingJob."""

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
        f"Invalid tag samebox:spot-interrupt-after: {seconds.split()[-1]!r} is not a number of seconds; a list of "
        "them is 30 60."
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


@pytest.mark.parametrize(
    ("is_spot", "key", "value", "words"),
    [
        (True, "samebox:spot-interrupt-after", "soon", "'soon' is not a number of seconds; a list of them is 30 60."),
        (False, "samebox:spot-interrupt", "now", "It is only supported when EnableManagedSpotTraining is set to true"),
    ],
)
def test_a_tag_that_is_added_later_is_checked_as_one_that_comes_with_the_job(
    aws: Aws, is_spot: bool, key: str, value: str, words: str
) -> None:
    spot = {"EnableManagedSpotTraining": True, "StoppingCondition": SPOT} if is_spot else {}
    arn = aws.create("TrainingJob", **spot)
    with pytest.raises(ClientError, match=words) as refused:
        aws.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": value}])
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert key in refused.value.response["Error"]["Message"]
    assert aws.row(arn).tags == {}


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


WORDS = {
    "DebugHookConfig": "debug hook config",
    "TensorBoardOutputConfig": "TensorBoard output config",
    "ProfilerConfig": "profiler config",
}


@pytest.mark.parametrize("member", WORDS)
def test_what_is_uploaded_while_a_job_runs_needs_a_bucket(aws: Aws, member: str) -> None:
    message = message_of(aws, **{member: {"S3OutputPath": "s3://nowhere-at-all/x"}})
    assert message == (
        f'No S3 bucket found under S3 URL "s3://nowhere-at-all/x" given in {WORDS[member]}. Please ensure that the '
        f'bucket exists in the selected region (us-east-1), and that the role "{samples.TRAINING_JOB["RoleArn"]}" has '
        '"s3:PutObject" permissions on bucket "nowhere-at-all".'
    )


@pytest.mark.parametrize("member", ["DebugHookConfig", "TensorBoardOutputConfig"])
@pytest.mark.parametrize("path", ["opt/ml/output/tensorboard", "/logs/../etc", "/opt/ml/", "/opt/ml/input/data/logs"])
def test_its_local_path_is_no_directory_of_the_platform(aws: Aws, member: str, path: str) -> None:
    message = message_of(aws, **{member: {"S3OutputPath": "s3://samples/x", "LocalPath": path}})
    assert message == (
        f"Invalid LocalPath '{path}' in {WORDS[member]}. It must be an absolute path, and no directory of the training "
        "platform."
    )


@pytest.mark.parametrize("path", ["/logs", "/opt/ml/output/data", "/opt/ml/model/logs/"])
def test_a_job_with_debugger_is_described_as_it_was_created(aws: Aws, path: str) -> None:
    given: dict[str, Any] = {
        "DebugHookConfig": {
            "S3OutputPath": "s3://samples/x",
            "LocalPath": path,
            "HookParameters": {"save_interval": "100"},
            "CollectionConfigurations": [{"CollectionName": "losses"}],
        },
        "TensorBoardOutputConfig": {"S3OutputPath": "s3://samples/x", "LocalPath": path},
        "ProfilerConfig": {"S3OutputPath": "s3://samples/x", "ProfilingIntervalInMilliseconds": 500},
    }
    name = aws.row(aws.create("TrainingJob", **given)).name
    shown = aws.sagemaker.describe_training_job(TrainingJobName=name)
    assert {member: shown[member] for member in given} == given  # type: ignore[literal-required]


def test_a_profiler_that_is_off_needs_no_bucket(aws: Aws) -> None:
    off = {"DisableProfiler": True, "S3OutputPath": "s3://nowhere-at-all/x"}
    name = aws.row(aws.create("TrainingJob", ProfilerConfig=off)).name
    assert aws.sagemaker.describe_training_job(TrainingJobName=name)["ProfilerConfig"] == off
