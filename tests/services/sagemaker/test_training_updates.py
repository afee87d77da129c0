"""UpdateTrainingJob, and what its members are at creation: warm pools, remote debugging and profiling."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.kinds import TRAINING_JOB
from samebox.resources.run_facts import PoolFacts, job_facts
from tests import samples
from tests.conftest import CALLER, Aws

RESOURCES = samples.TRAINING_JOB["ResourceConfig"]
GROUP = {"InstanceGroupName": "one", "InstanceType": "ml.m5.large", "InstanceCount": 1}
PERIOD: dict[str, Any] = {"ResourceConfig": {"KeepAlivePeriodInSeconds": 60}}
DEBUG: dict[str, Any] = {"RemoteDebugConfig": {"EnableRemoteDebug": True}}


def create(aws: Aws, **members: Any) -> None:
    aws.sagemaker.create_training_job(**{**samples.TRAINING_JOB, **members})


def move(aws: Aws, *stages: str, **state: Any) -> None:
    for stage in stages:
        row = aws.resources.get(TRAINING_JOB, CALLER, "digits")
        aws.resources.advance(row, stage, **(state if stage == stages[-1] else {}))


def complete(aws: Aws, pool: str | None) -> None:
    state = {} if pool is None else {"WarmPoolStatus": {"Status": pool}}
    move(aws, "Downloading", "Training", "Uploading", "Completed", **state)


def describe(aws: Aws) -> dict[str, Any]:
    return dict(aws.sagemaker.describe_training_job(TrainingJobName="digits"))


def refused(aws: Aws, operation: str, **members: Any) -> str:
    with pytest.raises(ClientError) as caught:
        getattr(aws.sagemaker, operation)(**members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    return str(caught.value.response["Error"]["Message"])


def refused_update(aws: Aws, **members: Any) -> str:
    return refused(aws, "update_training_job", TrainingJobName="digits", **members)


def test_the_period_of_an_available_pool_is_changed(aws: Aws) -> None:
    create(aws, ResourceConfig={**RESOURCES, "KeepAlivePeriodInSeconds": 600})
    complete(aws, "Available")
    arn = aws.sagemaker.update_training_job(TrainingJobName="digits", **PERIOD)["TrainingJobArn"]
    assert arn == describe(aws)["TrainingJobArn"]
    assert describe(aws)["ResourceConfig"] == {**RESOURCES, "KeepAlivePeriodInSeconds": 60}


@pytest.mark.parametrize("status", [None, "Reused", "Terminated"])
def test_the_period_of_another_pool_stays(aws: Aws, status: str | None) -> None:
    create(aws)
    words = "KeepAlivePeriodInSeconds can be updated for training job "
    assert refused_update(aws, **PERIOD).startswith(words)
    complete(aws, status)
    assert refused_update(aws, **PERIOD).endswith(f"it is {status or 'absent'}.")


def test_remote_debugging_is_switched_while_data_is_fetched_and_while_it_trains(aws: Aws) -> None:
    create(aws)
    assert "Downloading or Training" in refused_update(aws, **DEBUG)
    for stage, enabled in (("Downloading", True), ("Training", False)):
        move(aws, stage)
        aws.sagemaker.update_training_job(TrainingJobName="digits", RemoteDebugConfig={"EnableRemoteDebug": enabled})
        assert describe(aws)["RemoteDebugConfig"] == {"EnableRemoteDebug": enabled}
    move(aws, "Uploading")
    assert "Downloading or Training" in refused_update(aws, **DEBUG)


def test_an_isolated_job_is_not_debugged(aws: Aws) -> None:
    isolated = {**samples.TRAINING_JOB, "EnableNetworkIsolation": True}
    assert "EnableNetworkIsolation" in refused(aws, "create_training_job", **isolated, **DEBUG)
    aws.sagemaker.create_training_job(**isolated)
    move(aws, "Downloading")
    assert "EnableNetworkIsolation" in refused_update(aws, **DEBUG)


def test_profiling_is_changed_until_the_job_ends(aws: Aws) -> None:
    create(aws, ProfilerConfig={"S3OutputPath": "s3://samples/profiles", "DisableProfiler": True})
    aws.sagemaker.update_training_job(
        TrainingJobName="digits", ProfilerConfig={"ProfilingIntervalInMilliseconds": 1000}
    )
    assert describe(aws)["ProfilerConfig"] == {
        "S3OutputPath": "s3://samples/profiles", "ProfilingIntervalInMilliseconds": 1000,
    }  # fmt: skip
    complete(aws, None)
    assert "InProgress" in refused_update(aws, ProfilerConfig={"DisableProfiler": True})


def test_a_job_that_is_not_there_is_not_updated(aws: Aws) -> None:
    assert refused_update(aws, **PERIOD) == "Requested resource not found."


@pytest.mark.parametrize(
    ("members", "other"),
    [
        (
            {
                "ResourceConfig": {**RESOURCES, "KeepAlivePeriodInSeconds": 60},
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            },
            "EnableManagedSpotTraining",
        ),
        (
            {"ResourceConfig": {"InstanceGroups": [GROUP], "VolumeSizeInGB": 10, "KeepAlivePeriodInSeconds": 60}},
            "InstanceGroups",
        ),
    ],
)
def test_what_can_have_no_warm_pool(aws: Aws, members: dict[str, Any], other: str) -> None:
    message = refused(aws, "create_training_job", **{**samples.TRAINING_JOB, **members})
    assert message == f"Invalid KeepAlivePeriodInSeconds. It is not supported with {other}"


def test_jobs_are_listed_by_their_pools_and_deleted_without_one(aws: Aws) -> None:
    create(aws, ResourceConfig={**RESOURCES, "KeepAlivePeriodInSeconds": 600})
    complete(aws, "Available")

    def listed(status: Any) -> list[str]:
        found = aws.sagemaker.list_training_jobs(WarmPoolStatusEquals=status)["TrainingJobSummaries"]
        assert all(one["WarmPoolStatus"]["Status"] == status for one in found)
        return [one["TrainingJobName"] for one in found]

    assert (listed("Available"), listed("Reused")) == (["digits"], [])
    with pytest.raises(ClientError, match="retains a warm pool") as caught:
        aws.sagemaker.delete_training_job(TrainingJobName="digits")
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    row = aws.resources.get(TRAINING_JOB, CALLER, "digits")
    aws.resources.change(row, lambda _: {"WarmPoolStatus": {"Status": "Terminated"}})
    aws.sagemaker.delete_training_job(TrainingJobName="digits")
    assert listed("Terminated") == []


def test_an_available_pool_shows_for_how_long_it_has_been_kept(aws: Aws) -> None:
    create(aws, ResourceConfig={**RESOURCES, "KeepAlivePeriodInSeconds": 600})
    complete(aws, "Available")
    row = aws.resources.get(TRAINING_JOB, CALLER, "digits")
    pool = PoolFacts("0123456789abcdef", aws.clock.now, retained_at=aws.clock.now)
    run = replace(job_facts(row).run, pool=pool)
    aws.resources.change(row, facts=lambda newest: replace(job_facts(newest), run=run))
    aws.clock.now += 100
    shown = describe(aws)["WarmPoolStatus"]
    assert (shown["Status"], 100 <= shown["ResourceRetainedBillableTimeInSeconds"] < 110) == ("Available", True)
