"""Processing jobs through boto3: what is refused at once, and what Describe fills in."""

import copy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.run_facts import job_facts
from tests import samples
from tests.conftest import Aws

REQUEST = samples.PROCESSING_JOB
INPUT, OUTPUT = REQUEST["ProcessingInputs"][0], REQUEST["ProcessingOutputConfig"]["Outputs"][0]

FEATURES = {"OutputName": "f", "AppManaged": True, "FeatureStoreOutput": {"FeatureGroupName": "g"}}


def refused(aws: Aws, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        aws.sagemaker.create_processing_job(**{**copy.deepcopy(REQUEST), **changes})
    error = caught.value.response["Error"]
    assert aws.sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == [], "a refused job leaves nothing"
    return error["Code"], error["Message"]


def given(**source: Any) -> dict[str, Any]:
    return {**INPUT, "S3Input": {**INPUT["S3Input"], **source}}


def stored(name: str, path: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {**OUTPUT["S3Output"], "LocalPath": path}}


def test_an_image_is_run_by_the_digest_that_its_tag_had(aws: Aws) -> None:
    row = aws.row(aws.create("ProcessingJob"))
    assert job_facts(row).resolved_image == f"localhost:{aws.services.settings.port}/digits@sha256:{'d' * 64}"


def test_describe_spells_out_defaults_and_keeps_what_has_no_effect(aws: Aws) -> None:
    experiment = {"ExperimentName": "digits", "TrialName": "first"}
    aws.create("ProcessingJob", ExperimentConfig=experiment)
    shown = aws.sagemaker.describe_processing_job(ProcessingJobName="digits")
    assert shown["ProcessingJobStatus"] == "InProgress"
    assert shown["ExperimentConfig"] == experiment
    assert shown["ProcessingInputs"][0]["AppManaged"] is False
    assert shown["ProcessingInputs"][0]["S3Input"]["S3DataDistributionType"] == "FullyReplicated"
    assert shown["ProcessingInputs"][0]["S3Input"]["S3CompressionType"] == "None"
    assert shown["ProcessingOutputConfig"]["Outputs"][0]["AppManaged"] is False


def test_a_job_without_a_limit_has_that_of_the_documentation(aws: Aws) -> None:
    request = {name: value for name, value in REQUEST.items() if name != "StoppingCondition"}
    aws.sagemaker.create_processing_job(**request)
    shown = aws.sagemaker.describe_processing_job(ProcessingJobName="digits")
    assert shown["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}


@pytest.mark.parametrize("path", ["/tmp/raw", "/opt/ml/processing", "/opt/ml/processing/../model", "raw"])
def test_a_path_outside_of_the_platforms_folder_is_refused(aws: Aws, path: str) -> None:
    assert refused(aws, ProcessingInputs=[given(LocalPath=path)]) == (
        "ValidationException",
        f"LocalPath '{path}' of 'raw' must be a path that starts with /opt/ml/processing/.",
    )


def test_a_path_is_used_once(aws: Aws) -> None:
    outputs = {"Outputs": [stored("clean", "/opt/ml/processing/out"), stored("more", "/opt/ml/processing/out/")]}
    _, message = refused(aws, ProcessingOutputConfig=outputs)
    assert message == "LocalPath '/opt/ml/processing/out/' is used by both 'clean' and 'more'."


def test_gzip_is_of_pipe_mode(aws: Aws) -> None:
    assert refused(aws, ProcessingInputs=[given(S3CompressionType="Gzip")]) == (
        "ValidationException",
        "S3CompressionType Gzip of 'raw' can only be used when Pipe mode is specified as the S3InputMode.",
    )
    aws.create("ProcessingJob", ProcessingInputs=[given(S3InputMode="Pipe", S3CompressionType="Gzip")])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("in/a_0/", "LocalPath '/opt/ml/processing/in/a_0/' of 'clean' is that of a pipe of 'raw'."),
        ("in/", "LocalPath '/opt/ml/processing/in/a' of 'raw' in Pipe mode lies in that of 'clean'."),
    ],
)
def test_nothing_is_in_the_way_of_a_pipe(aws: Aws, path: str, message: str) -> None:
    pipe = given(S3InputMode="Pipe", LocalPath="/opt/ml/processing/in/a")
    config = {"Outputs": [stored("clean", f"/opt/ml/processing/{path}")]}
    assert refused(aws, ProcessingInputs=[pipe], ProcessingOutputConfig=config) == ("ValidationException", message)


@pytest.mark.parametrize("name", ["..", "a/b"])
def test_the_name_of_an_output_is_a_directory(aws: Aws, name: str) -> None:
    outputs = {"Outputs": [stored(name, "/opt/ml/processing/out")]}
    _, message = refused(aws, ProcessingOutputConfig=outputs)
    assert message == f"Processing output name '{name}' must be usable as the name of a directory."


def test_a_name_is_given_once(aws: Aws) -> None:
    inputs = [INPUT, given(LocalPath="/opt/ml/processing/other")]
    _, message = refused(aws, ProcessingInputs=inputs)
    assert message == "Processing input names must be unique; given more than once: raw."


def test_an_input_has_a_source_and_a_place(aws: Aws) -> None:
    assert "S3Input must be specified for 'raw'" in refused(aws, ProcessingInputs=[{"InputName": "raw"}])[1]
    source = {name: value for name, value in INPUT["S3Input"].items() if name != "LocalPath"}
    _, message = refused(aws, ProcessingInputs=[{"InputName": "raw", "S3Input": source}])
    assert message == "LocalPath must be specified for 'raw' unless AppManaged is true."


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        (
            {"ProcessingInputs": [{"InputName": "raw", "DatasetDefinition": {"InputMode": "File"}}]},
            "ProcessingInputs[0].DatasetDefinition",
        ),
        (
            {"ProcessingOutputConfig": {"Outputs": [FEATURES]}},
            "ProcessingOutputConfig.Outputs[0].FeatureStoreOutput",
        ),
    ],
)
def test_what_is_not_run_is_refused_by_name(aws: Aws, changes: dict[str, Any], member: str) -> None:
    code, message = refused(aws, **changes)
    assert code == "NotImplemented"
    assert member in message


@pytest.mark.parametrize("image", ["docker.io/library/python:3", "UPPER", samples.IMAGE.replace("us-east", "eu-west")])
def test_an_image_that_is_none_of_ecrs_is_refused(aws: Aws, image: str) -> None:
    code, message = refused(aws, AppSpecification={"ImageUri": image})
    assert code == "ValidationException"
    assert message.startswith(f"Invalid image URI {image}.")


def test_a_job_that_has_ended_is_not_stopped_and_one_that_runs_is_not_deleted(aws: Aws) -> None:
    arn = aws.create("ProcessingJob")
    with pytest.raises(ClientError, match=f"Processing job {arn} is in status InProgress"):
        aws.sagemaker.delete_processing_job(ProcessingJobName="digits")
    aws.sagemaker.stop_processing_job(ProcessingJobName="digits")
    aws.sagemaker.stop_processing_job(ProcessingJobName="digits")
    aws.resources.advance(aws.row(arn), "Stopped")
    with pytest.raises(ClientError, match="rejected because the processing job is in status Stopped"):
        aws.sagemaker.stop_processing_job(ProcessingJobName="digits")
    aws.sagemaker.delete_processing_job(ProcessingJobName="digits")
