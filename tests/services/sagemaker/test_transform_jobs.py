"""Transform jobs through boto3: what is refused at once, and what Describe fills in."""

import copy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.run_facts import job_facts
from tests import samples
from tests.conftest import Aws

REQUEST = samples.TRANSFORM_JOB
CSV = {"DataProcessing": {"InputFilter": "$[1:]"}}


def changed(**parts: Any) -> dict[str, Any]:
    """The sample with members changed; those of a structure are merged."""
    request = copy.deepcopy(REQUEST)
    for member, value in parts.items():
        before = request.get(member)
        request[member] = {**before, **value} if isinstance(before, dict) else value
    return request


def refused(aws: Aws, **parts: Any) -> str:
    aws.create("Model")
    with pytest.raises(ClientError) as caught:
        aws.sagemaker.create_transform_job(**changed(**parts))
    assert aws.sagemaker.list_transform_jobs()["TransformJobSummaries"] == [], "a refused job leaves nothing"
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    return error["Message"]


def test_a_job_keeps_its_model_as_it_was(aws: Aws) -> None:
    row = aws.row(aws.create("TransformJob"))
    aws.sagemaker.delete_model(ModelName="digits")
    model = job_facts(row).model
    assert model is not None
    assert model.container.resolved_image == f"localhost:{aws.services.settings.port}/digits@sha256:{'d' * 64}"
    assert (model.container.environment, model.execution_role_arn) == ({"LEVEL": "info"}, samples.ROLE)


def test_describe_spells_out_defaults(aws: Aws) -> None:
    aws.create("TransformJob")
    shown = aws.sagemaker.describe_transform_job(TransformJobName="digits")
    assert shown["TransformInput"]["CompressionType"] == "None"
    assert shown["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}


def test_input_that_is_not_there_is_refused_as_on_aws(aws: Aws) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://samples/nowhere"}}
    message = refused(aws, TransformInput={"DataSource": source})
    assert message.startswith('No S3 objects found under S3 URL "s3://samples/nowhere" given in input data source.')


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "must be at most 100; it is 120"),
        ({"MaxPayloadInMB": 0}, "MaxPayloadInMB 0 can only be specified with SplitType None"),
        ({**CSV, "TransformInput": {"ContentType": "image/png"}}, "needs ContentType to be one of text/csv"),
        ({**CSV, "TransformOutput": {"AssembleWith": "None"}}, "needs SplitType and AssembleWith Line"),
        ({"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"Accept": "application/json"}}, "the same"),
        ({"DataProcessing": {"InputFilter": "$..x"}}, "InputFilter is not a supported JSONPath"),
        (
            {
                "DataCaptureConfig": {"DestinationS3Uri": "s3://samples/captured", "GenerateInferenceId": True},
                "TransformOutput": {"Accept": "image/png"},
            },
            "GenerateInferenceId needs Accept to be one of text/csv, application/json, application/jsonlines.",
        ),
    ],
)
def test_members_that_do_not_go_together_are_refused(aws: Aws, parts: dict[str, Any], words: str) -> None:
    assert words in refused(aws, **parts)


@pytest.mark.parametrize("split", [{}, {"SplitType": "None"}])
def test_a_strategy_may_be_named_where_nothing_is_split(aws: Aws, split: dict[str, str]) -> None:
    aws.create("Model")
    request = changed(BatchStrategy="SingleRecord")
    request["TransformInput"].pop("SplitType", None)
    request["TransformInput"] |= split
    aws.sagemaker.create_transform_job(**request)
    shown = aws.sagemaker.describe_transform_job(TransformJobName=request["TransformJobName"])
    assert shown["BatchStrategy"] == "SingleRecord"


def test_a_model_that_is_not_there_is_refused(aws: Aws) -> None:
    assert refused(aws, ModelName="absent").startswith("Could not find model")


def test_a_job_that_is_not_there_is_not_stopped(aws: Aws) -> None:
    with pytest.raises(ClientError, match="Could not find job to update with name absent"):
        aws.sagemaker.stop_transform_job(TransformJobName="absent")
