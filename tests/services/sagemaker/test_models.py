"""Models through boto3: which images and archives CreateModel takes."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import samples
from tests.conftest import Aws


def refused(aws: Aws, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        aws.sagemaker.create_model(**{"ModelName": "digits", "ExecutionRoleArn": samples.ROLE, **request})
    error = caught.value.response["Error"]
    assert aws.sagemaker.list_models()["Models"] == []
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("Capital/Letters", 'ECR image "Capital/Letters" is invalid.'),
        (
            "docker.io/library/nginx:1",
            'Using non-ECR image "docker.io/library/nginx:1" without Vpc repository access mode is not supported.',
        ),
        (samples.IMAGE.replace("latest", "never"), f"Requested image {samples.IMAGE[:-6]}never not found."),
    ],
)
def test_an_image_that_cannot_be_used_is_refused(aws: Aws, image: str, message: str) -> None:
    code, said = refused(aws, PrimaryContainer={"Image": image})
    assert (code, said) == ("ValidationException", message)


@pytest.mark.parametrize(
    "media_type", ["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"]
)
def test_oci_manifests_are_refused_as_aws_refuses_them(aws: Aws, media_type: str) -> None:
    aws.push("oci", media_type=media_type)
    image = samples.IMAGE.replace("digits", "oci")
    assert refused(aws, PrimaryContainer={"Image": image}) == (
        "ValidationException",
        f"Unsupported manifest media type {media_type} for image {image}. Ensure that valid manifest media type is "
        "used for specified image.",
    )


def test_a_training_job_takes_an_oci_manifest(aws: Aws) -> None:
    aws.push("oci", media_type="application/vnd.oci.image.manifest.v1+json")
    image = samples.IMAGE.replace("digits", "oci")
    aws.create("TrainingJob", AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})
    assert aws.sagemaker.list_training_jobs()["TrainingJobSummaries"]


def test_model_data_must_be_there_to_the_letter(aws: Aws) -> None:
    a_prefix_of_one = samples.MODEL_DATA.removesuffix(".gz")
    for uri in (a_prefix_of_one, "https://example.com/model.tar.gz", "s3://samples", "s3://no bucket/model.tar.gz"):
        container = {"Image": samples.IMAGE, "ModelDataUrl": uri}
        expected = ("ValidationException", f"Could not find model data at {uri}.")
        assert refused(aws, PrimaryContainer=container) == expected


def test_a_gzipped_object_is_model_data_too(aws: Aws) -> None:
    source = {"S3Uri": samples.MODEL_DATA, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    aws.create("Model", PrimaryContainer={"Image": samples.IMAGE, "ModelDataSource": {"S3DataSource": source}})
    shown = aws.sagemaker.describe_model(ModelName="digits")["PrimaryContainer"]
    assert shown["ModelDataSource"]["S3DataSource"] == source


def test_one_of_primary_container_and_containers_is_needed(aws: Aws) -> None:
    container = {"Image": samples.IMAGE}
    message = "Exactly one of PrimaryContainer and Containers must be specified."
    assert refused(aws) == ("ValidationException", message)
    assert refused(aws, PrimaryContainer=container, Containers=[container]) == ("ValidationException", message)


def test_what_is_not_run_yet_is_refused_by_name(aws: Aws) -> None:
    container = {"Image": samples.IMAGE}
    source = {"S3Uri": samples.MODEL_DATA, "S3DataType": "S3Object", "CompressionType": "Gzip", "ETag": "abc"}
    version = {**container, "ModelDataSource": {"S3DataSource": source}}
    for request, named in (
        ({"PrimaryContainer": version}, "PrimaryContainer.ModelDataSource.S3DataSource.ETag=abc"),
        (
            {"Containers": [container, container], "InferenceExecutionConfig": {"Mode": "Direct"}},
            "InferenceExecutionConfig.Mode=Direct",
        ),
        ({"PrimaryContainer": {**container, "Mode": "MultiModel"}}, "PrimaryContainer.Mode=MultiModel"),
        ({"Containers": [{**container, "ModelPackageName": "p"}]}, "Containers[0].ModelPackageName=p"),
    ):
        code, message = refused(aws, **request)
        assert (code, message) == (
            "NotImplemented",
            f"samebox does not implement sagemaker:CreateModel with {named}.",
        )


def test_the_containers_of_a_pipeline_are_shown_in_their_order(aws: Aws) -> None:
    containers: Any = [{"Image": samples.IMAGE, "ContainerHostname": name} for name in ("clean", "predict")]
    aws.sagemaker.create_model(
        ModelName="digits", ExecutionRoleArn=samples.ROLE, Containers=containers,
        InferenceExecutionConfig={"Mode": "Serial"},
    )  # fmt: skip
    shown = aws.sagemaker.describe_model(ModelName="digits")
    assert [one["ContainerHostname"] for one in shown["Containers"]] == ["clean", "predict"]
    assert shown["InferenceExecutionConfig"] == {"Mode": "Serial"}


def test_hostnames_of_a_pipeline_are_of_all_and_different(aws: Aws) -> None:
    container = {"Image": samples.IMAGE}
    named = {**container, "ContainerHostname": "one"}
    assert refused(aws, Containers=[named, container]) == (
        "ValidationException", "ContainerHostname must be specified for every container in the pipeline, or for none."
    )  # fmt: skip
    assert refused(aws, Containers=[named, named]) == (
        "ValidationException", "ContainerHostname must be unique among the containers of the model."
    )  # fmt: skip


def test_a_container_without_an_image_is_refused(aws: Aws) -> None:
    code, message = refused(aws, PrimaryContainer={"Environment": {"A": "b"}})
    assert (code, message) == (
        "ValidationException",
        "1 validation error detected: Value null at 'primaryContainer.image' failed to satisfy constraint: Member must "
        "not be null",
    )
