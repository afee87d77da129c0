"""Jobs that fill the disk of the data folder: each ends, its end is stored, and the next one has the room again."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted, which needs root"),
]

MIB = 1 << 20
DISK = 160 * MIB
# What others have on the disk: with it the job's model has no room in S3.
OTHERS = 64 * MIB
FILL = """
try:
    with open("/opt/ml/model/all", "wb") as file:
        while True:
            file.write(os.urandom(1 << 20))
except OSError as error:
    print(error.strerror)
"""


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    disk = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture(scope="module")
def small(disk: Path) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(disk / "data", allow_local_images="true", training_stop_seconds="2")
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


def nothing_is_left(emulator: EmulatorProcess) -> bool:
    return not list((emulator.data_dir / "jobs").iterdir()) and not emulator.containers()


def test_a_model_that_fills_the_disk_is_stored_when_there_is_room(
    small: EmulatorProcess, disk: Path, box_image: str
) -> None:
    # The emulator sets bytes aside with its first write, so before the others have theirs.
    others = disk / "others"
    others.write_bytes(bytes(OTHERS))
    small.train("Fills", box_image, FILL)

    def waits() -> bool:
        message = small.job("Fills")["SecondaryStatusTransitions"][-1].get("StatusMessage", "")
        return "no space left on the disk that holds the objects" in message

    until(waits, WAIT_SECONDS, "its upload waits for room")
    others.unlink()
    job = small.ended("Fills")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert "No space left on device" in small.log_lines("Fills/")
    model = small.s3.head_object(Bucket="samebox-test", Key="out/Fills/output/model.tar.gz")
    assert model["ContentLength"] > DISK - OTHERS - 40 * MIB
    until(lambda: nothing_is_left(small), WAIT_SECONDS, "nothing is left of it")
    small.s3.delete_object(Bucket="samebox-test", Key="out/Fills/output/model.tar.gz")


def test_a_program_that_gives_up_on_a_full_disk_fails_and_the_next_job_runs(
    small: EmulatorProcess, box_image: str
) -> None:
    small.train("Gives-Up", box_image, f"{FILL}\nos.unlink('/opt/ml/model/all'); sys.exit(28)")
    assert small.ended("Gives-Up")["FailureReason"] == "AlgorithmError: , exit code: 28"
    small.train("Next", box_image, "Path('/opt/ml/model/one').write_text('1')")
    assert small.ended("Next")["TrainingJobStatus"] == "Completed"
    until(lambda: nothing_is_left(small), WAIT_SECONDS, "nothing is left of them")


def test_a_job_that_holds_the_disk_full_is_stopped_by_a_client(small: EmulatorProcess, box_image: str) -> None:
    script = f"signal.signal(signal.SIGTERM, lambda *_: os.unlink('/opt/ml/model/all') or sys.exit(0))\n{FILL}"
    small.train("Holds", box_image, f"{script}\nprint('holds', flush=True); time.sleep(600)")
    small.job_at("Holds", {"Training"})
    until(lambda: "holds" in small.log_lines("Holds/"), WAIT_SECONDS, "the disk is full")
    small.sagemaker.stop_training_job(TrainingJobName="Holds")
    assert small.ended("Holds")["TrainingJobStatus"] == "Stopped"
    until(lambda: nothing_is_left(small), WAIT_SECONDS, "nothing is left of it")
