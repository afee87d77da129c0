"""Warm pools and `samebox shell` in real containers, on two hosts, over a `kill -9` of the emulator."""

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, until

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import WarmPoolStatusTypeDef

pytestmark = pytest.mark.docker

WAIT_SECONDS = 180.0
# Each host waits for a file that a shell makes, and puts its job's name aside.
TRAIN = """
cache = Path(os.environ["SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"])
print("before", *sorted(path.name for path in cache.iterdir()), flush=True)
while not Path("/tmp/go").exists(): time.sleep(0.05)
(cache / os.environ["TRAINING_JOB_NAME"]).touch()
"""
RESOURCES = {
    "InstanceType": "ml.t3.medium",
    "InstanceCount": 2,
    "VolumeSizeInGB": 1,
    "KeepAlivePeriodInSeconds": 600,
}


def shell(emulator: EmulatorProcess, job: str, host: str, command: str) -> str:
    words = [sys.executable, "-m", "samebox.cli", "shell", job, "--host", host, "--run", command]
    made = subprocess.run(words, check=False, env=emulator.environment, capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    return made.stdout


def pool(emulator: EmulatorProcess, job: str) -> "WarmPoolStatusTypeDef":
    found = emulator.sagemaker.describe_training_job(TrainingJobName=job)["WarmPoolStatus"]
    found.pop("ResourceRetainedBillableTimeInSeconds", None)
    return found


def stage(emulator: EmulatorProcess, job: str) -> str:
    return emulator.sagemaker.describe_training_job(TrainingJobName=job)["SecondaryStatus"]


def run(emulator: EmulatorProcess, box: str, name: str) -> None:
    """Run a job of two hosts that a shell lets go on."""
    emulator.train(name, box, TRAIN, ResourceConfig=RESOURCES, RemoteDebugConfig={"EnableRemoteDebug": True})
    until(lambda: stage(emulator, name) == "Training", WAIT_SECONDS, "it trains")
    for host in ("algo-1", "algo-2"):
        assert shell(emulator, name, host, "touch /tmp/go; echo $TRAINING_JOB_NAME") == f"{name}\n"
    job = emulator.ended(name, WAIT_SECONDS)
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)


def test_jobs_share_their_hosts_caches_until_the_pool_ends(emulator: EmulatorProcess, box: str) -> None:
    run(emulator, box, "warm-1")
    assert pool(emulator, "warm-1") == {"Status": "Available"}
    emulator.kill()
    emulator.up()
    run(emulator, box, "warm-2")
    assert pool(emulator, "warm-1") == {"Status": "Reused", "ReusedByJob": "warm-2"}
    for host in ("algo-1", "algo-2"):
        assert emulator.log_lines(f"warm-2/{host}-") == ["before warm-1"]
    emulator.sagemaker.update_training_job(TrainingJobName="warm-2", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    until(lambda: pool(emulator, "warm-2")["Status"] == "Terminated", WAIT_SECONDS, "the pool ends")
    until(lambda: not list((emulator.data_dir / "warm-pools").iterdir()), WAIT_SECONDS, "its folder is gone")
    assert emulator.containers("name=samebox-warm-") == []
