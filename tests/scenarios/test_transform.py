"""Batch transform in real containers: records in, one output an object, errors, a stop, and a crash."""

import json
from datetime import UTC
from typing import Any

import pytest

from samebox.containers.engine import ARN_LABEL
from tests.scenarios.emulator_process import ROLE, WAIT_SECONDS, EmulatorProcess, until

pytestmark = pytest.mark.docker

GROUP = "/aws/sagemaker/TransformJobs"
BUCKET = "samebox-test"


def transform(
    emulator: EmulatorProcess, name: str, objects: dict[str, bytes], read: dict[str, Any] | None = None, **given: Any
) -> None:
    """Start a transform job of these objects, by the model of its name; `read` are members of its TransformInput."""
    for key, body in objects.items():
        emulator.s3.put_object(Bucket=BUCKET, Key=f"{name}/in/{key}", Body=body)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}}
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": name,
        "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line", **(read or {})},
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/{name}/out", "Accept": "text/csv", "AssembleWith": "Line"
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **given,
    }  # fmt: skip
    emulator.sagemaker.create_transform_job(**request)


def ended(emulator: EmulatorProcess, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: Any = emulator.sagemaker.describe_transform_job(TransformJobName=name)
        return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return until(look, WAIT_SECONDS, f"{name} has ended")


def stored(emulator: EmulatorProcess, name: str) -> dict[str, bytes]:
    root = f"{name}/out/"
    keys = [one["Key"] for one in emulator.s3.list_objects_v2(Bucket=BUCKET, Prefix=root).get("Contents", [])]
    return {key.removeprefix(root): emulator.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def data_log(emulator: EmulatorProcess, name: str) -> list[str]:
    found = emulator.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["events"]
    return [one["message"].partition(": ")[2] for one in found if one["logStreamName"].endswith("/data-log")]


def test_rows_are_joined_with_their_predictions_on_two_instances(emulator: EmulatorProcess, box: str) -> None:
    script = """
def invoke(body, headers):
    print(os.environ["SAGEMAKER_BATCH"], os.environ["SAGEMAKER_BATCH_STRATEGY"], headers["Accept"])
    return 200, str(sum(map(int, body.decode().split(",")))).encode()
"""
    emulator.model("Joins", box, script)
    transform(
        emulator, "Joins", {"a.csv": b"x,1,2\ny,3,4\n", "deep/b.csv": b"z,5,6\n"},
        BatchStrategy="SingleRecord", MaxConcurrentTransforms=2,
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2},
        DataCaptureConfig={"DestinationS3Uri": f"s3://{BUCKET}/Joins/captured", "GenerateInferenceId": True},
    )  # fmt: skip
    job = ended(emulator, "Joins")
    assert (job["TransformJobStatus"], job.get("FailureReason")) == ("Completed", None)
    outputs = stored(emulator, "Joins")
    rows = {key: [row.split(",") for row in body.decode().splitlines()] for key, body in outputs.items()}
    began = job["TransformStartTime"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {key: [[*row[:2], *row[3:]] for row in found] for key, found in rows.items()} == {
        "a.csv.out": [["x", "3", began], ["y", "7", began]],
        "deep/b.csv.out": [["z", "11", began]],
    }
    assert len({row[2] for found in rows.values() for row in found}) == 3, "each row has an id of its own"
    listed = emulator.s3.list_objects_v2(Bucket=BUCKET, Prefix="Joins/captured/")["Contents"]
    captured = [json.loads(emulator.s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()) for one in listed]
    assert captured == [
        [{"prefix": f"s3://{BUCKET}/Joins/in/"}, "a.csv", "deep/b.csv"],
        [{"prefix": f"s3://{BUCKET}/Joins/out/"}, "a.csv.out", "deep/b.csv.out"],
    ]
    assert (
        data_log(emulator, "Joins") == ["MaxConcurrentTransforms=2, MaxPayloadInMB=6, BatchStrategy=SINGLE_RECORD"] * 2
    )
    assert job["TransformStartTime"] <= job["TransformEndTime"]


def test_a_pipeline_of_two_containers_transforms_and_serves(emulator: EmulatorProcess, box: str) -> None:
    double = """
def invoke(body, headers):
    return 200, json.dumps([2 * int(line) for line in body.split()]).encode()
"""
    add = """
def invoke(body, headers):
    print("asked on", os.environ["SAGEMAKER_BIND_TO_PORT"], "for", headers["Accept"])
    return 200, str(sum(json.loads(body))).encode()
"""
    containers: Any = [
        {"Image": box, "Environment": {"SCRIPT": script}, "ContainerHostname": name}
        for name, script in (("double", double), ("add", add))
    ]
    emulator.sagemaker.create_model(ModelName="Two-Steps", ExecutionRoleArn=ROLE, Containers=containers)
    transform(emulator, "Two-Steps", {"a.csv": b"1\n2\n", "b.csv": b"5\n"})
    job = ended(emulator, "Two-Steps")
    assert (job["TransformJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert stored(emulator, "Two-Steps") == {"a.csv.out": b"6\n", "b.csv.out": b"10\n"}
    found = emulator.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="Two-Steps/")["events"]
    lines = {one["message"] for one in found if one["logStreamName"].endswith("/add")}
    assert "asked on 8082 for text/csv" in lines
    emulator.configure("Two-Steps", "Two-Steps")
    emulator.sagemaker.create_endpoint(EndpointName="Two-Steps", EndpointConfigName="Two-Steps")
    emulator.endpoint_at("Two-Steps", {"InService"})
    answer = emulator.runtime.invoke_endpoint(
        EndpointName="Two-Steps", ContentType="text/csv", Accept="text/csv", Body=b"1\n2\n"
    )
    assert answer["Body"].read() == b"6"
    emulator.sagemaker.delete_endpoint(EndpointName="Two-Steps")


def test_an_object_that_fails_has_no_output_and_the_log_has_why(emulator: EmulatorProcess, box: str) -> None:
    script = """
def invoke(body, headers):
    return (400, b"no number") if b"bad" in body else (200, body)
"""
    emulator.model("Fails-In-Part", box, script)
    transform(emulator, "Fails-In-Part", {"bad.csv": b"1\nbad\n", "good.csv": b"1\n2\n"})
    job = ended(emulator, "Fails-In-Part")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert stored(emulator, "Fails-In-Part") == {"good.csv.out": b"1\n2\n"}
    place = f"{BUCKET}/Fails-In-Part/in/bad.csv: "
    assert data_log(emulator, "Fails-In-Part")[1:] == [
        f"{place}ClientError: 400", place, f"{place}Message:", f"{place}no number"
    ]  # fmt: skip


def test_a_killed_emulator_goes_on_and_leaves_nothing(emulator: EmulatorProcess, box: str) -> None:
    script = """
def invoke(body, headers):
    time.sleep(4 if b"slow" in body else 0)
    return 200, body
"""
    emulator.model("Outlives-Too", box, script)
    transform(emulator, "Outlives-Too", {"a": b"fast\n", "b": b"slow\n"})
    until(lambda: stored(emulator, "Outlives-Too"), WAIT_SECONDS, "the first output is there")
    emulator.kill()
    emulator.up()
    job = ended(emulator, "Outlives-Too")
    assert job["TransformJobStatus"] == "Completed", job
    assert stored(emulator, "Outlives-Too") == {"a.out": b"fast\n", "b.out": b"slow\n"}
    own = f"label={ARN_LABEL}={job['TransformJobArn']}"
    until(lambda: not emulator.containers(own), WAIT_SECONDS, "no container is left")
