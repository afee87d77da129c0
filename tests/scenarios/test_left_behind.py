"""What stays in the container engine when an emulator ends, or loses its data folder; and what does not."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.commands import local_docker
from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, docker

pytestmark = pytest.mark.docker

LONG = "time.sleep(600)"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(tmp_path / "data", training_stop_seconds="2")
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    instance = process.instance
    yield process
    process.down()
    left = docker("ps", "--all", "--quiet", "--filter", f"label=samebox={instance}").split()
    for container in left:
        docker("rm", "--force", container)
    local_docker.forget(f"localhost:{process.port}")
    assert networks(instance) == []


def samebox(process: EmulatorProcess, *words: str) -> str:
    command = [sys.executable, "-m", "samebox.cli", *words]
    done = subprocess.run(
        command, env=process.environment, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def pushed(process: EmulatorProcess, box_image: str) -> str:
    """The box image in ECR, and no name of it by a tag in the engine: as after `samebox push`."""
    name = process.push(box_image, "box")
    docker("rmi", "--no-prune", name)
    return name


def of_registry(process: EmulatorProcess) -> list[str]:
    names = docker("image", "ls", "--all", "--digests", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return [name for name in names if name.startswith(f"localhost:{process.port}/")]


def containers(instance: str) -> list[str]:
    return docker("ps", "--all", "--quiet", "--filter", f"label=samebox={instance}").split()


def networks(instance: str) -> list[str]:
    return docker("network", "ls", "--quiet", "--filter", f"label=samebox={instance}").split()


def remove_folder(folder: Path) -> None:
    """As `rm -rf` does, again where an emulator that runs writes there meanwhile."""
    until = time.monotonic() + WAIT_SECONDS
    while folder.exists():
        assert time.monotonic() < until, sorted(folder.iterdir())
        shutil.rmtree(folder, ignore_errors=True)


def test_what_ran_is_found_when_its_data_folder_is_gone(process: EmulatorProcess, box_image: str) -> None:
    instance = process.instance
    process.train("left", pushed(process, box_image), LONG)
    process.job_at("left", {"Training"})
    process.down()
    assert len(containers(instance)) == len(networks(instance)) == 1, "the job goes on"
    assert samebox(process, "prune", "--dry-run") == "Nothing to remove.\n"
    remove_folder(process.data_dir)
    assert f"of {process.data_dir}, which is gone" in samebox(process, "prune", "--dry-run")
    samebox(process, "prune", "--yes")
    assert containers(instance) == []
    assert of_registry(process) == []


def test_what_ran_is_stopped_by_name_of_the_folder_that_is_gone(process: EmulatorProcess, box_image: str) -> None:
    instance = process.instance
    process.train("left", pushed(process, box_image), LONG)
    process.job_at("left", {"Training"})
    process.down()
    remove_folder(process.data_dir)
    assert "Removed 2 containers or networks" in samebox(process, "down", "--stop-containers")
    assert containers(instance) == []


def test_an_emulator_without_its_folder_is_ended_with_what_it_runs(
    process: EmulatorProcess, emulator: EmulatorProcess, box: str, box_image: str
) -> None:
    emulator.train("bystander", box, LONG)
    emulator.job_at("bystander", {"Training"})
    others = containers(emulator.instance)
    instance = process.instance
    process.train("lost", pushed(process, box_image), LONG)
    process.job_at("lost", {"Training"})
    remove_folder(process.data_dir)
    told = samebox(process, "prune", "--yes")
    assert f"its data folder {process.data_dir} was removed" in told
    assert containers(instance) == []
    assert containers(emulator.instance) == others, "another emulator's are not touched"
    emulator.sagemaker.stop_training_job(TrainingJobName="bystander")
    emulator.ended("bystander")


def test_images_of_our_registry_go_at_the_end_and_a_persons_own_names_stay(
    process: EmulatorProcess, box_image: str
) -> None:
    name = pushed(process, box_image)
    process.train("quick", name, "print('done')")
    assert process.ended("quick")["TrainingJobStatus"] == "Completed"
    assert of_registry(process), "the job ran it by its digest"
    own = f"localhost:{process.port}/mine:1"
    docker("tag", box_image, own)
    try:
        process.down()
        assert of_registry(process) == [own]
    finally:
        docker("rmi", "--no-prune", own)


def test_the_registry_of_an_emulator_that_was_killed_is_removed(process: EmulatorProcess, box_image: str) -> None:
    pushed(process, box_image)
    instance = process.instance
    assert len(containers(instance)) == 1
    process.kill()
    assert "that was killed" in samebox(process, "down")
    assert containers(instance) == []


def test_layers_that_no_image_has_any_more_are_removed_from_the_registry(
    process: EmulatorProcess, box_image: str
) -> None:
    def size() -> int:
        blobs = process.data_dir / "registry/docker/registry/v2/blobs"
        return sum(path.stat().st_size for path in blobs.rglob("data"))

    pushed(process, box_image)
    full = size()
    digest = process.ecr.describe_images(repositoryName="box")["imageDetails"][0]["imageDigest"]
    process.ecr.batch_delete_image(repositoryName="box", imageIds=[{"imageDigest": digest}])
    assert "as a push may be under way" in samebox(process, "prune", "--dry-run")
    process.down()
    assert "blobs of ECR's registry" in samebox(process, "prune", "--yes")
    assert size() < full / 100
    process.up()
    process.train("after", process.push(box_image, "again"), "print('done')")
    assert process.ended("after")["TrainingJobStatus"] == "Completed"
