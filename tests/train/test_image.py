"""The train image as SageMaker uses it: real containers, real signals, the golden trees."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.train import docker_cli
from tests.train.conftest import GOLDEN, IMAGE

if TYPE_CHECKING:
    from tests.train.conftest import StartJob

pytestmark = pytest.mark.docker

TELL = """
import json, os, sys
names = ("SM_", "SAGEMAKER_", "TRAINING_", "CURRENT_HOST")
told = {name: value for name, value in os.environ.items() if name.startswith(names)}
print("TOLD " + json.dumps({"environment": told, "arguments": sys.argv[1:]}))
"""
WAIT_FOR_SIGTERM = """
import signal, sys, threading
stopped = threading.Event()
signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
print("ready", flush=True)
stopped.wait()
open("/opt/ml/model/saved", "w").write("in time")
sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
"""


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir() if path.is_dir()))
def test_every_golden_tree_is_read(start_job: StartJob, case: str) -> None:
    job = start_job(TELL, case=case)
    assert job.container.wait() == 0, job.container.logs()

    told = json.loads(job.container.wait_for_line("TOLD ").partition("TOLD ")[2])
    environment = told["environment"]
    golden = GOLDEN / case
    request = json.loads((golden / "request.json").read_text())
    resources = json.loads((golden / "opt_ml/input/config/resourceconfig.json").read_text())
    channels = sorted(channel["ChannelName"] for channel in request.get("InputDataConfig", []))
    assert json.loads(environment["SM_CHANNELS"]) == channels
    assert {name: environment[f"SM_CHANNEL_{name.upper()}"] for name in channels} == {
        name: f"/opt/ml/input/data/{name}" for name in channels
    }
    assert environment["SM_CURRENT_HOST"] == "algo-1"
    assert environment["SM_CURRENT_INSTANCE_TYPE"] == request["ResourceConfig"]["InstanceType"]
    assert environment["SM_NETWORK_INTERFACE_NAME"] == "eth0"
    assert json.loads(environment["SM_RESOURCE_CONFIG"]) == resources
    assert environment["SM_MODEL_DIR"] == "/opt/ml/model"
    parameters = request.get("HyperParameters", {})
    assert {name.removeprefix("SM_HP_") for name in environment if name.startswith("SM_HP_")} == {
        name.upper() for name in parameters
    }
    assert (job.opt_ml / "output" / "success").exists()


def test_hyperparameters_arrive_as_they_were_sent(start_job: StartJob) -> None:
    job = start_job(TELL, case="two_channels")
    job.container.wait()

    told = json.loads(job.container.wait_for_line("TOLD ").partition("TOLD ")[2])
    assert told["arguments"] == ["--epochs", "12", "--learning-rate", "0.001", "--note", '"quoted" <b>&amp; é']


@pytest.mark.parametrize("code", [1, 2, 7, 255])
def test_the_exit_code_is_the_programs(start_job: StartJob, code: int) -> None:
    job = start_job(f"raise SystemExit({code})")

    assert job.container.wait() == code
    assert job.failure is not None
    assert job.failure.startswith(f"ExecuteUserScriptError:\nExitCode {code}\n")
    assert not (job.opt_ml / "output" / "success").exists()


def test_an_exception_is_the_failure_reason(start_job: StartJob) -> None:
    job = start_job("raise ValueError('there is no label in column 0')")

    assert job.container.wait() == 1
    assert job.failure is not None
    assert "ValueError: there is no label in column 0" in job.failure
    assert len(job.failure) <= 1024


def test_the_programs_own_failure_file_is_kept(start_job: StartJob) -> None:
    job = start_job("open('/opt/ml/output/failure', 'w').write('my own words'); raise SystemExit(3)")

    assert job.container.wait() == 3
    assert job.failure == "my own words"


def test_a_failure_file_that_cannot_be_written_leaves_the_job_failed(start_job: StartJob) -> None:
    job = start_job(
        "import os; os.rmdir('/opt/ml/output/data'); os.mkdir('/opt/ml/output/failure'); raise SystemExit(4)"
    )

    assert job.container.wait() == 4


def test_a_program_killed_for_memory_shows_137_and_why(start_job: StartJob) -> None:
    job = start_job("hog = bytearray(10**9)\nfor at in range(0, len(hog), 4096): hog[at] = 1", options=("-m", "256m"))

    assert job.container.wait() == 137
    assert job.failure is not None
    assert "OutOfMemory" in job.failure


def test_sigterm_reaches_the_program_which_may_save_its_work(start_job: StartJob) -> None:
    job = start_job(WAIT_FOR_SIGTERM)
    job.container.wait_for_line("ready")

    assert job.container.stop(120) == 0
    assert (job.opt_ml / "model" / "saved").read_text() == "in time"
    assert job.failure is None


def test_the_exit_code_after_sigterm_is_the_programs_too(start_job: StartJob) -> None:
    job = start_job(WAIT_FOR_SIGTERM, hyperparameters={"code": "9"})
    job.container.wait_for_line("ready")

    assert job.container.stop(120) == 9


def test_a_program_that_does_not_handle_sigterm_ends_with_143_and_no_failure_text(start_job: StartJob) -> None:
    job = start_job("import time\nprint('ready', flush=True)\ntime.sleep(600)")
    job.container.wait_for_line("ready")

    assert job.container.stop(120) == 143
    assert job.failure is None


def test_a_shell_script_is_run_and_what_it_starts_hears_sigterm(start_job: StartJob) -> None:
    job = start_job(
        code={"run.sh": "#!/bin/bash\npython child.py $2\necho after the child: $?\n", "child.py": WAIT_FOR_SIGTERM},
        hyperparameters={"sagemaker_program": "run.sh", "label": "a b"},
    )
    job.container.wait_for_line("ready")
    job.container.stop(120)

    assert (job.opt_ml / "model" / "saved").read_text() == "in time"


def test_orphans_are_buried_by_pid_1(start_job: StartJob) -> None:
    job = start_job(
        "import os, subprocess, sys, threading\n"
        "subprocess.run(['sh', '-c', 'for i in 1 2 3 4 5; do (sleep 0.1 &) ; done'], check=True)\n"
        "print('ready', flush=True)\nthreading.Event().wait(600)"
    )
    job.container.wait_for_line("ready")

    # The shells are gone and the sleeps became children of PID 1. `sleep 1` is longer than they live.
    states = job.container.run("sh", "-c", "sleep 1; cat /proc/[0-9]*/stat").splitlines()
    assert not [line for line in states if line.rpartition(")")[2].split()[0] == "Z"]
    job.container.stop(1)


def test_requirements_that_cannot_be_installed_fail_the_job_with_a_message(start_job: StartJob) -> None:
    job = start_job("print('never')", code={"requirements.txt": "/no/such/package.whl\n"})

    assert job.container.wait() == 1
    assert job.failure is not None
    assert "InstallRequirementsError" in job.failure
    assert "Requirement '/no/such/package.whl' looks like a filename, but the file does not exist" in job.failure
    assert "never" not in job.container.logs().splitlines()


def test_without_an_opt_ml_tree_the_program_explains_its_purpose() -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", "--label", docker_cli.LABEL, IMAGE, "train"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "hyperparameters.json is missing" in done.stderr + done.stdout


def test_tensorflow_is_not_imported_for_a_program_that_does_not_use_it(start_job: StartJob) -> None:
    job = start_job("print(open('/proc/%d/maps' % __import__('os').getppid()).read().count('tensorflow'))")
    assert job.container.wait() == 0

    assert "0" in job.container.logs().splitlines()


EPOCH = re.compile(r"epoch=(\d+) loss=([\d.]+) accuracy=([\d.]+) .*val_accuracy=([\d.]+)")


def test_the_sample_learns_the_digits_and_logs_each_line_at_once(start_job: StartJob) -> None:
    job = start_job(hyperparameters={"epochs": "12"})
    assert job.container.wait(300) == 0, job.container.logs()

    logs = job.container.logs()
    epochs = EPOCH.findall(logs)
    assert [int(epoch[0]) for epoch in epochs] == list(range(1, 13))
    final = re.search(r"test_accuracy=([\d.]+) on 360 held-out digits", logs)
    assert final is not None
    assert float(final[1]) >= 0.97
    assert (job.opt_ml / "model" / "1" / "saved_model.pb").is_file()
    report = json.loads((job.opt_ml / "output" / "data" / "metrics.json").read_text())
    assert round(report["test_accuracy"], 4) == float(final[1])


def test_the_sample_stops_with_a_model_and_goes_on_from_its_checkpoint(start_job: StartJob) -> None:
    first = start_job(hyperparameters={"epochs": "1000"})
    first.container.wait_for_line("epoch=2 ")

    assert first.container.stop(120) == 0
    assert (first.opt_ml / "model" / "1" / "saved_model.pb").is_file()
    kept = sorted(path.name for path in (first.opt_ml / "checkpoints").iterdir())
    assert kept
    assert all(name.endswith(".npz") for name in kept)

    done = int(kept[-1].removeprefix("epoch-").removesuffix(".npz"))
    second = start_job(
        hyperparameters={"epochs": str(done + 1)},
        options=("-v", f"{first.opt_ml / 'checkpoints'}:/state", "-e", "UNUSED=1"),
        code={
            "train.py": "import os, sys\nos.execv(sys.executable, [sys.executable, '/opt/samebox/train/train.py', "
            "'--checkpoint-dir', '/state', *sys.argv[1:]])\n"
        },
    )
    assert second.container.wait(300) == 0, second.container.logs()
    assert f"resuming from /state after epoch {done}" in second.container.logs()
    assert [int(epoch[0]) for epoch in EPOCH.findall(second.container.logs())] == [done + 1]


def test_a_broken_checkpoint_is_passed_over(start_job: StartJob, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "epoch-00007.npz").write_bytes(b"PK half a file")
    job = start_job(hyperparameters={"epochs": "1", "checkpoint-dir": "/state"}, options=("-v", f"{state}:/state"))
    assert job.container.wait(300) == 0, job.container.logs()

    assert "ignoring checkpoint /state/epoch-00007.npz" in job.container.logs()
    assert "epoch=1 " in job.container.logs()


def test_the_sample_reads_channels_as_csv(start_job: StartJob) -> None:
    job = start_job(case="two_channels", hyperparameters={"epochs": "1"})

    # The golden channels hold rows of six pixels, which are no digits: the message must name the file and the number.
    assert job.container.wait(300) == 1
    assert job.failure is not None
    assert "has 6 values per digit beside the label; 64 were expected" in job.failure


def test_python_train_py_works_in_the_image_without_sagemaker(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    sample = Path(__file__).resolve().parents[2] / "train" / "train.py"
    (work / "train.py").write_bytes(sample.read_bytes())

    done = subprocess.run(
        [
            "docker",
            "run",
            "--rm",
            "--label",
            docker_cli.LABEL,
            "-v",
            f"{work}:/work",
            "-w",
            "/work",
            IMAGE,
            "python",
            "train.py",
            "--epochs",
            "1",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "using the 1,797 digits that ship with scikit-learn" in done.stdout
    assert (work / "model" / "1" / "saved_model.pb").is_file()


def test_two_processes_under_mpirun_train_one_model_and_stop_together(start_job: StartJob) -> None:
    job = start_job(
        hyperparameters={
            "epochs": "1000",
            "sagemaker_mpi_enabled": "true",
            "sagemaker_mpi_num_of_processes_per_host": "2",
        }
    )
    job.container.wait_for_line("processes 2", timeout=300)
    job.container.wait_for_line("epoch=1 ", timeout=300)

    assert job.container.stop(120) == 0
    assert "stopped by SIGTERM: checkpoint and model are saved" in job.container.logs()
    assert (job.opt_ml / "model" / "1" / "saved_model.pb").is_file()


def test_an_error_of_one_rank_fails_the_job_with_its_traceback(start_job: StartJob) -> None:
    job = start_job(
        "import os\nif os.environ['OMPI_COMM_WORLD_RANK'] == '1':\n    raise ValueError('rank one is lost')\n"
        "import threading\nthreading.Event().wait(600)\n",
        hyperparameters={"sagemaker_mpi_enabled": "true", "sagemaker_mpi_num_of_processes_per_host": "2"},
    )

    assert job.container.wait() == 1
    assert job.failure is not None
    assert "ValueError: rank one is lost" in job.failure
