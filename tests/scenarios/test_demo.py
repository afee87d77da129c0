"""The README's first command, as a newcomer runs it; and as one who loses patience."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.emulator_process import docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(3000)]

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1200


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for both runs, as a person has one: what the first pushed, the second need not."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(autouse=True)
def nothing_is_left(data_dir: Path) -> Iterator[None]:
    """Neither container nor network nor process of the demo's emulator is there afterwards."""
    yield
    instance = (data_dir / "id").read_text().strip()
    assert docker("ps", "--all", "--quiet", "--filter", f"label=samebox={instance}") == ""
    assert docker("ps", "--all", "--quiet", "--filter", "label=samebox=demo") == ""
    assert docker("network", "ls", "--quiet", "--filter", f"label=samebox={instance}") == ""
    assert not (data_dir / "emulator.json").exists()
    assert not list((data_dir / "jobs").glob("*"))


@pytest.fixture(scope="module")
def done(data_dir: Path) -> subprocess.CompletedProcess[str]:
    """The first run, to its end."""
    return subprocess.run(
        [ROOT / "scripts" / "demo", "--data-dir", data_dir],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip


def test_the_demo_reaches_its_accuracy(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    accuracy = re.search(r"Accuracy on the held-out digits: ([0-9.]+)", done.stdout)
    assert accuracy is not None, done.stdout[-4000:]
    assert float(accuracy[1]) >= 0.97
    assert image_names(done.stdout) == []


@pytest.mark.usefixtures("done")
def test_the_demo_can_be_interrupted_and_has_pushed_before(data_dir: Path) -> None:
    with subprocess.Popen(
        [ROOT / "scripts" / "demo", "--data-dir", data_dir],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        said = []
        for line in demo.stdout:
            said.append(line)
            if "epoch=1 " in line:
                demo.send_signal(signal.SIGINT)
    assert demo.returncode == 130, "".join(said)[-4000:]
    assert sum("there already" in line for line in said) == 2, "".join(said)
    assert image_names("".join(said)) == []


def image_names(said: str) -> list[str]:
    """The names that the engine still has for images of the demo's registry."""
    registry = re.search(r"localhost:\d+/", said)
    assert registry is not None, said
    names = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return [name for name in names if name.startswith(registry[0])]
