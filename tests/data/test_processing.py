"""The files of a processing job, against the bytes that were captured of one (contract §4.2)."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from samebox.data import processing, tree
from samebox.data.opt_ml import Command

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:sagemaker:us-east-1:111122223333:processing-job/cli-shell-3bnesrat"
REQUEST: dict[str, Any] = {
    "ProcessingJobName": "cli-shell-3bnESRAt",
    "Environment": {"SSM_STATE": "/opt/ml/processing/state", "SSM_OUTPUT": "/opt/ml/processing/output"},
    "AppSpecification": {
        "ImageUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/scikit-learn:1",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", "echo <a> && echo b"],
    },
    "ProcessingInputs": [
        {
            "InputName": "DEP_dep",
            "S3Input": {
                "LocalPath": "/opt/ml/processing/input/code/dep",
                "S3Uri": "s3://bucket/input/DEP_dep",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
    ],
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "state",
                "S3Output": {
                    "LocalPath": "/opt/ml/processing/state",
                    "S3Uri": "s3://bucket/state",
                    "S3UploadMode": "Continuous",
                },
            }
        ]
    },
    "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}},
    "RoleArn": "arn:aws:iam::111122223333:role/role",
    "StoppingCondition": {"MaxRuntimeInSeconds": 900},
}
CAPTURED = (
    '{"ProcessingJobArn":"arn:aws:sagemaker:us-east-1:111122223333:processing-job/cli-shell-3bnesrat",'
    '"ProcessingJobName":"cli-shell-3bnESRAt","Environment":{"SSM_OUTPUT":"/opt/ml/processing/output",'
    '"SSM_STATE":"/opt/ml/processing/state"},"AppSpecification":{'
    '"ImageUri":"111122223333.dkr.ecr.us-east-1.amazonaws.com/scikit-learn:1","ContainerEntrypoint":["/bin/bash"],'
    '"ContainerArguments":["-c","echo \\u003ca\\u003e \\u0026\\u0026 echo b"]},"ProcessingInputs":[{'
    '"InputName":"DEP_dep","S3Input":{"LocalPath":"/opt/ml/processing/input/code/dep",'
    '"S3Uri":"s3://bucket/input/DEP_dep","S3DataDistributionType":"FullyReplicated","S3DataType":"S3Prefix",'
    '"S3InputMode":"File","S3CompressionType":"None","S3DownloadMode":"StartOfJob"}}],"ProcessingOutputConfig":{'
    '"Outputs":[{"OutputName":"state","S3Output":{"LocalPath":"/opt/ml/processing/state","S3Uri":"s3://bucket/state",'
    '"S3UploadMode":"Continuous"}}],"KmsKeyId":null},"ProcessingResources":{"ClusterConfig":{"InstanceCount":1,'
    '"InstanceType":"ml.m5.large","VolumeSizeInGB":30,"VolumeKmsKeyId":null}},'
    '"RoleArn":"arn:aws:iam::111122223333:role/role","StoppingCondition":{"MaxRuntimeInSeconds":900}}'
)


def test_the_config_of_the_job_is_the_captured_one() -> None:
    files = processing.config_files(REQUEST, ARN, "algo-1")

    assert files["config/processingjobconfig.json"].decode() == CAPTURED


def test_the_resource_config_of_one_host_has_44_bytes() -> None:
    body = processing.config_files(REQUEST, ARN, "algo-1")["config/resourceconfig.json"]

    assert body == b'{"current_host":"algo-1","hosts":["algo-1"]}'
    assert len(body) == 44


def test_what_is_not_set_is_null() -> None:
    request = {**REQUEST, "AppSpecification": {"ImageUri": "image"}}

    told = json.loads(processing.config_files(request, ARN, "algo-1")["config/processingjobconfig.json"])

    assert told["AppSpecification"] == {"ImageUri": "image", "ContainerEntrypoint": None, "ContainerArguments": None}


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        ({}, Command(None, None)),
        ({"ContainerEntrypoint": ["a"]}, Command(("a",), ())),
        ({"ContainerArguments": ["b"]}, Command(None, ("b",))),
        ({"ContainerEntrypoint": ["a"], "ContainerArguments": ["b"]}, Command(("a",), ("b",))),
    ],
)
def test_the_image_runs_as_it_is_unless_the_request_overrides_it(
    application: dict[str, list[str]], expected: Command
) -> None:
    assert processing.command({"AppSpecification": application}) == expected


def test_the_environment_names_no_job() -> None:
    facts = processing.ProcessingFacts(ARN, "eu-west-1", "/v2/credentials/x", "http://169.254.170.2")

    assert processing.environment({"Environment": {"A": "1"}}, facts) == {
        "A": "1",
        "AWS_REGION": "eu-west-1",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x",
        "AWS_ENDPOINT_URL": "http://169.254.170.2",
    }
    isolated = {"NetworkConfig": {"EnableNetworkIsolation": True}}
    assert processing.environment(isolated, facts) == {"AWS_REGION": "eu-west-1"}


def test_the_tree_has_a_folder_for_each_output_and_a_folder_of_files_that_only_root_can_open(tmp_path: Path) -> None:
    tree.write(processing.tree(REQUEST, ARN, "algo-1"), tmp_path / "ml")

    config = tmp_path / "ml" / "config"
    assert stat.S_IMODE(config.stat().st_mode) == 0o644
    config.chmod(0o755)
    assert sorted(path.name for path in config.iterdir()) == ["processingjobconfig.json", "resourceconfig.json"]
    assert (tmp_path / "ml/output/data/state").is_dir()
    assert (tmp_path / "ml/output/metrics/cloudwatch").is_dir()


def test_what_the_container_moves_itself_has_no_folder() -> None:
    (given,), (stored,) = REQUEST["ProcessingInputs"], REQUEST["ProcessingOutputConfig"]["Outputs"]
    managed = {
        **REQUEST,
        "ProcessingInputs": [{**given, "AppManaged": True}],
        "ProcessingOutputConfig": {"Outputs": [{**stored, "AppManaged": True}]},
    }

    assert (processing.inputs(REQUEST), processing.outputs(REQUEST)) == ([given], [stored])
    assert (processing.inputs(managed), processing.outputs(managed)) == ([], [])
    assert processing.tree(managed, ARN, "algo-1").directories == ("config", "output/metrics/cloudwatch")


def test_the_hosts_of_a_larger_job_are_sorted_by_name() -> None:
    many = {"ProcessingResources": {"ClusterConfig": {"InstanceCount": 10}}}

    assert processing.hosts(many)[-1] == "algo-10"
    body = processing.config_files({**REQUEST, "ProcessingResources": _cluster(10)}, ARN, "algo-2")
    assert json.loads(body["config/resourceconfig.json"])["hosts"][:3] == ["algo-1", "algo-10", "algo-2"]


def _cluster(count: int) -> dict[str, Any]:
    inner = REQUEST["ProcessingResources"]["ClusterConfig"]
    return {"ClusterConfig": {**inner, "InstanceCount": count}}
