"""Instance groups, uncompressed models and algorithms with the SageMaker SDK, version 2. Argument: the image."""

import sys
from pathlib import Path

import sagemaker
from botocore.exceptions import ClientError
from sagemaker.algorithm import AlgorithmEstimator
from sagemaker.estimator import Estimator
from sagemaker.inputs import ShuffleConfig, TrainingInput
from sagemaker.instance_group import InstanceGroup

image = sys.argv[1]
session = sagemaker.Session()
role, client = sagemaker.get_execution_role(session), session.sagemaker_client
Path("numbers").mkdir()
Path("numbers/one.csv").write_text("1\n2\n6\n")
data = session.upload_data("numbers", key_prefix="options/training")

# Two groups of instances that share one channel, and a model that is left as files.
reads, learns = InstanceGroup("reads", "ml.t3.large", 1), InstanceGroup("learns", "ml.t3.medium", 1)
estimator = Estimator(
    image,
    role,
    instance_groups=[reads, learns],
    base_job_name="groups",
    hyperparameters={"factor": 2},
    disable_output_compression=True,
    encrypt_inter_container_traffic=True,
    sagemaker_session=session,
)
shuffled = ShuffleConfig(7)
estimator.fit(
    {
        "training": TrainingInput(data, instance_groups=["reads", "learns"], shuffle_config=shuffled),
        "raw": TrainingInput(data, instance_groups=["reads"]),
    }
)
job = estimator.latest_training_job.describe()
assert [one["InstanceGroupName"] for one in job["ResourceConfig"]["InstanceGroups"]] == ["reads", "learns"], job
assert job["InputDataConfig"][0]["ShuffleConfig"] == {"Seed": 7}, job
assert job["EnableInterContainerTrafficEncryption"], job
source = estimator.model_data["S3DataSource"]
assert (source["CompressionType"], source["S3DataType"]) == ("None", "S3Prefix"), source
bucket, _, prefix = source["S3Uri"].removeprefix("s3://").partition("/")
assert session.list_s3_files(bucket, prefix) == [f"{prefix.rstrip('/')}/mean.json"], source

# An algorithm: its image, with a default and a metric of its own.
factor = {
    "Name": "factor",
    "Type": "Continuous",
    "IsTunable": False,
    "DefaultValue": "3",
    "Range": {"ContinuousParameterRangeSpecification": {"MinValue": "0", "MaxValue": "9"}},
}
channel = {
    "Name": "training",
    "IsRequired": True,
    "SupportedContentTypes": ["text/csv"],
    "SupportedInputModes": ["File"],
}
algorithm = client.create_algorithm(
    AlgorithmName="means",
    TrainingSpecification={
        "TrainingImage": image,
        "SupportedHyperParameters": [factor],
        "SupportedTrainingInstanceTypes": ["ml.m5.large"],
        "SupportsDistributedTraining": False,
        "MetricDefinitions": [{"Name": "mean", "Regex": "mean=([0-9.]+)"}],
        "TrainingChannels": [channel],
    },
)["AlgorithmArn"]


def of_algorithm(**hyperparameters):
    return AlgorithmEstimator(
        algorithm_arn=algorithm,
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        base_job_name="means",
        hyperparameters=hyperparameters,
        sagemaker_session=session,
    )


means = of_algorithm()
means.fit({"training": TrainingInput(data, content_type="text/csv")})
job = means.latest_training_job.describe()
assert job["AlgorithmSpecification"]["AlgorithmName"] == algorithm, job
assert job["HyperParameters"] == {"factor": "3"}, job
assert [(one["MetricName"], one["Value"]) for one in job["FinalMetricDataList"]] == [("mean", 9.0)], job

# What it does not support is refused by the SDK, and by the API where a request goes past that.
try:
    of_algorithm(factor=10)
except ValueError as error:
    print(error)
else:
    raise AssertionError("a factor of 10 was accepted")
once = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
request = {
    **{name: job[name] for name in ("RoleArn", "InputDataConfig", "OutputDataConfig", "StoppingCondition")},
    "AlgorithmSpecification": {"AlgorithmName": "means", "TrainingInputMode": "File"},
    "ResourceConfig": once,
}
(given,) = job["InputDataConfig"]


def refused(changes):
    try:
        client.create_training_job(**{**request, "TrainingJobName": "refused", **changes})
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    raise AssertionError(f"accepted: {changes}")


for changes, words in (
    ({"HyperParameters": {"factor": "10"}}, "hyperparameter factor"),
    ({"HyperParameters": {"depth": "1"}}, "Hyperparameter depth"),
    ({"InputDataConfig": [{**given, "ChannelName": "other"}]}, 'channel "training"'),
    ({"InputDataConfig": [{**given, "ContentType": "image/png"}]}, "ContentType image/png"),
    ({"ResourceConfig": {**once, "InstanceType": "ml.m5.xlarge"}}, "Instance type ml.m5.xlarge"),
    ({"ResourceConfig": {**once, "InstanceCount": 2}}, "distributed training"),
):
    message = refused(changes)
    assert message.startswith("ValidationException: "), message
    assert words in message, message
