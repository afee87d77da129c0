"""What scenarios share: a real emulator, and a box image whose behaviour each test writes itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, docker


@pytest.fixture(scope="session")
def box_image() -> str:
    """The local name of the box image, built if it is not there as it should be."""
    name = "samebox-test/box:latest"
    docker("build", "--quiet", "--tag", name, str(Path(__file__).parent / "box"))
    return name


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One emulator for all stories. Stop windows are short, so that what must wait for them does not wait long."""
    process = EmulatorProcess(
        tmp_path_factory.mktemp("samebox"),
        training_stop_seconds="2",
        processing_stop_seconds="2",
        processing_upload_seconds="0.5",
        checkpoint_seconds="0.5",
        serving_stop_seconds="2",
        startup_seconds="20",
        invocation_seconds="4",
        invocation_bytes="100000",
    )
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


@pytest.fixture(scope="session")
def box(emulator: EmulatorProcess, box_image: str) -> str:
    """The box image's name in the emulator's ECR."""
    return emulator.push(box_image, "box")
