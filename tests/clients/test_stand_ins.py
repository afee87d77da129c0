"""Framework estimators of the SageMaker SDKs run unmodified, on local stand-ins for the images that AWS owns.

They reach the emulator by the forward proxy. `scripts/stand-ins` bakes the images and runs these tests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.emulator_process import ROLE, EmulatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clients.environments import ClientShell

pytestmark = [pytest.mark.stand_ins, pytest.mark.clients, pytest.mark.docker]

# Each program trains and serves two or three times; on a slow machine a container takes a minute to start.
SECONDS = 1800


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One whose containers have credentials: frameworks fetch their script from S3."""
    folder = tmp_path_factory.mktemp("stand-ins")
    process = EmulatorProcess(folder, serving_stop_seconds="2", container_credentials="true")
    process.up()
    yield process
    process.remove()


@pytest.fixture
def shell(sagemaker_proxy_shell: ClientShell) -> ClientShell:
    return replace(sagemaker_proxy_shell, seconds=SECONDS)


@pytest.mark.timeout(SECONDS + 100)
@pytest.mark.parametrize("framework", ["sklearn", "xgboost", "tensorflow", "spark"])
def test_a_framework_of_the_sdk_in_version_2(shell: ClientShell, framework: str) -> None:
    shell.run("newest", f"sagemaker2_{framework}.py")


@pytest.mark.timeout(SECONDS + 100)
def test_frameworks_of_the_sdk_in_version_3(shell: ClientShell) -> None:
    shell.run("sagemaker3", "sagemaker3_frameworks.py", ROLE)
