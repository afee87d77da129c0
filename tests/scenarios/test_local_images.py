"""Images straight from the engine, by id: no push, and they stay while needed, whatever becomes of their names."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, docker, until

pytestmark = pytest.mark.docker

ECHO = "def invoke(body, headers): return 200, body.upper()"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory, box_image: str) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(tmp_path_factory.mktemp("local"), serving_stop_seconds="2", startup_seconds="60")
    process.up()
    yield process
    for endpoint in process.sagemaker.list_endpoints()["Endpoints"]:
        process.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])
    until(lambda: not process.sagemaker.list_endpoints()["Endpoints"], 60, "the endpoints are gone")
    for model in process.sagemaker.list_models()["Models"]:
        process.sagemaker.delete_model(ModelName=model["ModelName"])
    process.remove()
    run(process, "prune", "--yes")


def run(emulator: EmulatorProcess, *words: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "samebox.cli", *words],
        env=emulator.environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=300,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def build(name: str, label: str) -> str:
    """An image of its own under a name; gives its id."""
    text = f"FROM samebox-test/box:latest\nLABEL own={label}\n"
    command = ["docker", "build", "--quiet", "--tag", name, "-"]
    subprocess.run(command, input=text, text=True, check=True, capture_output=True, timeout=120)
    return docker("image", "inspect", "--format", "{{.Id}}", name).strip()


def answer(emulator: EmulatorProcess, endpoint: str) -> bytes | None:
    """None while none of its containers takes traffic."""
    try:
        answered = emulator.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"abc", ContentType="text/csv")
    except emulator.runtime.exceptions.ServiceUnavailable:
        return None
    return answered["Body"].read()


def test_a_local_image_trains_without_a_push(emulator: EmulatorProcess, tmp_path: Path) -> None:
    name = f"samebox-test/trains-{emulator.instance}:1"
    image = build(name, emulator.instance)
    (tmp_path / "train.py").touch()
    told = run(
        emulator, "train", "--image", name, "train.py",
        "--script=print('trained')\nPath('/opt/ml/model/x').touch()", cwd=tmp_path,
    )  # fmt: skip
    docker("image", "rm", name)
    assert told.returncode == 0, told.stderr
    assert "trained" in told.stdout
    (job,) = emulator.sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert emulator.job(job["TrainingJobName"])["AlgorithmSpecification"]["TrainingImage"] == f"{name}@{image}"
    assert emulator.ecr.describe_repositories()["repositories"] == []


def test_an_endpoint_outlives_the_name_of_its_image(emulator: EmulatorProcess) -> None:
    name = f"samebox-test/serves-{emulator.instance}:1"
    image = build(name, "first")
    emulator.serve("outlives", f"{name}@{image}", ECHO)
    build(name, "second")  # the name now means another image
    docker("image", "rm", name)
    emulator.down()
    for container in emulator.containers():
        docker("rm", "--force", container)
    emulator.up()
    assert until(lambda: answer(emulator, "outlives"), 120, "the endpoint serves again") == b"ABC"
    used = docker("inspect", "--format", "{{.Image}}", *emulator.containers()).split()
    assert used == [image]


def test_prune_takes_the_image_when_its_model_is_gone(emulator: EmulatorProcess) -> None:
    name = f"samebox-test/pruned-{emulator.instance}:1"
    image = build(name, "pruned")
    emulator.model("pruned", f"{name}@{image}", ECHO)
    docker("image", "rm", name)
    run(emulator, "prune", "--yes")
    assert docker("image", "inspect", "--format", "{{.Id}}", image).strip() == image
    emulator.sagemaker.delete_model(ModelName="pruned")
    told = run(emulator, "prune", "--yes")
    assert f"image samebox/kept:{emulator.instance}-" in told.stdout, told.stderr
    assert subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode != 0
