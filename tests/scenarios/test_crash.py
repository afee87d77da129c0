"""kill -9 of the emulator in each phase of a job: at the next `up` the job goes on, and ends as it would have."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def crashable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator that may be killed. It takes local image names, so that nothing need be pushed to it."""
    process = EmulatorProcess(
        tmp_path_factory.mktemp("crashable"), training_stop_seconds="2", allow_local_images="true"
    )
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


def test_killed_while_downloading(crashable: EmulatorProcess, box_image: str) -> None:
    for number in range(40):
        crashable.s3.put_object(Bucket="samebox-test", Key=f"many/{number:03}", Body=b"%d" % number * 4_000_000)
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://samebox-test/many/"}
    script = (
        "sizes = [p.stat().st_size for p in Path('/opt/ml/input/data/many').iterdir()]; print(len(sizes), sum(sizes))"
    )
    crashable.train(
        "interrupted",
        box_image,
        script,
        InputDataConfig=[{"ChannelName": "many", "DataSource": {"S3DataSource": source}}],
    )
    crashable.job_at("interrupted", {"Downloading"})
    crashable.kill()
    crashable.up()
    job = crashable.ended("interrupted")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert crashable.log_lines("interrupted/") == [f"40 {10 * 4_000_000 + 30 * 8_000_000}"]


def test_killed_while_training(crashable: EmulatorProcess, box_image: str) -> None:
    script = """
for number in range(60):
    print("line", number)
    time.sleep(0.1)
Path("/opt/ml/model/done").write_text("yes")
"""
    crashable.train("taken-over", box_image, script)
    crashable.job_at("taken-over", {"Training"})
    until(
        lambda: len(crashable.log_lines("taken-over/")) > 5 if has_stream(crashable) else False,
        WAIT_SECONDS,
        "some lines",
    )
    running = crashable.containers("name=taken-over")
    crashable.kill()
    time.sleep(1)  # the container goes on without us: these lines must not be lost
    crashable.up()
    assert crashable.containers("name=taken-over") == running, "taken over, not restarted"
    job = crashable.ended("taken-over")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert crashable.log_lines("taken-over/") == [f"line {number}" for number in range(60)]


def test_the_container_ends_while_no_emulator_runs(crashable: EmulatorProcess, box_image: str) -> None:
    crashable.train("unwatched", box_image, "print('begins'); time.sleep(3); print('ends'); sys.exit(4)")
    crashable.job_at("unwatched", {"Training"})
    crashable.kill()
    until(lambda: not crashable.containers("name=unwatched", "status=running"), WAIT_SECONDS, "the container has ended")
    crashable.up()
    job = crashable.ended("unwatched")
    assert job["FailureReason"] == "AlgorithmError: , exit code: 4"
    assert crashable.log_lines("unwatched/") == ["begins", "ends"]


def test_killed_while_uploading(crashable: EmulatorProcess, box_image: str) -> None:
    script = "Path('/opt/ml/model/large').write_bytes(os.urandom(300_000_000))"
    crashable.train("uploads", box_image, script)
    crashable.job_at("uploads", {"Uploading"})
    crashable.kill()
    crashable.up()
    job = crashable.ended("uploads", 120)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    head = crashable.s3.head_object(Bucket="samebox-test", Key="out/uploads/output/model.tar.gz")
    assert head["ContentLength"] > 300_000_000


def test_stop_is_remembered(crashable: EmulatorProcess, box_image: str) -> None:
    crashable.train("stops", box_image, "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)")
    crashable.job_at("stops", {"Training"})
    crashable.sagemaker.stop_training_job(TrainingJobName="stops")
    crashable.kill()
    crashable.up()
    assert crashable.ended("stops")["TrainingJobStatus"] == "Stopped"


def test_an_endpoint_serves_on(crashable: EmulatorProcess, box_image: str) -> None:
    crashable.serve("steady", box_image, "def invoke(body, headers): return 200, str(os.getpid()).encode() + body")
    running = crashable.containers("label=samebox.arn")
    crashable.kill()
    crashable.up()
    crashable.endpoint_at("steady", {"InService"})
    assert crashable.runtime.invoke_endpoint(EndpointName="steady", Body=b"!")["Body"].read().endswith(b"!")
    assert crashable.containers("label=samebox.arn") == running
    crashable.sagemaker.delete_endpoint(EndpointName="steady")
    until(lambda: not crashable.sagemaker.list_endpoints()["Endpoints"], WAIT_SECONDS, "the endpoint is gone")


def test_objects_survive(crashable: EmulatorProcess) -> None:
    crashable.s3.put_object(Bucket="samebox-test", Key="kept", Body=b"kept")
    crashable.kill()
    crashable.up()
    assert crashable.s3.get_object(Bucket="samebox-test", Key="kept")["Body"].read() == b"kept"


def test_afterwards_there_are_no_strays(crashable: EmulatorProcess) -> None:
    def samebox(*words: str) -> str:
        command = [sys.executable, "-m", "samebox.cli", *words]
        done = subprocess.run(command, env=crashable.environment, capture_output=True, text=True, timeout=WAIT_SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    until(lambda: not crashable.strays(), WAIT_SECONDS, "the last job has left nothing")
    assert json.loads(samebox("status", "--json"))["strays"] == []
    names = [job["TrainingJobName"] for job in crashable.sagemaker.list_training_jobs()["TrainingJobSummaries"]]
    found = samebox("prune", "--dry-run")  # what others have left on this machine may be there
    assert names
    assert not [name for name in (*names, "steady") if f"samebox-{name}" in found]


def has_stream(crashable: EmulatorProcess) -> bool:
    groups = crashable.logs.describe_log_groups()["logGroups"]
    if not groups:
        return False
    return bool(crashable.logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"])
