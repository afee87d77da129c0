"""Training jobs in real containers: what the container finds, what becomes of what it leaves behind."""

import io
import json
import tarfile
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, docker, until

pytestmark = pytest.mark.docker


def tar_names(emulator: EmulatorProcess, uri: str) -> dict[str, bytes]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = emulator.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        members = [(member.name, tar.extractfile(member)) for member in tar if member.isfile()]
        return {name: file.read() for name, file in members if file is not None}


def channel(name: str, uri: str) -> dict[str, object]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def test_a_job_reads_its_channels_and_leaves_a_model(emulator: EmulatorProcess, box: str) -> None:
    emulator.s3.put_object(Bucket="samebox-test", Key="digits/train/a.csv", Body=b"1,2\n")
    emulator.s3.put_object(Bucket="samebox-test", Key="digits/train/deep/b.csv", Body=b"3,4\n")
    emulator.s3.put_object(Bucket="samebox-test", Key="digits/test.csv", Body=b"5,6\n")
    script = """
root = Path("/opt/ml/input/data")
rows = "".join(path.read_text() for path in sorted((root / "train").rglob("*.csv")))
Path("/opt/ml/model/weights").write_text(rows + (root / "test" / "test.csv").read_text())
Path("/opt/ml/output/data/report").write_text("fine")
print("program", sys.argv)
print("loss=0.5"); print("loss=0.25")
"""
    emulator.train(
        "Reads-Channels", box, script,
        InputDataConfig=[channel("train", "s3://samebox-test/digits/train/"), channel("test", "s3://samebox-test/digits/test.csv")],
        AlgorithmSpecification={
            "TrainingImage": box, "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
    )  # fmt: skip
    job = emulator.ended("Reads-Channels")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == "s3://samebox-test/out/Reads-Channels/output/model.tar.gz"
    assert tar_names(emulator, model) == {"weights": b"1,2\n3,4\n5,6\n"}
    assert tar_names(emulator, model.replace("model.tar", "output.tar")) == {"report": b"fine"}
    assert emulator.log_lines("Reads-Channels/algo-1-") == ["program ['/usr/local/bin/train']", "loss=0.5", "loss=0.25"]
    assert [metric["Value"] for metric in job["FinalMetricDataList"]] == [0.25]
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]] == [
        "Starting", "Downloading", "Training", "Uploading", "Completed",
    ]  # fmt: skip
    assert job["TrainingJobArn"].endswith(":training-job/Reads-Channels")


def test_the_environment_is_sagemakers_and_no_more(emulator: EmulatorProcess, box: str) -> None:
    emulator.train("Environment", box, "print(json.dumps(dict(os.environ)))", Environment={"MINE": "1"})
    assert emulator.ended("Environment")["TrainingJobStatus"] == "Completed"
    seen = json.loads(emulator.log_lines("Environment/")[0])
    assert seen["TRAINING_JOB_NAME"] == "Environment"
    assert seen["TRAINING_JOB_ARN"].endswith(":training-job/Environment")
    assert seen["MINE"] == "1"
    assert seen["AWS_REGION"] == "us-east-1"
    assert seen["HOSTNAME"] != "algo-1"
    assert not [name for name in seen if name.startswith("SM_")]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("Path('/opt/ml/output/failure').write_text('no rows'); sys.exit(3)", "AlgorithmError: no rows, exit code: 3"),
        ("sys.exit(1)", "AlgorithmError: , exit code: 1"),
    ],
)
def test_a_container_that_fails_has_its_reason(emulator: EmulatorProcess, box: str, script: str, reason: str) -> None:
    name = emulator.train(f"fails-{time.time_ns()}", box, script)
    job = emulator.ended(name)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", reason)


def test_a_container_that_needs_more_memory_than_the_instance_has_is_killed(
    emulator: EmulatorProcess, box: str
) -> None:
    script = "data = []\nwhile True: data.append(b'x' * 50_000_000)"
    emulator.train(
        "too-much", box, script,
        ResourceConfig={"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1},
    )  # fmt: skip
    job = emulator.ended("too-much", 120)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == (
        "Failed",
        "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an "
        "instance.",
    )


def test_train_that_is_not_on_the_path(emulator: EmulatorProcess, box: str) -> None:
    image = {"TrainingImage": box, "TrainingInputMode": "File", "ContainerEntrypoint": ["/no/such/program"]}
    emulator.train("no-program", box, "", AlgorithmSpecification=image)
    reason = emulator.ended("no-program")["FailureReason"]
    assert reason.startswith("ClientError: ")
    assert "/no/such/program" in reason
    assert "no such file or directory" in reason


def test_a_stopped_job_keeps_what_it_saved(emulator: EmulatorProcess, box: str) -> None:
    script = """
def stop(*_):
    Path("/opt/ml/model/saved").write_text("in time")
    sys.exit(9)
signal.signal(signal.SIGTERM, stop)
print("ready")
while True: time.sleep(1)
"""
    emulator.train("stopped", box, script)
    emulator.job_at("stopped", {"Training"})
    while not emulator.log_lines("stopped/algo-1"):
        time.sleep(0.05)
    emulator.sagemaker.stop_training_job(TrainingJobName="stopped")
    job = emulator.ended("stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"], job.get("FailureReason")) == ("Stopped", "Stopped", None)
    assert tar_names(emulator, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"saved": b"in time"}


def test_a_job_can_be_deleted_once_it_has_ended_and_its_name_given_again(emulator: EmulatorProcess, box: str) -> None:
    emulator.train("Deleted", box, "Path('/opt/ml/model/one').write_text('1'); print('ready'); time.sleep(600)")
    until(lambda: emulator.log_lines("Deleted/algo-1-"), WAIT_SECONDS, "the program is ready")
    arn, of_job = emulator.job("Deleted")["TrainingJobArn"], "name=samebox-Deleted-"
    with pytest.raises(emulator.sagemaker.exceptions.ResourceInUse, match="InProgress"):
        emulator.sagemaker.delete_training_job(TrainingJobName="Deleted")
    (container,) = emulator.containers(of_job)
    sources = docker("inspect", "--format", "{{range .Mounts}}{{println .Source}}{{end}}", container).split()
    folders = [Path(source) for source in sources if Path(source).is_relative_to(emulator.data_dir / "jobs")]
    assert folders
    emulator.sagemaker.stop_training_job(TrainingJobName="Deleted")
    model = emulator.ended("Deleted")["ModelArtifacts"]["S3ModelArtifacts"]

    emulator.sagemaker.delete_training_job(TrainingJobName="Deleted")
    with pytest.raises(ClientError, match="Requested resource not found"):
        emulator.job("Deleted")
    assert emulator.sagemaker.list_training_jobs(NameContains="Deleted")["TrainingJobSummaries"] == []
    until(lambda: not emulator.containers(of_job), WAIT_SECONDS, "its container is gone")
    until(lambda: not any(folder.exists() for folder in folders), WAIT_SECONDS, "its folder is gone")
    assert tar_names(emulator, model) == {"one": b"1"}

    emulator.train("Deleted", box, "print('again')")
    again = emulator.ended("Deleted")
    assert (again["TrainingJobStatus"], again["TrainingJobArn"]) == ("Completed", arn)


def test_tensors_profiles_and_tensorboard_files_are_in_s3_while_the_job_runs(
    emulator: EmulatorProcess, box: str
) -> None:
    script = """
config = Path("/opt/ml/input/config")
hook = json.loads((config / "debughookconfig.json").read_text())
board = json.loads((config / "tensorboardoutputconfig.json").read_text())
tensors = Path(hook["LocalPath"]); tensors.mkdir()
(tensors / "loss.tmp").write_text("lo")
events = (Path(board["LocalPath"]) / "events").open("w")
events.write("one\\n"); events.flush()
Path("/opt/ml/output/profiler/steps.json").write_text("[]")
def stop(*_):
    (tensors / "loss.tmp").write_text("loss")
    (tensors / "loss.tmp").rename(tensors / "loss")
    events.write("two\\n"); events.close()
    sys.exit(1)
signal.signal(signal.SIGTERM, stop)
while True: time.sleep(1)
"""
    place = "s3://samebox-test/seen"
    given: dict[str, object] = {
        "DebugHookConfig": {"S3OutputPath": place, "CollectionConfigurations": [{"CollectionName": "losses"}]},
        "TensorBoardOutputConfig": {"S3OutputPath": place, "LocalPath": "/logs"},
        "ProfilerConfig": {"S3OutputPath": place},
    }
    emulator.train("debugged", box, script, **given)

    def seen() -> dict[str, bytes]:
        listed = emulator.s3.list_objects_v2(Bucket="samebox-test", Prefix="seen/debugged/").get("Contents", [])
        keys = [one["Key"] for one in listed]
        bodies = [emulator.s3.get_object(Bucket="samebox-test", Key=key)["Body"].read() for key in keys]
        return {key.removeprefix("seen/debugged/"): body for key, body in zip(keys, bodies, strict=True)}

    running = {"tensorboard-output/events": b"one\n", "profiler-output/steps.json": b"[]"}
    until(lambda: seen() == running, WAIT_SECONDS, "what is written is in S3")
    emulator.sagemaker.stop_training_job(TrainingJobName="debugged")
    job = emulator.ended("debugged")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Stopped", None)
    assert {member: job[member] for member in given} == given
    assert seen() == {**running, "debug-output/loss": b"loss", "tensorboard-output/events": b"one\ntwo\n"}


def test_a_job_that_ignores_sigterm_is_killed_when_its_time_is_up(emulator: EmulatorProcess, box: str) -> None:
    script = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)"
    emulator.train("too-long", box, script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = emulator.ended("too-long")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_channel_that_does_not_fit_the_volume(emulator: EmulatorProcess, box: str) -> None:
    with io.BytesIO(bytes(1024)) as small:
        emulator.s3.upload_fileobj(small, "samebox-test", "big/small")
    emulator.s3.put_object(Bucket="samebox-test", Key="big/large", Body=bytes(1024 * 1024 * 1024 + 1))
    emulator.train("too-big", box, "", InputDataConfig=[channel("big", "s3://samebox-test/big/")])
    job = emulator.ended("too-big")
    assert job["FailureReason"] == "ClientError: Data download failed:Insufficient disk space"
