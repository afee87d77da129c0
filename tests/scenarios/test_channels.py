"""Channels that are mounted, in real containers: large ones, FastFile mode, file systems. None is damaged or left."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig

from samebox.data.channels import LARGE_BYTES
from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, docker, until

pytestmark = pytest.mark.docker

BODY = bytes(range(256)) * (LARGE_BYTES // 256)
SPOIL = """
data = Path("/opt/ml/input/data/train")
print(*sorted(f"{path.relative_to(data)} {path.stat().st_size} {path.stat().st_mode:o}" for path in data.rglob("*")))
with (data / "a").open("r+b") as file:
    file.write(b"spoiled")
(data / "a").chmod(0o600)
(data / "deep").rename(data / "other")
(data / "other" / "b").unlink()
(data / "new").write_text("new")
print(*sorted(str(path.relative_to(data)) for path in data.rglob("*")), (data / "a").read_bytes()[:7].decode())
"""


READ = """
data = Path("/opt/ml/input/data/train")
with (data / "parts").open("rb") as file:
    print(file.read(3), *sorted(path.name for path in data.iterdir()), flush=True)
    for change in (data / "parts").unlink, lambda: (data / "new").write_text("new"):
        try:
            change()
        except OSError as error:
            print(error.strerror, flush=True)
    file.seek(-3, 2)
    print(file.read(), json.loads(Path("/opt/ml/input/config/inputdataconfig.json").read_text())["train"])
"""
FAST = {"TrainingInputMode": "FastFile"}
FILE_SYSTEM = "fs-0123456789abcdef0"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for a file system."""
    folder = tmp_path_factory.mktemp("file-system")
    (folder / "digits" / "deep").mkdir(parents=True)
    (folder / "digits" / "deep" / "a").write_text("shared")
    return folder


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[EmulatorProcess]:
    """An emulator that may be killed. It takes local image names, so that nothing need be pushed to it."""
    process = EmulatorProcess(
        tmp_path_factory.mktemp("channels"),
        training_stop_seconds="2",
        allow_local_images="true",
        file_systems=f"{FILE_SYSTEM}={shared}",
    )
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    process.s3.put_object(Bucket="samebox-test", Key="large/a", Body=BODY)
    process.s3.put_object(Bucket="samebox-test", Key="large/deep/b", Body=b"small")
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    process.s3.upload_fileobj(io.BytesIO(BODY), "samebox-test", "fast/parts", Config=parts)
    yield process
    process.remove()


def channel(name: str, uri: str, **more: object) -> dict[str, object]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **more}


def nothing_is_left(emulator: EmulatorProcess) -> bool:
    """Neither containers, nor folders of jobs, nor mounts."""
    mounts = Path("/proc/self/mountinfo").read_text()
    folders = list((emulator.data_dir / "jobs").iterdir())
    return not emulator.containers() and not folders and str(emulator.data_dir) not in mounts


def test_what_a_container_does_to_its_channel_is_seen_by_no_other_job_and_not_in_s3(
    emulator: EmulatorProcess, box_image: str
) -> None:
    given = [channel("train", "s3://samebox-test/large/")]
    for name in ("spoils", "spoils-again"):
        job = emulator.ended(emulator.train(name, box_image, SPOIL, InputDataConfig=given))
        assert job["TrainingJobStatus"] == "Completed", emulator.log_lines(f"{name}/")
        assert emulator.log_lines(f"{name}/") == [
            f"a {LARGE_BYTES} 100644 deep 4096 40755 deep/b 5 100644",
            "a new other spoiled",
        ]
    assert emulator.s3.get_object(Bucket="samebox-test", Key="large/a")["Body"].read() == BODY
    assert emulator.s3.get_object(Bucket="samebox-test", Key="large/deep/b")["Body"].read() == b"small"
    until(lambda: nothing_is_left(emulator), WAIT_SECONDS, "nothing is left")


def test_killed_while_a_job_has_a_large_channel(emulator: EmulatorProcess, box_image: str) -> None:
    script = f"print('up', flush=True); time.sleep(3)\n{SPOIL}"
    given = [channel("train", "s3://samebox-test/large/")]
    emulator.train("large-killed", box_image, script, InputDataConfig=given)
    emulator.job_at("large-killed", {"Training"})
    emulator.kill()
    emulator.up()
    assert emulator.ended("large-killed")["TrainingJobStatus"] == "Completed"
    assert emulator.log_lines("large-killed/")[-1] == "a new other spoiled"
    until(lambda: nothing_is_left(emulator), WAIT_SECONDS, "nothing is left")


def fast(emulator: EmulatorProcess, name: str, image: str, script: str) -> str:
    """Start a job with a channel in FastFile mode, of an object that was uploaded in parts."""
    given = [channel("train", "s3://samebox-test/fast/")]
    algorithm = {"TrainingImage": image, **FAST}
    return emulator.train(name, image, script, InputDataConfig=given, AlgorithmSpecification=algorithm)


def lines_of(emulator: EmulatorProcess, name: str) -> list[str]:
    streams = emulator.logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )["logStreams"]
    return emulator.log_lines(f"{name}/") if streams else []


def test_a_channel_in_fast_file_mode_is_read_on_demand_and_never_changed(
    emulator: EmulatorProcess, box_image: str
) -> None:
    job = emulator.ended(fast(emulator, "fast", box_image, READ))
    assert job["TrainingJobStatus"] == "Completed", emulator.log_lines("fast/")
    config = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
    assert emulator.log_lines("fast/") == [
        r"b'\x00\x01\x02' parts",
        "Read-only file system",
        "Read-only file system",
        rf"b'\xfd\xfe\xff' {config}",
    ]
    until(lambda: nothing_is_left(emulator), WAIT_SECONDS, "nothing is left")


def test_killed_while_a_channel_is_read_in_fast_file_mode(emulator: EmulatorProcess, box_image: str) -> None:
    script = f"print('up', flush=True); time.sleep(3)\n{READ}"
    fast(emulator, "fast-killed", box_image, script)
    until(lambda: "up" in lines_of(emulator, "fast-killed"), WAIT_SECONDS, "the program is up")
    emulator.kill()
    emulator.up()
    assert emulator.ended("fast-killed")["TrainingJobStatus"] == "Completed"
    until(lambda: nothing_is_left(emulator), WAIT_SECONDS, "nothing is left")


@pytest.mark.parametrize("end", ["failed", "stopped", "container and emulator killed"])
def test_whichever_end_a_job_has_its_mount_goes(emulator: EmulatorProcess, box_image: str, end: str) -> None:
    name = f"fast-{end.replace(' ', '-')}"
    wait = "raise SystemExit(3)" if end == "failed" else "time.sleep(600)"
    fast(emulator, name, box_image, f"{READ}\nprint('read', flush=True)\n{wait}")
    if end != "failed":
        until(lambda: "read" in lines_of(emulator, name), WAIT_SECONDS, "the program has read")
    if end == "stopped":
        emulator.sagemaker.stop_training_job(TrainingJobName=name)
    elif end != "failed":
        emulator.kill()
        docker("rm", "--force", *emulator.containers())
        emulator.up()
    assert emulator.ended(name)["TrainingJobStatus"] == ("Stopped" if end == "stopped" else "Failed")
    until(lambda: nothing_is_left(emulator), WAIT_SECONDS, "nothing is left")


def test_file_systems_are_folders_of_this_machine(emulator: EmulatorProcess, box_image: str, shared: Path) -> None:
    def of(name: str, mode: str) -> dict[str, object]:
        source = {
            "FileSystemId": FILE_SYSTEM,
            "FileSystemType": "EFS",
            "FileSystemAccessMode": mode,
            "DirectoryPath": "/digits",
        }
        return {"ChannelName": name, "DataSource": {"FileSystemDataSource": source}}

    script = """
data = Path("/opt/ml/input/data")
print((data / "reads" / "deep" / "a").read_text())
(data / "writes" / "new").write_text("new")
try:
    (data / "reads" / "new").write_text("other")
except OSError as error:
    print(error.strerror)
config = json.loads(Path("/opt/ml/input/config/init-config.json").read_text())
print(config["channels"]["reads"]["fileSystemDataSource"]["fileSystemType"])
"""
    network = {"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-0123456789abcdef0"]}
    given = [of("reads", "ro"), of("writes", "rw")]
    job = emulator.ended(emulator.train("file-systems", box_image, script, InputDataConfig=given, VpcConfig=network))
    assert job["TrainingJobStatus"] == "Completed", emulator.log_lines("file-systems/")
    assert emulator.log_lines("file-systems/") == ["shared", "Read-only file system", "EFS"]
    assert (shared / "digits" / "new").read_text() == "new"
