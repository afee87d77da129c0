"""Training jobs through boto3: what is refused, in AWS's words, and what Describe says."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.run_facts import job_facts
from samebox.settings import Settings
from tests import samples
from tests.conftest import Aws

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def changed(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(samples.TRAINING_JOB), **members}


def with_image(image: str) -> dict[str, Any]:
    return changed(AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})


def channel(name: str = "train", **members: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://samples/digits/", **members.pop("source", {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **members}


def refused(aws: Aws, request: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        aws.sagemaker.create_training_job(**request)
    error = caught.value.response["Error"]
    assert aws.sagemaker.list_training_jobs()["TrainingJobSummaries"] == [], "a refused job leaves nothing"
    return error["Code"], error["Message"]


def test_an_image_is_run_by_the_digest_that_its_tag_had(aws: Aws) -> None:
    row = aws.row(aws.create("TrainingJob"))
    port = aws.services.settings.port
    assert job_facts(row).resolved_image == f"localhost:{port}/digits@sha256:{'d' * 64}"


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", REGISTRY])
def test_the_repository_has_three_names(aws: Aws, host: str) -> None:
    port = aws.services.settings.port
    request = with_image(f"{host.format(port=port)}/digits:latest")
    row = aws.row(aws.sagemaker.create_training_job(**request)["TrainingJobArn"])
    assert job_facts(row).resolved_image == f"localhost:{port}/digits@sha256:{'d' * 64}"


def test_an_image_that_is_not_there_is_refused(aws: Aws) -> None:
    for image, repository in ((f"{REGISTRY}/never:1", "never"), (f"{REGISTRY}/digits:never", "digits")):
        assert refused(aws, with_image(image)) == (
            "ValidationException",
            f"Access denied for repository: {repository} in registry ID: 123456789012. Please check if your ECR "
            f"repository and image exist and role {samples.ROLE} has proper pull permissions for SageMaker: "
            "ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer",
        )


def test_an_image_that_is_no_image_is_refused(aws: Aws) -> None:
    assert refused(aws, with_image("No Image")) == (
        "ValidationException",
        "Invalid training image. Please provide a valid Amazon Elastic Container Registry path of the Docker image to "
        "run.",
    )


def test_an_image_of_another_registry_needs_a_vpc(aws: Aws) -> None:
    for image in ("docker.io/library/python:3.10", "python:3.10", "localhost:1/digits"):
        code, message = refused(aws, with_image(image))
        assert code == "ValidationException"
        assert message.startswith("TrainingImageConfig with TrainingRepositoryAccessMode set to VPC must be provided")


def test_an_image_of_another_region_is_refused(aws: Aws) -> None:
    code, message = refused(aws, with_image("123456789012.dkr.ecr.eu-central-1.amazonaws.com/digits:latest"))
    assert (code, message) == (
        "ValidationException",
        "Invalid DNS suffix 'amazonaws.com' for region 'eu-central-1' in training image. Please provide the valid "
        "<region>.<dns-suffix>: 'us-east-1.amazonaws.com'",
    )


def test_one_of_image_and_algorithm_is_needed(aws: Aws) -> None:
    for algorithm in ({}, {"TrainingImage": samples.IMAGE, "AlgorithmName": "xgboost"}):
        code, message = refused(aws, changed(AlgorithmSpecification={"TrainingInputMode": "File", **algorithm}))
        assert (code, message.split()[:2]) == ("ValidationException", ["Exactly", "one"])


def test_a_channel_without_an_object_is_refused(aws: Aws) -> None:
    request = changed(InputDataConfig=[channel(), channel("test", source={"S3Uri": "s3://samples/never/x"})])
    assert refused(aws, request) == (
        "ValidationException",
        'No S3 objects found under S3 URL "s3://samples/never/x" given in input data source. Please ensure that the '
        "bucket exists in the selected region (us-east-1), that objects exist under that S3 prefix, and that the role "
        f'"{samples.ROLE}" has "s3:ListBucket" permissions on bucket "samples".',
    )


def test_a_manifest_is_an_object_and_no_prefix(aws: Aws) -> None:
    source = {"S3DataType": "ManifestFile", "S3Uri": "s3://samples/digits/"}
    code, message = refused(aws, changed(InputDataConfig=[channel(source=source)]))
    assert code == "ValidationException"
    assert message.startswith('No S3 objects found under S3 URL "s3://samples/digits/" given in input data source.')
    aws.buckets.uris.add("s3://samples/train.manifest")
    source["S3Uri"] = "s3://samples/train.manifest"
    aws.sagemaker.create_training_job(**changed(InputDataConfig=[channel(source=source)]))


def test_channel_names_are_unique(aws: Aws) -> None:
    code, message = refused(aws, changed(InputDataConfig=[channel(), channel()]))
    assert (code, message) == ("ValidationException", "Channel names must be unique; given more than once: train.")


@pytest.mark.parametrize("name", [".", ".."])
def test_a_channel_is_a_directory_of_its_name(aws: Aws, name: str) -> None:
    # The model's pattern allows both names.
    assert refused(aws, changed(InputDataConfig=[channel(), channel(name)])) == (
        "ValidationException",
        f"1 validation error detected: Value '{name}' at 'inputDataConfig.2.member.channelName' failed to satisfy "
        "constraint: Member must name a directory",
    )


def test_a_channel_is_not_the_manifest_of_another(aws: Aws) -> None:
    assert refused(aws, changed(InputDataConfig=[channel("train-manifest"), channel()])) == (
        "ValidationException",
        "1 validation error detected: Value 'train-manifest' at 'inputDataConfig.1.member.channelName' failed to "
        "satisfy constraint: Member must not be the name of the manifest of channel 'train'",
    )
    aws.create("TrainingJob", InputDataConfig=[channel("train-manifest")])


@pytest.mark.parametrize("path", ["https://example.com/out", "s3://nowhere/out", "s3://.."])
def test_an_output_path_is_looked_at_before_the_job_starts(aws: Aws, path: str) -> None:
    bucket = path.partition("://")[2].partition("/")[0]
    assert refused(aws, changed(OutputDataConfig={"S3OutputPath": path})) == (
        "ValidationException",
        f'No S3 bucket found under S3 URL "{path}" given in output data config. Please ensure that the bucket exists '
        f'in the selected region (us-east-1), and that the role "{samples.ROLE}" has "s3:PutObject" permissions on '
        f'bucket "{bucket}".',
    )


def test_an_output_path_that_makes_the_models_key_too_long_is_refused(aws: Aws) -> None:
    code, message = refused(aws, changed(OutputDataConfig={"S3OutputPath": "s3://samples/" + "x" * 1000}))

    assert code == "NotImplemented"
    assert message.endswith("the model's key would have more than 1024 bytes, the most that S3 takes.")


@pytest.mark.parametrize(
    "path",
    [
        "s3://samples",
        "s3://samples/",
        "s3://samples/out/",
        "https://s3.amazonaws.com/samples/o",
        "s3://samples/out//x",
        "s3://samples/../out",
        "s3://samples/" + "x" * 256,
        f"{samples.DATA}/below",
    ],
)
def test_an_output_path_may_be_a_bucket_or_any_prefix(aws: Aws, path: str) -> None:
    row = aws.row(aws.create("TrainingJob", OutputDataConfig={"S3OutputPath": path}))
    shown = aws.sagemaker.describe_training_job(TrainingJobName=row.name)
    assert shown["OutputDataConfig"]["S3OutputPath"] == path


def test_data_at_an_address_that_is_none_of_s3_is_not_found(aws: Aws) -> None:
    code, message = refused(aws, changed(InputDataConfig=[channel(source={"S3Uri": "https://example.com/data/"})]))
    assert code == "ValidationException"
    assert message.startswith(
        'No S3 objects found under S3 URL "https://example.com/data/" given in input data source.'
    )


def test_a_role_arn_that_is_none_and_a_name_with_an_underscore_are_named_together(aws: Aws) -> None:
    code, message = refused(aws, changed(TrainingJobName="my_job", RoleArn="arn:aws:iam::1:role/short"))
    assert (code, message[:30]) == ("ValidationException", "2 validation errors detected: ")
    assert "'trainingJobName'" in message
    assert "'roleArn'" in message


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (
            changed(DebugRuleConfigurations=[{"RuleConfigurationName": "a", "RuleEvaluatorImage": "rules"}]),
            "DebugRuleConfigurations",
        ),
        (
            changed(InputDataConfig=[channel(), channel("b", source={"S3DataType": "Converse"})]),
            "InputDataConfig[1].DataSource.S3DataSource.S3DataType=Converse",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_run_yet_is_refused_by_name(aws: Aws, request_: dict[str, Any], named: str) -> None:
    code, message = refused(aws, request_)
    assert code == "NotImplemented"
    assert message == f"samebox does not implement sagemaker:CreateTrainingJob with {named}."


def test_the_experiment_of_a_job_is_kept_and_shown(aws: Aws) -> None:
    experiment = {"ExperimentName": "digits", "TrialName": "first"}
    aws.create("TrainingJob", ExperimentConfig=experiment)
    assert aws.sagemaker.describe_training_job(TrainingJobName="digits")["ExperimentConfig"] == experiment


AUGMENTED = {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://samples/digits/lines"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (channel(CompressionType="Gzip"), "CompressionType Gzip is supported in Pipe input mode only."),
        (channel(RecordWrapperType="RecordIO"), "RecordWrapperType RecordIO is supported in Pipe input mode only."),
        (
            channel(source={**AUGMENTED, "AttributeNames": ["label"]}),
            "S3DataType AugmentedManifestFile is supported in Pipe input mode only.",
        ),
        (
            channel(InputMode="FastFile", source={"S3DataType": "ManifestFile"}),
            "S3DataType ManifestFile is not supported in FastFile input mode.",
        ),
        (
            channel(InputMode="FastFile", CompressionType="Gzip"),
            "CompressionType Gzip is supported in Pipe input mode only.",
        ),
        (channel(InputMode="Pipe", source=AUGMENTED), "S3DataType AugmentedManifestFile needs AttributeNames."),
        (
            channel(InputMode="Pipe", source={"AttributeNames": ["label"]}),
            "AttributeNames need S3DataType AugmentedManifestFile.",
        ),
    ],
)
def test_what_an_input_mode_excludes_is_refused(aws: Aws, given: dict[str, Any], message: str) -> None:
    assert refused(aws, changed(InputDataConfig=[given])) == ("ValidationException", f'Channel "train": {message}')


class TestPipeMembersIgnored:
    """With SAMEBOX_IGNORE_PIPE_MEMBERS."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, ignore_pipe_members=True)

    @pytest.mark.parametrize("mode", ["File", "FastFile"])
    def test_compression_and_records_of_a_channel_of_files_are_no_error(self, aws: Aws, mode: str) -> None:
        given = [channel(InputMode=mode, CompressionType="Gzip", RecordWrapperType="RecordIO", source=FOLDER)]
        name = aws.row(aws.create("TrainingJob", InputDataConfig=given)).name
        (shown,) = aws.sagemaker.describe_training_job(TrainingJobName=name)["InputDataConfig"]
        assert (shown["CompressionType"], shown["RecordWrapperType"]) == ("Gzip", "RecordIO")


FOLDER = {"S3Uri": "s3://samples"}


def test_a_channel_in_fast_file_mode_is_a_folder_or_an_object(aws: Aws) -> None:
    for uri in ("s3://samples/dig", "s3://samples/digits"):
        assert refused(aws, changed(InputDataConfig=[channel(InputMode="FastFile", source={"S3Uri": uri})])) == (
            "ValidationException",
            f'Channel "train": in FastFile input mode the S3 URL "{uri}" must be that of an object or end with a '
            "slash, as a prefix must not correspond to a partial folder name.",
        )
    aws.buckets.uris.add("s3://samples/digits/one")
    for number, uri in enumerate(("s3://samples/digits/", "s3://samples/digits/one", "s3://samples")):
        given = [channel(InputMode="FastFile", source={"S3Uri": uri})]
        aws.create("TrainingJob", TrainingJobName=f"fast-{number}", InputDataConfig=given)


FILE_SYSTEM = {
    "FileSystemId": "fs-0123456789abcdef0",
    "FileSystemType": "EFS",
    "FileSystemAccessMode": "ro",
    "DirectoryPath": "/digits",
}
VPC = {"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-0123456789abcdef0"]}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"VpcConfig": None}, "a FileSystemDataSource needs VpcConfig."),
        ({"InputMode": "FastFile"}, "a FileSystemDataSource is supported in File input mode only."),
        ({"CompressionType": "Gzip"}, "CompressionType Gzip is not supported with a FileSystemDataSource."),
        (
            {},
            "there is no file system fs-0123456789abcdef0. The emulator has those that SAMEBOX_FILE_SYSTEMS gives a "
            "folder, such as fs-0123456789abcdef0=/data/shared.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_system_that_cannot_be_mounted_is_refused(aws: Aws, members: dict[str, Any], message: str) -> None:
    members = dict(members)
    network = {} if "VpcConfig" in members else {"VpcConfig": VPC}
    members.pop("VpcConfig", None)
    given = {"ChannelName": "train", "DataSource": {"FileSystemDataSource": FILE_SYSTEM}, **members}
    assert refused(aws, changed(InputDataConfig=[given], **network)) == (
        "ValidationException",
        f'Channel "train": {message}',
    )


def test_a_channel_has_one_source(aws: Aws) -> None:
    given = channel()
    given["DataSource"]["FileSystemDataSource"] = FILE_SYSTEM
    assert refused(aws, changed(InputDataConfig=[given], VpcConfig=VPC)) == (
        "ValidationException",
        'Channel "train" has two data sources.',
    )


def test_a_channel_cannot_have_the_name_of_a_pipe(aws: Aws) -> None:
    code, message = refused(aws, changed(InputDataConfig=[channel(InputMode="Pipe"), channel("train_1")]))
    assert code == "ValidationException"
    assert "'train_1' at 'inputDataConfig.2.member.channelName'" in message
    assert "Member must not be the name of a pipe of channel 'train'" in message
    aws.create("TrainingJob", InputDataConfig=[channel(), channel("train_1"), channel("train_x", InputMode="Pipe")])


def test_an_augmented_manifest_that_is_not_there_is_missed(aws: Aws) -> None:
    source = {**AUGMENTED, "S3Uri": "s3://samples/digits/never", "AttributeNames": ["label"]}
    code, message = refused(aws, changed(InputDataConfig=[channel(InputMode="Pipe", source=source)]))
    assert code == "ValidationException"
    assert 'No S3 objects found under S3 URL "s3://samples/digits/never"' in message


def test_instance_groups_and_an_instance_type_exclude_each_other(aws: Aws) -> None:
    group = {"InstanceGroupName": "one", "InstanceType": "ml.m5.large", "InstanceCount": 1}
    resources = {"InstanceGroups": [group], "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    assert refused(aws, changed(ResourceConfig=resources)) == (
        "ValidationException",
        "InstanceType or InstanceCount cannot be specified with InstanceGroups",
    )


def test_channels_are_assigned_to_instance_groups_all_or_none(aws: Aws) -> None:
    channels = [channel("data", source={"InstanceGroupNames": ["one"]}), channel("code"), channel("sm_drivers")]
    assert refused(aws, changed(ResourceConfig=groups("one", "two"), InputDataConfig=channels)) == (
        "ValidationException",
        "Some channels have assigned instance groups: [data] while others not: [code, sm_drivers]",
    )


def test_a_channel_of_a_group_that_is_not_there_is_refused(aws: Aws) -> None:
    channels = [channel(source={"InstanceGroupNames": ["one", "three"]})]
    code, message = refused(aws, changed(ResourceConfig=groups("one", "two"), InputDataConfig=channels))
    assert code == "ValidationException"
    assert message.endswith("not in ResourceConfig.InstanceGroups: [three]")


def test_names_of_instance_groups_are_unique(aws: Aws) -> None:
    code, message = refused(aws, changed(ResourceConfig=groups("one", "two", "one")))
    assert code == "ValidationException"
    assert message == "Instance group names must be unique; given more than once: one."


def test_a_job_has_an_instance(aws: Aws) -> None:
    resources = {**samples.TRAINING_JOB["ResourceConfig"], "InstanceCount": 0}
    assert refused(aws, changed(ResourceConfig=resources)) == (
        "ValidationException",
        "1 validation error detected: Value '0' at 'resourceConfig.instanceCount' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
    )


def test_an_instance_group_has_an_instance(aws: Aws) -> None:
    resources = groups("one", "two")
    resources["InstanceGroups"][1]["InstanceCount"] = 0
    assert refused(aws, changed(ResourceConfig=resources)) == (
        "ValidationException",
        "1 validation error detected: Value '0' at 'resourceConfig.instanceGroups.2.member.instanceCount' failed to "
        "satisfy constraint: Member must have value greater than or equal to 1",
    )


def test_a_job_with_instance_groups_needs_no_instance_type(aws: Aws) -> None:
    resources = groups("one", "two")
    aws.create("TrainingJob", ResourceConfig=resources)
    assert aws.sagemaker.describe_training_job(TrainingJobName="digits")["ResourceConfig"] == resources


def groups(*names: str) -> dict[str, Any]:
    found = [{"InstanceGroupName": name, "InstanceType": "ml.m5.large", "InstanceCount": 1} for name in names]
    return {"InstanceGroups": found, "VolumeSizeInGB": 1}


def test_what_the_model_calls_optional_and_the_service_needs_is_missed(aws: Aws) -> None:
    for member in ("AlgorithmSpecification", "ResourceConfig"):
        request = {name: value for name, value in samples.TRAINING_JOB.items() if name != member}
        code, message = refused(aws, request)
        assert code == "ValidationException"
        assert message.startswith(f"1 validation error detected: Value null at '{member[0].lower()}{member[1:]}'")


def test_describe_fills_in_defaults(aws: Aws) -> None:
    request = {name: value for name, value in samples.TRAINING_JOB.items() if name != "StoppingCondition"}
    aws.sagemaker.create_training_job(**request)
    shown = aws.sagemaker.describe_training_job(TrainingJobName="digits")
    assert shown["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert shown["ModelArtifacts"] == {"S3ModelArtifacts": "s3://samples/output/digits/output/model.tar.gz"}
    assert (shown["TrainingJobStatus"], shown["SecondaryStatus"]) == ("InProgress", "Starting")
    assert [one["Status"] for one in shown["SecondaryStatusTransitions"]] == ["Starting"]
    assert shown["EnableNetworkIsolation"] is False
    assert shown["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "FullyReplicated"
    assert "ResolvedImage" not in shown


def test_stop_writes_the_wish_once(aws: Aws) -> None:
    aws.create("TrainingJob")
    for _ in range(2):
        aws.sagemaker.stop_training_job(TrainingJobName="digits")
        shown = aws.sagemaker.describe_training_job(TrainingJobName="digits")
        assert shown["TrainingJobStatus"] == "Stopping"
        assert [one["Status"] for one in shown["SecondaryStatusTransitions"]] == ["Starting", "Stopping"]


def test_a_job_that_has_ended_cannot_be_stopped(aws: Aws) -> None:
    arn = aws.create("TrainingJob")
    for stage in ("Downloading", "Training", "Uploading", "Completed"):
        aws.resources.advance(aws.row(arn), stage)
    with pytest.raises(ClientError) as caught:
        aws.sagemaker.stop_training_job(TrainingJobName="digits")
    assert caught.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "The request was rejected because the training job is in status Completed.",
    }


def test_a_job_that_runs_cannot_be_deleted(aws: Aws) -> None:
    aws.create("TrainingJob")
    with pytest.raises(ClientError, match="ResourceInUse"):
        aws.sagemaker.delete_training_job(TrainingJobName="digits")


def test_status_is_looked_at_after_the_page_is_cut(aws: Aws) -> None:
    # As SM:ListTrainingJobs documents it for StatusEquals together with MaxResults.
    arns = [aws.create("TrainingJob", TrainingJobName=name) for name in ("a", "b", "c")]
    aws.resources.advance(aws.row(arns[2]), "Failed")
    page = aws.sagemaker.list_training_jobs(StatusEquals="Failed", MaxResults=2)
    assert page["TrainingJobSummaries"] == []
    rest = aws.sagemaker.list_training_jobs(StatusEquals="Failed", MaxResults=2, NextToken=page["NextToken"])
    assert [job["TrainingJobName"] for job in rest["TrainingJobSummaries"]] == ["c"]
    whole = aws.sagemaker.list_training_jobs(StatusEquals="Failed")
    assert [job["TrainingJobName"] for job in whole["TrainingJobSummaries"]] == ["c"]
