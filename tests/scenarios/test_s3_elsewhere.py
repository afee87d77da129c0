"""A model is trained, deployed and invoked on an emulator whose S3 is another emulator's."""

from collections.abc import Iterator

import pytest

from tests.scenarios.emulator_process import ACCOUNT, EmulatorProcess

pytestmark = pytest.mark.docker

TRAIN = """
import pathlib
rows = pathlib.Path("/opt/ml/input/data/train/rows.csv").read_text()
assert pathlib.Path("/opt/ml/input/data/fast/rows.csv").read_text() == rows
pathlib.Path("/opt/ml/model/weights").write_text(rows.upper())
"""
SERVE = """
import pathlib
def invoke(body, headers): return 200, pathlib.Path("/opt/ml/model/weights").read_bytes() + body
"""


@pytest.fixture
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(tmp_path_factory.mktemp("there"))
    process.up()
    yield process
    process.remove()


@pytest.fixture
def here(there: EmulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(
        tmp_path_factory.mktemp("here"),
        allow_local_images="true",
        serving_stop_seconds="2",
        s3_url=there.url,
        s3_credentials=f"{ACCOUNT}:whatever",
    )
    process.up()
    yield process
    process.remove()


def test_a_model_is_trained_deployed_and_invoked(here: EmulatorProcess, there: EmulatorProcess, box_image: str) -> None:
    here.s3.create_bucket(Bucket="samebox-test")
    there.s3.put_object(Bucket="samebox-test", Key="data/rows.csv", Body=b"a,b")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://samebox-test/data/"}}
    channels = [
        {"ChannelName": "train", "DataSource": source},
        {"ChannelName": "fast", "DataSource": source, "InputMode": "FastFile"},
    ]
    job = here.ended(here.train("elsewhere", box_image, TRAIN, InputDataConfig=channels))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://samebox-test/")
    assert there.s3.head_object(Bucket="samebox-test", Key=artifact)["ContentLength"] > 0
    here.serve("elsewhere", box_image, SERVE, ModelDataUrl=f"s3://samebox-test/{artifact}")
    answer = here.runtime.invoke_endpoint(EndpointName="elsewhere", Body=b"!", ContentType="text/csv")
    assert answer["Body"].read() == b"A,B!"
    here.sagemaker.delete_endpoint(EndpointName="elsewhere")
