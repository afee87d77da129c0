"""`samebox train` with its options in real containers, and the sample on two hosts and where it is handed over."""

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, until

pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600
TRAIN = (sys.executable, "-m", "samebox.cli", "train")


class Start(Protocol):
    """Starts a program in a folder of the test's own."""

    def __call__(self, *command: str) -> "subprocess.Popen[str]": ...


@pytest.fixture
def start(emulator: EmulatorProcess, tmp_path: Path) -> Iterator[Start]:
    """Programs of a person at a terminal; those that a test leaves running end with it."""
    with ExitStack() as started:

        def start(*command: str) -> "subprocess.Popen[str]":
            pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            environment = {**emulator.environment, "COLUMNS": "200"}
            one = started.enter_context(subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, **pipes))
            started.callback(one.kill)
            return one

        yield start


def job_of(emulator: EmulatorProcess, stem: str) -> dict[str, Any]:
    """The one job of the script of that name."""
    (found,) = emulator.sagemaker.list_training_jobs(NameContains=stem)["TrainingJobSummaries"]
    return emulator.job(found["TrainingJobName"])


def digits(count: int) -> str:
    """Rows as train.py reads them: a label, and 64 grey values that have to do with it."""
    chance = random.Random(count)
    rows = []
    for number in range(count):
        bright = {(number % 10 * 6 + step) % 64 for step in range(12)}
        grey = (chance.randint(10, 16) if pixel in bright else chance.randint(0, 4) for pixel in range(64))
        rows.append(",".join(map(str, (number % 10, *grey))))
    return "\n".join(rows) + "\n"


def test_the_sample_trains_on_two_hosts_with_data_and_checkpoints_in_s3(
    emulator: EmulatorProcess, start: Start, tmp_path: Path
) -> None:
    emulator.s3.put_object(Bucket="samebox-test", Key="rows/digits.csv", Body=digits(400).encode())
    (tmp_path / "held-out.csv").write_text(digits(50))
    (tmp_path / "code").mkdir()
    shutil.copy(ROOT / "train" / "train.py", tmp_path / "code" / "two-hosts.py")
    command = start(
        *TRAIN, "--instance-type", "ml.m5.large", "--instances", "2", "--distribution", "mpi",
        "--input-mode", "FastFile", "--s3-data", "train=s3://samebox-test/rows/", "--data", "test=held-out.csv",
        "--checkpoint", "s3://samebox-test/two-hosts", "--metric", "tested=test_accuracy=([0-9.]+)",
        "code/two-hosts.py", "--epochs", "1",
    )  # fmt: skip
    shown, notes = command.communicate(timeout=SECONDS)
    assert command.returncode == 0, shown[-4000:] + notes
    assert "training on 400 digits, held out 50; processes 2" in shown
    assert (tmp_path / "model" / "1" / "saved_model.pb").is_file()

    job = job_of(emulator, "two-hosts")
    assert job["ResourceConfig"]["InstanceCount"] == 2
    assert {one["ChannelName"]: one.get("InputMode", "File") for one in job["InputDataConfig"]} == {
        "code": "File", "test": "FastFile", "train": "FastFile",
    }  # fmt: skip
    (accuracy,) = (one["Value"] for one in job["FinalMetricDataList"] if one["MetricName"] == "tested")
    assert f"tested {accuracy:.6g}" in notes
    kept = emulator.s3.list_objects_v2(Bucket="samebox-test", Prefix="two-hosts/")["Contents"]
    assert [one["Key"] for one in kept] == ["two-hosts/epoch-00001.npz"]


# The rank that fails waits until it has heard of each of the others.
RANKS = """
import os, socket, threading, time
own = f"rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']} on {os.environ['SM_CURRENT_HOST']}"
if os.environ["RANK"] == os.environ["FAILS"]:
    server = socket.create_server(("0.0.0.0", 7500))
    server.settimeout(300)
    for _ in range(int(os.environ["WORLD_SIZE"]) - 1):
        with server.accept()[0] as other:
            print(other.recv(100).decode())
    print(own)
    raise SystemExit(7)
for _ in range(600):
    try:
        with socket.create_connection(("algo-2", 7500), 5) as failing:
            failing.sendall(own.encode())
        break
    except OSError:
        time.sleep(0.5)
threading.Event().wait()
"""


def test_a_rank_that_fails_ends_the_command_with_its_exit_code(
    emulator: EmulatorProcess, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "ranks.py").write_text(RANKS)
    command = start(
        *TRAIN, "--instance-type", "ml.m5.large", "--instances", "2", "--distribution", "torchrun",
        "--processes-per-host", "2", "--env", "FAILS=3", "ranks.py",
    )  # fmt: skip
    shown, notes = command.communicate(timeout=SECONDS)
    assert command.returncode == 7, shown[-4000:] + notes
    assert {f"rank {rank} of 4 on algo-{rank // 2 + 1}" for rank in range(4)} <= set(shown.splitlines())
    assert "Failed: AlgorithmError: algo-2: " in notes
    assert not (tmp_path / "model").exists()


# The first attempt waits to be interrupted, the second ends with what it found.
INTERRUPTED = """
number = Path("/opt/ml/checkpoints/number")
before = int(number.read_text())
number.write_text(str(before + 1))
pipe = Path("/opt/ml/input/data/letters_0")
while not pipe.exists():
    time.sleep(0.01)
print("read", pipe.read_text(), "after", before)
if before == 1:
    print("waiting")
    time.sleep(600)
print("answer=42")
sys.exit(9)
"""


def test_a_spot_job_goes_on_with_the_checkpoints_of_a_local_folder(
    emulator: EmulatorProcess, box_image: str, start: Start, tmp_path: Path
) -> None:
    for letter in "abc":
        emulator.s3.put_object(Bucket="samebox-test", Key=f"letters/{letter}", Body=letter.encode())
    (tmp_path / "interrupted.py").touch()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "number").write_text("1")
    command = start(
        *TRAIN, "--image", box_image, "--instance-type", "ml.t3.medium", "--spot", "--input-mode", "Pipe",
        "--s3-data", "letters=s3://samebox-test/letters/", "--checkpoint", "state",
        "--metric", "answer=answer=([0-9]+)", "interrupted.py", f"--script={INTERRUPTED}",
    )  # fmt: skip

    def waits() -> bool:
        assert command.poll() is None, command.communicate()
        return "waiting" in emulator.log_lines("interrupted-")

    until(waits, WAIT_SECONDS, "the first attempt waits")
    name = job_of(emulator, "interrupted")["TrainingJobName"]
    interrupt = [sys.executable, "-m", "samebox.cli", "spot", "interrupt", name]
    subprocess.run(interrupt, check=True, env=emulator.environment, timeout=SECONDS)
    shown, notes = command.communicate(timeout=SECONDS)
    assert command.returncode == 9, shown + notes
    assert [line for line in shown.splitlines() if line.startswith("read")] == ["read abc after 1", "read abc after 2"]
    for note in ("Interrupted", "Metrics: answer 42", "1 checkpoint file in", "AlgorithmError: , exit code: 9"):
        assert note in notes
    assert (tmp_path / "state" / "number").read_text() == "3"


def test_the_sample_without_tensorflow_is_handed_over_and_leaves_its_model_here(
    emulator: EmulatorProcess, start: Start, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "train" / "train.py", tmp_path / "handed-over.py")
    # -S: without the packages of this Python, whatever those are; the command beside it is found all the same.
    command = start(sys.executable, "-I", "-S", "handed-over.py", "--epochs", "1")
    shown, notes = command.communicate(timeout=SECONDS)
    assert command.returncode == 0, shown[-4000:] + notes
    assert "no TensorFlow here" in shown
    assert "using the 1,797 digits that ship with scikit-learn" in shown
    assert (tmp_path / "model" / "1" / "saved_model.pb").is_file()
    assert job_of(emulator, "handed-over")["TrainingJobStatus"] == "Completed"
