"""Large channels in real containers: mounted below a layer of each job, and damaged by none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.data.channels import LARGE_BYTES
from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, until

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


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator that may be killed. It takes local image names, so that nothing need be pushed to it."""
    process = EmulatorProcess(tmp_path_factory.mktemp("channels"), training_stop_seconds="2", allow_local_images="true")
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    process.s3.put_object(Bucket="samebox-test", Key="large/a", Body=BODY)
    process.s3.put_object(Bucket="samebox-test", Key="large/deep/b", Body=b"small")
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
