"""The options of `samebox train` that decide how a job runs, as members of CreateTrainingJob."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from samebox.commands import train, train_arguments, training_request
from samebox.commands.folder import Folder, Pack
from samebox.commands.outcome import Stop
from tests.commands.requests import complaints


def given(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train_arguments.add(parser)
    return parser.parse_args(words)


def request(*words: str) -> dict[str, Any]:
    options = train_arguments.of(given(*words), ("code", "train"))
    places = {"code": "s3://b/code/", "train": "s3://b/train/"}
    role = "arn:aws:iam::000000000000:role/samebox"
    found = training_request.request("t-1", "samebox/train", "train.py", {}, places, options, {}, "s3://b/jobs", role)
    assert complaints("sagemaker", "CreateTrainingJob", found) == ""
    return found


@pytest.mark.parametrize(
    ("distribution", "name"),
    [
        ("mpi", "sagemaker_mpi_enabled"),
        ("torchrun", "sagemaker_torch_distributed_enabled"),
        ("tf", "sagemaker_multi_worker_mirrored_strategy_enabled"),
        ("ps", "sagemaker_parameter_server_enabled"),
    ],
)
def test_a_distribution_is_a_hyperparameter_of_the_toolkit(distribution: str, name: str) -> None:
    found = request("--instances", "2", "--distribution", distribution)
    assert found["HyperParameters"][name] == "true"
    assert found["ResourceConfig"]["InstanceCount"] == 2


def test_ranks_of_each_host_are_counted() -> None:
    found = request("--distribution", "mpi", "--processes-per-host", "3")
    assert found["HyperParameters"]["sagemaker_mpi_num_of_processes_per_host"] == "3"


def test_the_input_mode_is_that_of_the_data_and_not_of_the_code() -> None:
    channels = request("--input-mode", "FastFile", "--s3-data", "raw=s3://a/raw/")["InputDataConfig"]
    assert [(one["ChannelName"], one.get("InputMode")) for one in channels] == [
        ("code", None), ("train", "FastFile"), ("raw", "FastFile"),
    ]  # fmt: skip
    assert channels[2]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://a/raw/"


def test_a_spot_job_may_wait_and_continues_from_its_checkpoints() -> None:
    found = request("--spot", "--checkpoint", "s3://a/state")
    assert found["EnableManagedSpotTraining"] is True
    assert found["StoppingCondition"]["MaxWaitTimeInSeconds"] >= found["StoppingCondition"]["MaxRuntimeInSeconds"]
    assert found["CheckpointConfig"] == {"S3Uri": "s3://a/state"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--instances", "0"], "a job has at least one host"),
        (["--processes-per-host", "2"], "with --distribution mpi or torchrun"),
        (["--distribution", "tf", "--processes-per-host", "2"], "with --distribution mpi or torchrun"),
        (["--s3-data", "./data"], "expected s3://BUCKET/PREFIX"),
        (["--s3-data", "train=s3://b/x"], "there is a channel train already"),
        (["--s3-data", "s3://b/x", "--s3-data", "s3://b/y"], "there is a channel training already"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_starts(words: list[str], says: str) -> None:
    with pytest.raises(Stop, match=says):
        train_arguments.of(given(*words), ("code", "train"))


def test_checkpoints_are_kept_in_a_folder_or_in_s3(tmp_path: Path) -> None:
    assert train_arguments.checkpoint_folder(given("--checkpoint", "s3://a/state")) is None
    assert train_arguments.checkpoint_folder(given("--checkpoint", str(tmp_path / "new"))) == tmp_path / "new"
    (tmp_path / "file").touch()
    with pytest.raises(Stop, match="it is a file"):
        train_arguments.checkpoint_folder(given("--checkpoint", str(tmp_path / "file")))


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("AlgorithmError: no rows\nin train, exit code: 3", 3),
        ("AlgorithmError: algo-2, exit code: 137", 137),
        ("ClientError: Data download failed: exit code: 3", 1),
        ("CapacityError: it does not fit", 1),
    ],
)
def test_the_exit_status_is_the_exit_code_of_the_program(reason: str, status: int) -> None:
    assert train.exit_status(reason) == status


class S3Objects:
    """A bucket of S3 in a dict."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_paginator(self, _: str) -> "S3Objects":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        class Modified:
            def timestamp(self) -> float:
                return 0.0

        return [{"Contents": [{"Key": key, "Size": 1, "LastModified": Modified()} for key in self.objects]}]

    def download_file(self, _: str, key: str, path: str) -> None:
        Path(path).write_bytes(self.objects[key])


def test_checkpoints_come_back_and_those_that_the_job_removed_go(tmp_path: Path) -> None:
    for name in ("epoch-1", "epoch-2"):
        (tmp_path / name).write_text("before")
    sent = Pack.of_data(tmp_path)
    (tmp_path / "notes").write_text("of the user, written meanwhile")
    objects = {"state/epoch-2": b"after", "state/a/epoch-3": b"new", "state/../escaped": b"x", "state//root": b"x"}
    assert Folder(S3Objects(objects), "s3://b/state/").download(tmp_path, sent) == 2
    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"epoch-2": "after", "a/epoch-3": "new", "notes": "of the user, written meanwhile"}
    assert not (tmp_path.parent / "escaped").exists()
