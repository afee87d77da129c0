"""An emulator of a user who is not root: with access to the container engine everything but 169.254.170.2 works."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.scenarios import other_user
from tests.scenarios.emulator_process import WAIT_SECONDS
from tests.scenarios.other_user import OtherUserEmulator

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(bool(other_user.missing()), reason=f"another user needs {other_user.missing()}"),
]

TRAIN = """
from urllib.request import urlopen
print(json.load(urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_samebox/ready", timeout=60))["ready"])
print(os.environ["AWS_ACCESS_KEY_ID"][:4], os.getuid(), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" in os.environ)
Path("/opt/ml/model/private").mkdir(mode=0o700)
Path("/opt/ml/model/private/weights").write_text(Path("/opt/ml/input/data/train/x").read_text())
Path("/opt/ml/checkpoints/1").write_text("1")
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[OtherUserEmulator]:
    process = OtherUserEmulator(docker=True, container_credentials="true", serving_stop_seconds="2")
    process.up()
    yield process
    process.remove()


def test_a_user_of_the_engine_trains_and_serves_and_keeps_no_file_of_root_s(
    emulator: OtherUserEmulator, box_image: str
) -> None:
    emulator.s3.create_bucket(Bucket="samebox-test")
    emulator.s3.put_object(Bucket="samebox-test", Key="data/x", Body=b"42")
    image = emulator.push(box_image, "box")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://samebox-test/data"}}
    checkpoints = {"S3Uri": "s3://samebox-test/checkpoints"}
    channels = [{"ChannelName": "train", "DataSource": source}]
    emulator.train("ordinary", image, TRAIN, InputDataConfig=channels, CheckpointConfig=checkpoints)
    assert emulator.ended("ordinary")["TrainingJobStatus"] == "Completed", emulator.log.read_text()
    assert emulator.log_lines("ordinary/") == ["True", "ASIA 0 False"]
    model = emulator.job("ordinary")["ModelArtifacts"]["S3ModelArtifacts"]
    assert emulator.s3.get_object(Bucket="samebox-test", Key="checkpoints/1")["Body"].read() == b"1"

    script = "invoke = lambda body, _: (200, Path('/opt/ml/model/private/weights').read_bytes() + body)"
    emulator.serve("ordinary", image, script, ModelDataUrl=model)
    answer = emulator.runtime.invoke_endpoint(EndpointName="ordinary", Body=b"!")["Body"].read()
    assert answer == b"42!"
    emulator.sagemaker.delete_endpoint(EndpointName="ordinary")
    emulator.down()
    assert emulator.owners() == set()


def test_a_user_without_access_to_the_engine_reads_why_and_has_s3() -> None:
    emulator = OtherUserEmulator(docker=False)
    try:
        up = [*emulator.command, "--detach"]
        ended = subprocess.run(
            up, env=emulator.environment, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
        )
        assert ended.returncode == 0, ended.stderr
        assert "You may not use it: join its group" in ended.stdout
        emulator.s3.create_bucket(Bucket="samebox-test")
        emulator.s3.put_object(Bucket="samebox-test", Key="x", Body=b"1")
        assert emulator.owners() == set()
    finally:
        down = [*emulator.command[:-1], "down"]
        subprocess.run(down, env=emulator.environment, capture_output=True, check=True, timeout=WAIT_SECONDS)
        emulator.remove()
