"""The example of README.md, run as it is printed there: it trains, deploys, invokes, and prints what is shown."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, docker

pytestmark = pytest.mark.docker

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
ACCOUNT = "000000000000"  # of a shell after `samebox env`, unless SAMEBOX_ACCOUNT says otherwise
ECR = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
IMAGES = ("samebox/train:cpu", "samebox/serve:cpu")
SECONDS = 600


def block(language: str, containing: str) -> str:
    """The one block of code in that language that has a text in it."""
    found: list[str] = [one for one in re.findall(rf"(?ms)^```{language}\n(.*?)^```", README) if containing in one]
    assert len(found) == 1, f"{len(found)} blocks of {language} in README.md contain {containing!r}"
    return found[0]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[EmulatorProcess]:
    """The images are there under their names in ECR, which spares the test the push; other tests push."""
    for image in IMAGES:
        docker("tag", image, f"{ECR}/{image}")
    process = EmulatorProcess(tmp_path / "data", allow_local_images="true", serving_stop_seconds="2")
    process.up()
    yield process
    process.remove()
    for image in IMAGES:
        docker("rmi", "--no-prune", f"{ECR}/{image}")


def test_the_example_prints_what_it_is_shown_to_print(emulator: EmulatorProcess, tmp_path: Path) -> None:
    commands = block("sh", "load_digits")
    make_data = commands[commands.index("docker run") :]
    subprocess.run(["bash", "-euc", make_data], cwd=tmp_path, check=True, timeout=SECONDS)
    environment = {**emulator.environment, "AWS_ACCESS_KEY_ID": ACCOUNT}
    program = [sys.executable, "-c", block("python", "boto3")]
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    trained, invoked = done.stdout.splitlines()
    shown_trained, shown_invoked = block("text", "handwritten").splitlines()
    assert trained == shown_trained
    for line in (invoked, shown_invoked):  # probabilities differ from run to run; the digit does not
        label, _, body = line.removeprefix("handwritten ").partition(" -> ")
        (probabilities,) = json.loads(body)["predictions"]
        assert len(probabilities) == 10
        assert probabilities.index(max(probabilities)) == int(label)
