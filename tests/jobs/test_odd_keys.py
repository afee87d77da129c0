"""Names of all kinds, from S3 through a program and back: case, blanks, signs, Korean, and parts of 255 bytes."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samebox.jobs.processing import PROCESSING
from samebox.jobs.transform import TRANSFORM
from samebox.resources.deployment import ServedContainer
from samebox.resources.kinds import TRANSFORM_JOB
from samebox.resources.run_facts import JobFacts, ServedModel
from tests.jobs.test_odd_channels import NAMES
from tests.jobs.transform_models import ModelServer

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

BODIES = {name: name.encode() for name in NAMES}


def put_all(harness: "Harness", prefix: str) -> str:
    for name, body in BODIES.items():
        harness.put_object(f"{prefix}/{name}", body)
    return f"s3://{harness.bucket}/{prefix}/"


def copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)


@pytest.mark.parametrize("mode", ["EndOfJob", "Continuous"])
def test_inputs_of_processing_become_outputs_of_the_same_names(harness: "Harness", mode: str) -> None:
    def clean(process: "Process") -> int:
        copy(process.path("/opt/ml/processing/raw"), process.path("/opt/ml/processing/done"))
        return 0

    harness.types = (PROCESSING,)
    harness.engine.add_image("clean:1", {"clean": clean})
    job = harness.create_processing_job(
        ProcessingInputs=[harness.processing_input(put_all(harness, "raw"))],
        ProcessingOutputConfig={"Outputs": [harness.processing_output(mode=mode)]},
    )
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert harness.objects_under("done") == BODIES


def test_a_channel_becomes_a_model_and_checkpoints_of_the_same_names(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        source = process.path("/opt/ml/input/data/train")
        for target in ("/opt/ml/model", "/opt/ml/output/data", "/opt/ml/checkpoints"):
            copy(source, process.path(target))
        return 0

    harness.settings = replace(harness.settings, checkpoint_seconds=0.01)
    harness.engine.add_image("digits:1", {"train": train})
    job = harness.create_training_job(
        InputDataConfig=[harness.channel("train", put_all(harness, "in"))],
        CheckpointConfig={"S3Uri": f"s3://{harness.bucket}/ckpt"},
    )
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    folder = f"s3://{harness.bucket}/out/digits/output"
    for archive in ("model.tar.gz", "output.tar.gz"):
        assert harness.files_of_tar(f"{folder}/{archive}") == BODIES
    assert harness.objects_under("ckpt") == BODIES


def test_each_object_of_a_transform_job_has_an_output_of_its_name(harness: "Harness") -> None:
    harness.types = (TRANSFORM,)
    harness.engine.add_image("model:1", {"serve": ModelServer().serve})
    source = {"S3DataType": "S3Prefix", "S3Uri": put_all(harness, "in")}
    served = ServedModel(ServedContainer("model:1", "model:1", {}))
    job = harness.create(
        TRANSFORM_JOB, JobFacts("model:1", model=served), TransformJobName="predict", ModelName="digits",
        TransformInput={"DataSource": {"S3DataSource": source}},
        TransformOutput={"S3OutputPath": f"s3://{harness.bucket}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )  # fmt: skip
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert harness.objects_under("out") == {f"{name}.out": body for name, body in BODIES.items()}
