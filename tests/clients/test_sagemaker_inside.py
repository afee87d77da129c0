"""The SageMaker SDK in the containers of jobs, unmodified, and with nothing set for it but what SageMaker sets."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.environments import PROGRAMS, folder
from tests.scenarios.emulator_process import ACCOUNT, ROLE, WAIT_SECONDS, EmulatorProcess, docker, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.clients, pytest.mark.docker]

IMAGE = "samebox-test/sdk:latest"
DOCKERFILE = """
FROM samebox/base:cpu
COPY --from=packages . /opt/packages
ENV PYTHONPATH=/opt/packages PYTHONUNBUFFERED=1
COPY program.py /opt/program.py
ENTRYPOINT ["python3", "/opt/program.py"]
"""
RESOURCES: Any = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
FOUND = {
    "account": ACCOUNT, "role": ROLE, "bucket": f"sagemaker-us-east-1-{ACCOUNT}", "read": "from inside",
    "status": "InProgress",
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(
        tmp_path_factory.mktemp("inside"), allow_local_images="true", container_credentials="true"
    )
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    context: Path = tmp_path_factory.mktemp("image")
    (context / "Dockerfile").write_text(DOCKERFILE)
    shutil.copy(PROGRAMS / "sagemaker2_inside.py", context / "program.py")
    docker("build", "--quiet", "--tag", IMAGE, "--build-context", f"packages={folder('container')}", str(context))
    return IMAGE


def test_in_a_training_job(emulator: EmulatorProcess, image: str) -> None:
    algorithm = {
        "TrainingImage": image,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "/opt/program.py"],
    }
    emulator.train("sdk", "", "", AlgorithmSpecification=algorithm)
    assert emulator.ended("sdk")["TrainingJobStatus"] == "Completed", emulator.log_lines("sdk/")
    assert json.loads(emulator.log_lines("sdk/")[-1]) == FOUND


def test_in_a_processing_job(emulator: EmulatorProcess, image: str) -> None:
    emulator.sagemaker.create_processing_job(
        ProcessingJobName="sdk",
        AppSpecification={"ImageUri": image},
        RoleArn=ROLE,
        ProcessingResources={"ClusterConfig": RESOURCES},
    )

    def ended() -> dict[str, Any] | None:
        job = dict(emulator.sagemaker.describe_processing_job(ProcessingJobName="sdk"))
        return job if job["ProcessingJobStatus"] in ("Completed", "Failed") else None

    job = until(ended, WAIT_SECONDS, "the end of the job")
    lines = emulator.log_lines("sdk/", "/aws/sagemaker/ProcessingJobs")
    assert job["ProcessingJobStatus"] == "Completed", lines
    assert json.loads(lines[-1]) == FOUND
