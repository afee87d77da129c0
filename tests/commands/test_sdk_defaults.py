"""The defaults for the SageMaker SDKs: sagemaker 2.257 was run with them, which validates them by its schema."""

import json
import stat
from pathlib import Path

import pytest

from samebox import cli
from samebox.commands import sdk_defaults

ACCOUNT = "123456789012"


def test_telemetry_is_off_and_the_bucket_is_the_one_that_the_sdk_would_take() -> None:
    modules = sdk_defaults.defaults(ACCOUNT, "us-east-1")["SageMaker"]["PythonSDK"]["Modules"]
    assert modules["TelemetryOptOut"] is True
    assert modules["Session"] == {"DefaultS3Bucket": f"sagemaker-us-east-1-{ACCOUNT}"}


@pytest.mark.parametrize(("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn")])
def test_every_role_is_one_of_the_account(region: str, partition: str) -> None:
    text = json.dumps(sdk_defaults.defaults(ACCOUNT, region))
    assert text.count("arn:") == text.count(f"arn:{partition}:iam::{ACCOUNT}:role/samebox") > 0


def test_an_account_and_region_have_a_file_of_their_own(tmp_path: Path) -> None:
    one = sdk_defaults.written(tmp_path, ACCOUNT, "us-east-1")
    other = sdk_defaults.written(tmp_path, ACCOUNT, "eu-west-1")
    assert one is not None
    assert json.loads(one.read_text()) == sdk_defaults.defaults(ACCOUNT, "us-east-1")
    assert one != other


def test_no_data_folder_is_made_for_it(tmp_path: Path) -> None:
    assert sdk_defaults.written(tmp_path / "none", ACCOUNT, "us-east-1") is None
    assert list(tmp_path.iterdir()) == []


def test_env_names_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["env", "--port", "9", "--data-dir", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    (path,) = tmp_path.glob("sagemaker-*.yaml")
    assert f"export SAGEMAKER_ADMIN_CONFIG_OVERRIDE={path}\n" in printed
    assert "export SAGEMAKER_VALIDATE_ROLE=false\n" in printed


def test_a_file_that_cannot_be_written_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["env", "--port", "9", "--data-dir", str(tmp_path)])
    (path,) = tmp_path.glob("sagemaker-*.yaml")
    path.unlink()
    path.mkdir(mode=stat.S_IRWXU)
    capsys.readouterr()
    assert cli.main(["env", "--port", "9", "--data-dir", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "SAGEMAKER_ADMIN_CONFIG_OVERRIDE" not in said.out
    assert f"the defaults of the SageMaker SDKs cannot be written: {path}: Is a directory" in said.err
