"""kill -9 of the emulator in each phase of a job: at the next `up` the job goes on, and ends as it would have."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, docker, until

pytestmark = pytest.mark.docker


@pytest.fixture
def mortal(tmp_path: Path, box_image: str) -> Iterator[tuple[EmulatorProcess, str]]:
    process = EmulatorProcess(tmp_path / "samebox", training_stop_seconds="2")
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process, process.push(box_image, "box")
    process.down()
    instance = (process.data_dir / "id").read_text().strip()
    for container in docker("ps", "--all", "--quiet", "--filter", f"label=samebox={instance}").split():
        docker("rm", "--force", container)


def test_killed_while_downloading(mortal: tuple[EmulatorProcess, str]) -> None:
    emulator, box = mortal
    for number in range(40):
        emulator.s3.put_object(Bucket="samebox-test", Key=f"many/{number:03}", Body=b"%d" % number * 4_000_000)
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://samebox-test/many/"}
    script = "print(len(list(Path('/opt/ml/input/data/many').iterdir())), sum(p.stat().st_size for p in Path('/opt/ml/input/data/many').iterdir()))"
    emulator.train(
        "interrupted", box, script, InputDataConfig=[{"ChannelName": "many", "DataSource": {"S3DataSource": source}}]
    )
    emulator.job_at("interrupted", {"Downloading"})
    emulator.kill()
    emulator.up()
    job = emulator.ended("interrupted")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert emulator.log_lines("interrupted/") == [f"40 {10 * 4_000_000 + 30 * 8_000_000}"]


def test_killed_while_training(mortal: tuple[EmulatorProcess, str]) -> None:
    emulator, box = mortal
    script = """
for number in range(60):
    print("line", number)
    time.sleep(0.1)
Path("/opt/ml/model/done").write_text("yes")
"""
    emulator.train("taken-over", box, script)
    emulator.job_at("taken-over", {"Training"})
    until(lambda: len(emulator.log_lines("taken-over/")) > 5 if has_stream(emulator) else False, 30, "some lines")
    running = docker("ps", "--quiet", "--filter", "name=taken-over").split()
    emulator.kill()
    time.sleep(1)  # the container goes on without us: these lines must not be lost
    emulator.up()
    assert docker("ps", "--quiet", "--filter", "name=taken-over").split() == running, "taken over, not restarted"
    job = emulator.ended("taken-over")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert emulator.log_lines("taken-over/") == [f"line {number}" for number in range(60)]


def test_the_container_ends_while_nobody_watches(mortal: tuple[EmulatorProcess, str]) -> None:
    emulator, box = mortal
    emulator.train("unwatched", box, "print('begins'); time.sleep(3); print('ends'); sys.exit(4)")
    emulator.job_at("unwatched", {"Training"})
    emulator.kill()
    until(lambda: not docker("ps", "--quiet", "--filter", "name=unwatched").split(), 30, "the container has ended")
    emulator.up()
    job = emulator.ended("unwatched")
    assert job["FailureReason"] == "AlgorithmError: , exit code: 4"
    assert emulator.log_lines("unwatched/") == ["begins", "ends"]


def test_killed_while_uploading(mortal: tuple[EmulatorProcess, str]) -> None:
    emulator, box = mortal
    script = "Path('/opt/ml/model/large').write_bytes(os.urandom(300_000_000))"
    emulator.train("uploads", box, script)
    emulator.job_at("uploads", {"Uploading"})
    emulator.kill()
    emulator.up()
    job = emulator.ended("uploads", 120)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    head = emulator.s3.head_object(Bucket="samebox-test", Key="out/uploads/output/model.tar.gz")
    assert head["ContentLength"] > 300_000_000


def test_stop_is_remembered(mortal: tuple[EmulatorProcess, str]) -> None:
    emulator, box = mortal
    emulator.train("stops", box, "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)")
    emulator.job_at("stops", {"Training"})
    emulator.sagemaker.stop_training_job(TrainingJobName="stops")
    emulator.kill()
    emulator.up()
    assert emulator.ended("stops")["TrainingJobStatus"] == "Stopped"


def test_an_endpoint_serves_on(mortal: tuple[EmulatorProcess, str]) -> None:
    emulator, box = mortal
    emulator.serve("steady", box, "def invoke(body, headers): return 200, str(os.getpid()).encode() + body")
    running = docker("ps", "--quiet", "--filter", "label=samebox.arn").split()
    emulator.kill()
    emulator.up()
    emulator.endpoint_at("steady", {"InService"})
    assert emulator.runtime.invoke_endpoint(EndpointName="steady", Body=b"!")["Body"].read().endswith(b"!")
    assert docker("ps", "--quiet", "--filter", "label=samebox.arn").split() == running
    emulator.sagemaker.delete_endpoint(EndpointName="steady")
    until(lambda: not emulator.sagemaker.list_endpoints()["Endpoints"], 30, "the endpoint is gone")


def test_objects_and_images_survive(mortal: tuple[EmulatorProcess, str]) -> None:
    emulator, box = mortal
    emulator.s3.put_object(Bucket="samebox-test", Key="kept", Body=b"kept")
    digest = emulator.ecr.describe_images(repositoryName="box")["imageDetails"][0]["imageDigest"]
    emulator.kill()
    emulator.up()
    assert emulator.s3.get_object(Bucket="samebox-test", Key="kept")["Body"].read() == b"kept"
    assert emulator.ecr.describe_images(repositoryName="box")["imageDetails"][0]["imageDigest"] == digest


def has_stream(emulator: EmulatorProcess) -> bool:
    groups = emulator.logs.describe_log_groups()["logGroups"]
    if not groups:
        return False
    return bool(emulator.logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"])
