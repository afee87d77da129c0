"""An emulator for the clients of S3, one with containers for those of SageMaker, and shells that use them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clients.environments import ClientShell
from tests.scenarios.emulator_process import EmulatorProcess, docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3.client import S3Client


def shell_of(emulator: EmulatorProcess, folder: Path, way: str) -> ClientShell:
    """A shell after `eval "$(samebox env WAY)"`, where the way is --endpoint or --proxy."""
    command = [sys.executable, "-m", "samebox.cli", "env", way, "--data-dir", str(emulator.data_dir)]
    lines = subprocess.check_output(command, env=emulator.environment, text=True, timeout=60).splitlines()
    words = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
    return ClientShell(folder, dict(word.split("=", 1) for word in words))


@pytest.fixture(scope="session")
def s3_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """`samebox up` without a container engine, which S3 does not need."""
    process = EmulatorProcess(tmp_path_factory.mktemp("s3"))
    process.environment["DOCKER_HOST"] = f"unix://{process.data_dir}/no-engine.sock"
    process.up()
    yield process
    process.down()


@pytest.fixture
def s3(s3_emulator: EmulatorProcess) -> S3Client:
    """Looks at what the clients did."""
    return s3_emulator.s3


@pytest.fixture
def shell(s3_emulator: EmulatorProcess, tmp_path: Path) -> ClientShell:
    """Has AWS_ENDPOINT_URL."""
    return shell_of(s3_emulator, tmp_path, "--endpoint")


@pytest.fixture
def proxy_shell(s3_emulator: EmulatorProcess, tmp_path: Path) -> ClientShell:
    """Has HTTPS_PROXY and certificates."""
    return shell_of(s3_emulator, tmp_path, "--proxy")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """`samebox up` with a container engine."""
    process = EmulatorProcess(tmp_path_factory.mktemp("sagemaker"), serving_stop_seconds="2")
    process.up()
    yield process
    process.remove()


@pytest.fixture(scope="session")
def image(emulator: EmulatorProcess) -> str:
    """The name in ECR of an image that learns a mean."""
    name = "samebox-test/mean:latest"
    docker("build", "--quiet", "--tag", name, str(Path(__file__).parent / "image"))
    return emulator.push(name, "mean")


@pytest.fixture
def sagemaker_shell(emulator: EmulatorProcess, tmp_path: Path) -> ClientShell:
    """Has AWS_ENDPOINT_URL."""
    return shell_of(emulator, tmp_path, "--endpoint")


@pytest.fixture
def sagemaker_proxy_shell(emulator: EmulatorProcess, tmp_path: Path) -> ClientShell:
    """Has HTTPS_PROXY and certificates."""
    return shell_of(emulator, tmp_path, "--proxy")


@pytest.fixture
def bucket(s3: S3Client, request: pytest.FixtureRequest) -> str:
    """A new bucket with the names of the test and its file."""
    name = re.sub(r"[^a-z0-9]+", "-", f"{request.path.stem}-{request.node.name}".lower()).strip("-")[:60].strip("-")
    s3.create_bucket(Bucket=name)
    return name
