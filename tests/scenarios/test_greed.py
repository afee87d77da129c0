"""Programs that take all they can get, such as a fork bomb or a log without end, leave the host healthy."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios import large_log
from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, docker, until
from tests.tiny_image import tiny_image

__all__ = ["tiny_image"]

pytestmark = pytest.mark.docker

PROCESSES = 200
LOG_BYTES = 4_000_000


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(
        tmp_path_factory.mktemp("bounded"),
        allow_local_images="true",
        training_stop_seconds="1",
        pids_limit=str(PROCESSES),
        log_bytes=str(LOG_BYTES),
    )
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


def test_a_fork_bomb_gets_no_more_processes_than_allowed_and_can_be_stopped(
    bounded: EmulatorProcess, tiny_image: str
) -> None:
    bomb = "exec 2>&1; (while true; do (sleep 600 | sleep 600) & done); exec sleep 600"
    large_log.start(bounded, "bomb", tiny_image, bomb)
    bounded.job_at("bomb", {"Training"})
    (container,) = bounded.containers("name=bomb")
    until(lambda: "fork" in docker("logs", "--tail", "20", container), WAIT_SECONDS, "it gets no more processes")
    assert len(docker("top", container, "-o", "pid").splitlines()) <= PROCESSES + 1
    large_log.start(bounded, "beside", tiny_image, "echo fine")
    assert bounded.ended("beside")["TrainingJobStatus"] == "Completed"
    bounded.sagemaker.stop_training_job(TrainingJobName="bomb")
    assert bounded.ended("bomb")["TrainingJobStatus"] == "Stopped"


def test_a_log_without_end_is_bounded_on_the_disk_and_keeps_its_beginning_and_its_end(
    bounded: EmulatorProcess, tiny_image: str
) -> None:
    talk = "while [ ! -e /opt/ml/model/enough ]; do yes | head -c 40000; sleep 0.1; done"
    talk = f"echo first words; {talk}; echo last words; exit 3"
    large_log.start(bounded, "talks", tiny_image, talk)
    bounded.job_at("talks", {"Training"})
    (container,) = bounded.containers("name=talks")
    logs = bounded.data_dir / "logs"
    until(lambda: sum(map(length, logs.rglob("talks*"))) > 3 * LOG_BYTES, WAIT_SECONDS, "much of it was read")
    with contextlib.suppress(PermissionError):  # the engine's files are root's
        engine_log = Path(docker("inspect", "--format", "{{.LogPath}}", container).strip())
        assert sum(path.stat().st_size for path in engine_log.parent.glob("*.log*")) < LOG_BYTES * 1.2
    docker("exec", container, "touch", "/opt/ml/model/enough")
    assert bounded.ended("talks")["FailureReason"] == "AlgorithmError: , exit code: 3"
    said = bounded.log_lines("talks/")
    assert (said[0], said[-1]) == ("first words", "last words")
    assert any(line.startswith("samebox: ") for line in said)
    assert room(logs) < LOG_BYTES * 1.2


def test_a_large_log_with_a_line_of_ten_megabytes_takes_no_memory_and_keeps_its_beginning_and_its_end(
    bounded: EmulatorProcess, tiny_image: str
) -> None:
    found = large_log.measure(bounded, tiny_image, 24)
    assert (found.first, found.last) == (large_log.FIRST, large_log.LAST)
    assert found.memory < large_log.MOST_MEMORY
    assert found.disk < LOG_BYTES * 1.2


def length(path: Path) -> int:
    return path.stat().st_size


def room(folder: Path) -> int:
    """Bytes that the files in a folder take on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def test_a_program_that_ignores_sigterm_is_killed_when_its_window_is_over(
    bounded: EmulatorProcess, tiny_image: str
) -> None:
    large_log.start(bounded, "deaf", tiny_image, "trap '' TERM; echo begun; while true; do sleep 1; done")
    bounded.job_at("deaf", {"Training"})
    bounded.sagemaker.stop_training_job(TrainingJobName="deaf")
    assert bounded.ended("deaf")["TrainingJobStatus"] == "Stopped"
    assert not bounded.containers("name=deaf")


def test_a_program_that_fills_what_it_may_write_fails_alone(bounded: EmulatorProcess, tiny_image: str) -> None:
    large_log.start(
        bounded, "fills", tiny_image, "head -c 200000000 /dev/zero > /dev/shm/all || { echo full; exit 28; }"
    )
    assert bounded.ended("fills")["FailureReason"] == "AlgorithmError: , exit code: 28"
    assert "full" in bounded.log_lines("fills/")  # beside what `head` says on its standard error, in either order


def test_binary_bytes_and_a_line_of_three_megabytes_end_up_in_the_log(
    bounded: EmulatorProcess, tiny_image: str
) -> None:
    script = r"printf '\377\376\000\033[1m binary\n'; head -c 3000000 /dev/zero | tr '\0' x; echo; echo after"
    large_log.start(bounded, "long", tiny_image, script)
    assert bounded.ended("long")["TrainingJobStatus"] == "Completed"
    first, *middle, last = bounded.log_lines("long/")
    assert first.endswith(" binary")
    assert (sum(map(len, middle)), last) == (3_000_000, "after")
    assert max(map(len, middle)) <= 262_144  # the largest event of CloudWatch Logs
