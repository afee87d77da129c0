"""One emulator for the clients of S3, and a shell of which it is the AWS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.clients.environments import ClientShell
from tests.scenarios.emulator_process import EmulatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_s3.client import S3Client

VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")


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
    return ClientShell(tmp_path, {name: s3_emulator.environment[name] for name in VARIABLES})


@pytest.fixture
def bucket(s3: S3Client, request: pytest.FixtureRequest) -> str:
    """A new bucket with the test's name."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60]
    s3.create_bucket(Bucket=name)
    return name
