"""What `samebox train` asks for; that it works is tested with a real container in tests/scenarios."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulator.commands import train
from emulator.commands.folder import MOST_CODE_FILES, Pack
from emulator.commands.outcome import Stop
from tests.commands.requests import complaints

AT = datetime(2026, 11, 22, 16, 5, 9, 123456, tzinfo=UTC)


@pytest.mark.parametrize("stem", ["train", "train_digits", "-x-", "ünï", "a" * 100, "1"])
def test_a_job_is_named_after_the_script_as_aws_takes_it(stem: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", train.job_name(stem, AT))


def test_botocore_has_nothing_against_the_request() -> None:
    request = train.request(
        "train-1", "localhost:4566/train@sha256:0", "train.py", {"epochs": "3"},
        {"code": "s3://b/code/", "train": "s3://b/train/"}, "ml.m5.large", "s3://b/jobs",
        "arn:aws:iam::000000000000:role/samebox",
    )  # fmt: skip
    assert complaints("sagemaker", "CreateTrainingJob", request) == ""
    assert request["HyperParameters"] == {
        "epochs": "3",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code",
    }


def test_data_becomes_channels(tmp_path: Path) -> None:
    assert train.data_channels([f"train={tmp_path}"]) == {"train": tmp_path.resolve()}


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("nothing", "NAME=PATH is wanted"),
        ("a b=.", "Channel 'a b': a name has 1 to 64 letters, digits"),
        ("=.", "Channel '': a name has 1 to 64 letters, digits"),
        ("..=.", "Channel '..': a channel is a directory of its name"),
        (".=.", "Channel '.': a channel is a directory of its name"),
        ("code-manifest=.", "Channel code-manifest has the name of the manifest of channel code"),
        ("code=.", "the channel code is taken"),
        ("x=/does/not/exist", "there is no /does/not/exist"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_before_anything_starts(pair: str, says: str) -> None:
    with pytest.raises(Stop, match=says):
        train.data_channels([pair])


def test_code_is_the_scripts_folder_without_what_tools_left_there(tmp_path: Path) -> None:
    for name in ("train.py", "lib/a.py", "__pycache__/a.pyc", ".git/HEAD", "model/1/saved_model.pb", "data/x.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    pack = Pack.of_code(tmp_path / "train.py", (tmp_path / "model",))
    assert [name for name, _ in pack.files] == ["train.py", "data/x.csv", "lib/a.py"]


def test_a_script_in_a_folder_full_of_other_things_is_not_meant_so(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    for number in range(MOST_CODE_FILES):
        (tmp_path / f"{number}.jpg").touch()
    with pytest.raises(Stop, match="put the script in its own folder"):
        Pack.of_code(tmp_path / "train.py")


def test_one_file_is_a_channel_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "x.csv").touch()
    assert Pack.of_data(tmp_path / "x.csv").files == (("x.csv", tmp_path / "x.csv"),)


def test_an_empty_folder_is_no_channel(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="is empty"):
        Pack.of_data(tmp_path)


def test_folders_of_one_name_have_places_of_their_own(tmp_path: Path) -> None:
    assert Pack.name_of(tmp_path / "a" / "data") != Pack.name_of(tmp_path / "b" / "data")
