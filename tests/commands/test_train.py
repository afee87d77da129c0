"""What `samebox train` asks for; that it works is tested with a real container in tests/scenarios."""

import io
import re
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from samebox.check.hosts import folders_in
from samebox.check.training.job import SINGLE_CHANNEL
from samebox.commands import aws, model_archive, train, train_options, training_request
from samebox.commands.folder import MOST_CODE_FILES, Pack
from samebox.commands.outcome import Stop, interrupted
from samebox.commands.train_arguments import JobOptions
from samebox.settings import Settings
from tests.commands.requests import complaints

AT = datetime(2026, 11, 22, 16, 5, 9, 123456, tzinfo=UTC)


@pytest.mark.parametrize("stem", ["train", "train_digits", "-x-", "ünï", "a" * 100, "1"])
def test_a_job_is_named_after_the_script_as_aws_takes_it(stem: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", training_request.job_name(stem, AT))


def test_botocore_has_nothing_against_the_request() -> None:
    request = training_request.request(
        "train-1", "localhost:4566/train@sha256:0", "train.py", {"epochs": "3"},
        {"code": "s3://b/code/", "train": "s3://b/train/"}, JobOptions(), {"RUNS": "1"}, "s3://b/jobs",
        "arn:aws:iam::000000000000:role/samebox",
    )  # fmt: skip
    assert complaints("sagemaker", "CreateTrainingJob", request) == ""
    assert request["Environment"]["RUNS"] == "1"
    assert request["HyperParameters"] == {
        "epochs": "3",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code",
    }


@pytest.mark.parametrize(
    ("secondary", "shown"),
    [
        ("Stopped", "on request"),
        ("MaxRuntimeExceeded", "its time limit was reached"),
        ("MaxWaitTimeExceeded", "its time limit with the wait for spot instances was reached"),
    ],
)
def test_a_stopped_job_is_reported_with_what_stopped_it(tmp_path: Path, secondary: str, shown: str) -> None:
    session, output = aws.of_emulator("http://127.0.0.1:1", Settings()), io.StringIO()
    job = {"TrainingJobStatus": "Stopped", "SecondaryStatus": secondary}
    assert train.finish(session, job, tmp_path / "model", Console(file=output, width=200)) == 1
    assert output.getvalue() == f"Stopped: {shown}. What it had saved by then is kept.\n"


def test_data_becomes_channels(tmp_path: Path) -> None:
    assert train_options.data_channels([f"train={tmp_path}"]) == {"train": tmp_path.resolve()}


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("nothing", "--data nothing: no file or folder nothing; expected PATH or NAME=PATH"),
        ("a b=.", "Channel 'a b': a name has 1 to 64 letters, digits"),
        ("=.", "Channel '': a name has 1 to 64 letters, digits"),
        ("..=.", "Channel '..': a channel is a directory of its name"),
        (".=.", "Channel '.': a channel is a directory of its name"),
        ("code-manifest=.", "Channel code-manifest has the name of the manifest of channel code"),
        ("code=.", "there is a channel code already"),
        ("x=/does/not/exist", "no file or folder /does/not/exist"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_before_anything_starts(pair: str, says: str) -> None:
    with pytest.raises(Stop, match=says):
        train_options.data_channels([pair])


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


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["train/a.csv", "test/b.csv"], {"train": "train", "test": "test"}),
        (["a.csv", "more/b.csv"], {"training": "."}),
    ],
)
def test_data_without_a_name_is_what_it_is_for_samebox_check(
    tmp_path: Path, files: list[str], found: dict[str, str]
) -> None:
    for name in files:
        path = tmp_path / "d=1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    folder = (tmp_path / "d=1").resolve()
    expected = {channel: (folder / place).resolve() for channel, place in found.items()}
    assert train_options.data_channels([str(folder)]) == expected
    assert folders_in(folder, SINGLE_CHANNEL) == expected


def test_a_single_file_is_the_channel_training(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert train_options.data_channels([str(tmp_path / "a.csv")]) == {"training": (tmp_path / "a.csv").resolve()}


def test_two_paths_without_names_cannot_be_one_channel(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="there is a channel training already"):
        train_options.data_channels([str(tmp_path), str(tmp_path)])


# The environment


def test_a_variable_of_the_job_may_hold_anything() -> None:
    assert train_options.variables(["A=b=c", "EMPTY=", "WORDS=x y"]) == {"A": "b=c", "EMPTY": "", "WORDS": "x y"}


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("A", "expected NAME=VALUE"),
        ("=x", "expected NAME=VALUE"),
        ("SAGEMAKER_PROGRAM=x.py", "this variable selects the script"),
    ],
)
def test_a_variable_that_cannot_be_is_refused(pair: str, says: str) -> None:
    with pytest.raises(Stop, match=says):
        train_options.variables([pair])


# The model's place


def test_a_place_that_takes_no_model_is_found_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Stop, match="the model cannot be written there: Not a directory"):
        train_options.check_output(tmp_path / "file" / "model", tmp_path / "code" / "train.py")


@pytest.mark.parametrize("output", [".", "..", "code"])
def test_the_model_takes_no_place_that_holds_the_script(
    tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "here" / "code" / "train.py"
    script.parent.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(Stop, match="give another"):
        train_options.check_output(Path(output), script)


class StreamedObject:
    """An object of S3's: bytes in pieces."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def iter_chunks(self, _: int) -> Iterator[bytes]:
        yield self._content

    def close(self) -> None:
        self._content = b""


class S3:
    class exceptions:  # noqa: N801
        NoSuchKey = KeyError

    def __init__(self, content: bytes) -> None:
        self._content = content

    def get_object(self, **_: str) -> dict[str, StreamedObject]:
        return {"Body": StreamedObject(self._content)}


def test_a_model_that_cannot_be_saved_is_still_in_s3_and_the_message_has_its_uri(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("weights"))
    (tmp_path / "file").touch()
    session: Any = type("Session", (), {"client": lambda _self, _: S3(packed.getvalue())})()
    uri = "s3://b/jobs/one/output/model.tar.gz"
    with pytest.raises(Stop, match=rf"file/model: Not a directory. It is at {uri}"):
        model_archive.fetch(session, uri, tmp_path / "file" / "model")
    assert model_archive.fetch(session, uri, tmp_path / "model")
    assert (tmp_path / "model" / "weights").is_file()


def test_an_interrupt_reports_the_state_of_the_job() -> None:
    with (
        pytest.raises(Stop, match="interrupted; no training job was started") as stop,
        interrupted("no training job was started."),
    ):
        raise KeyboardInterrupt
    assert stop.value.status == 130
