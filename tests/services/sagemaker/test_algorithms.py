"""Training jobs that name an algorithm: what it runs, what it fills in, and what it does not support."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.kinds import TRAINING_JOB
from samebox.resources.run_facts import job_facts
from samebox.services.sagemaker import algorithms
from tests import samples
from tests.conftest import CALLER, Aws

CHANNEL = {
    "Name": "train",
    "IsRequired": True,
    "SupportedContentTypes": ["text/csv"],
    "SupportedInputModes": ["File", "Pipe"],
}
OTHER = {**CHANNEL, "Name": "other", "IsRequired": False}
HYPERPARAMETERS = [
    {
        "Name": "epochs",
        "Type": "Integer",
        "IsRequired": True,
        "Range": {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "9"}},
    },
    {
        "Name": "rate",
        "Type": "Continuous",
        "DefaultValue": "0.5",
        "Range": {"ContinuousParameterRangeSpecification": {"MinValue": "0", "MaxValue": "1"}},
    },
    {
        "Name": "loss",
        "Type": "Categorical",
        "Range": {"CategoricalParameterRangeSpecification": {"Values": ["l1", "l2"]}},
    },
    {"Name": "note", "Type": "FreeText"},
]
METRICS = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
SPECIFICATION: dict[str, Any] = {
    "TrainingImage": samples.IMAGE,
    "SupportedHyperParameters": HYPERPARAMETERS,
    "SupportedTrainingInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
    "MetricDefinitions": METRICS,
    "TrainingChannels": [CHANNEL, OTHER],
}
RESOURCES = samples.TRAINING_JOB["ResourceConfig"]
DATA = samples.TRAINING_JOB["InputDataConfig"][0]


def create_algorithm(aws: Aws, **changes: Any) -> str:
    specification: Any = {**SPECIFICATION, **changes}
    return aws.sagemaker.create_algorithm(AlgorithmName="trees", TrainingSpecification=specification)["AlgorithmArn"]


def request(name: str = "trees", **members: Any) -> dict[str, Any]:
    algorithm = {"AlgorithmName": name, "TrainingInputMode": "File"}
    return {**samples.TRAINING_JOB, "AlgorithmSpecification": algorithm, **members}


@pytest.mark.parametrize("by_arn", [False, True])
def test_it_runs_the_image_with_defaults_and_metrics_of_the_algorithm(aws: Aws, by_arn: bool) -> None:
    arn = create_algorithm(aws)
    aws.sagemaker.create_training_job(**request(arn if by_arn else "trees", HyperParameters={"epochs": "2"}))
    job = aws.sagemaker.describe_training_job(TrainingJobName="digits")
    assert job["HyperParameters"] == {"epochs": "2", "rate": "0.5"}
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == METRICS
    assert "TrainingImage" not in job["AlgorithmSpecification"]
    row = aws.resources.get(TRAINING_JOB, CALLER, "digits")
    assert job_facts(row).resolved_image.endswith(f"/digits@sha256:{'d' * 64}")


def test_several_hosts_are_for_algorithms_that_support_them(aws: Aws) -> None:
    create_algorithm(aws, SupportsDistributedTraining=True)
    aws.sagemaker.create_training_job(**request(ResourceConfig={**RESOURCES, "InstanceCount": 2}))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"ResourceConfig": {**RESOURCES, "InstanceType": "ml.c5.xlarge"}},
            "Instance type ml.c5.xlarge is not supported",
        ),
        ({"ResourceConfig": {**RESOURCES, "InstanceCount": 2}}, "does not support distributed training"),
        ({"InputDataConfig": [{**DATA, "ChannelName": "other"}]}, 'requires the channel "train"'),
        ({"InputDataConfig": [DATA, {**DATA, "ChannelName": "x"}]}, 'Channel "x" is not supported'),
        ({"InputDataConfig": [{**DATA, "InputMode": "FastFile"}]}, "InputMode FastFile is not supported"),
        ({"InputDataConfig": [{**DATA, "ContentType": "image/png"}]}, "ContentType image/png is not supported"),
        (
            {"InputDataConfig": [{**DATA, "CompressionType": "Gzip", "InputMode": "Pipe"}]},
            "CompressionType Gzip is not supported",
        ),
        ({"HyperParameters": {}}, "requires the hyperparameter epochs"),
        ({"HyperParameters": {"epochs": "2", "depth": "3"}}, "Hyperparameter depth is not supported"),
        (
            {"HyperParameters": {"epochs": "ten"}},
            "Invalid value 'ten' of the hyperparameter epochs: an integer is wanted",
        ),
        ({"HyperParameters": {"epochs": "10"}}, "an integer is wanted from 1 to 9"),
        ({"HyperParameters": {"epochs": "1", "rate": "1.5"}}, "a number is wanted from 0 to 1"),
        ({"HyperParameters": {"epochs": "1", "rate": "nan"}}, "a number is wanted from 0 to 1"),
        ({"HyperParameters": {"epochs": "1", "loss": "l3"}}, "one of l1, l2 is wanted"),
    ],
)
def test_what_the_algorithm_does_not_support_is_refused(aws: Aws, members: dict[str, Any], message: str) -> None:
    create_algorithm(aws)
    with pytest.raises(ClientError) as caught:
        aws.sagemaker.create_training_job(**request(**members))
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert message in error["Message"]


def test_an_algorithm_that_is_not_there_is_refused(aws: Aws) -> None:
    for name in ("trees", f"arn:aws:sagemaker:us-east-1:{CALLER.account}:algorithm/trees"):
        with pytest.raises(ClientError, match="trees"):
            aws.sagemaker.create_training_job(**request(name))


def test_additional_data_is_refused(aws: Aws) -> None:
    source = {"S3DataType": "S3Object", "S3Uri": samples.DATA}
    create_algorithm(aws, AdditionalS3DataSource=source)
    with pytest.raises(ClientError, match="additional data") as caught:
        aws.sagemaker.create_training_job(**request())
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("host/name", "host/name@sha256:d"),
        ("host/name:tag", "host/name@sha256:d"),
        ("host:80/name", "host:80/name@sha256:d"),
        ("host:80/name:tag", "host:80/name@sha256:d"),
        ("name@sha256:e", "name@sha256:e"),
    ],
)
def test_a_digest_says_which_image_it_is(image: str, expected: str) -> None:
    assert algorithms.image_of({"TrainingImage": image, "TrainingImageDigest": "sha256:d"}) == expected
    assert algorithms.image_of({"TrainingImage": image}) == image


def test_credentials_of_a_private_registry_are_refused_with_the_way_around(aws: Aws) -> None:
    function = f"arn:aws:lambda:us-east-1:{CALLER.account}:function:credentials"
    auth = {"TrainingRepositoryCredentialsProviderArn": function}
    config = {"TrainingRepositoryAccessMode": "Vpc", "TrainingRepositoryAuthConfig": auth}
    algorithm = {**samples.TRAINING_JOB["AlgorithmSpecification"], "TrainingImageConfig": config}
    with pytest.raises(ClientError, match="samebox push") as caught:
        aws.sagemaker.create_training_job(**{**samples.TRAINING_JOB, "AlgorithmSpecification": algorithm})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
