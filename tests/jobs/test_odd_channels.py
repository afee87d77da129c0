"""Channels as people have them by mistake, and keys of all kinds: how a job ends, and what its program finds."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

NAMES = [
    "a",
    "A",
    "deep/er/b",
    "year=2026/part",
    "한글/파일",
    "with space+and=and&",
    "ㅎ" * 85,
    ".hidden",
]  # one has a part of 255 bytes
FILE_SYSTEM = "fs-0123456789abcdef0"


def ended(harness: "Harness", channel: dict[str, Any], mode: str = "File") -> Any:
    algorithm = {"TrainingImage": "digits:1", "TrainingInputMode": mode}
    return harness.wait_until_ended(
        harness.create_training_job(AlgorithmSpecification=algorithm, InputDataConfig=[channel])
    )


def source(harness: "Harness", kind: str, uri: str, **more: Any) -> dict[str, Any]:
    given = harness.channel("train", uri)
    given["DataSource"]["S3DataSource"].update(S3DataType=kind, **more)
    return given


def does_nothing(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": lambda _: 0})
    harness.start()


@pytest.mark.parametrize("mode", ["File", "Pipe"])
def test_a_manifest_that_names_a_missing_object_fails_the_job_which_names_the_object(
    harness: "Harness", mode: str
) -> None:
    does_nothing(harness)
    harness.put_object("in/a")
    lines = [{"prefix": f"s3://{harness.bucket}/in/"}, "a", "never"]
    uri = harness.put_object("manifest", json.dumps(lines).encode())
    row = ended(harness, source(harness, "ManifestFile", uri), mode)
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("ClientError: Data download failed:")
    assert f"s3://{harness.bucket}/in/never" in row.state["FailureReason"]


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_a_key_is_the_name_of_its_file_whatever_letters_it_has(harness: "Harness", mode: str) -> None:
    found: dict[str, bytes] = {}

    def train(process: "Process") -> int:
        folder = process.path("/opt/ml/input/data/train")
        found.update({str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()})
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    for name in NAMES:
        harness.put_object(f"in/{name}", name.encode())
    harness.start()
    row = ended(harness, harness.channel("train", f"s3://{harness.bucket}/in/"), mode)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert found == {name: name.encode() for name in NAMES}


@pytest.mark.parametrize("mode", ["File", "FastFile"])
@pytest.mark.parametrize("key", ["x" * 256, "a//b", "../a"])
def test_a_key_that_no_file_can_have_fails_the_job_which_names_it(harness: "Harness", mode: str, key: str) -> None:
    does_nothing(harness)
    harness.put_object(f"in/{key}")
    row = ended(harness, harness.channel("train", f"s3://{harness.bucket}/in/"), mode)
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("ClientError: Data download failed:")
    assert f"s3://{harness.bucket}/in/{key}"[:200] in row.state["FailureReason"]


def file_system(directory: str) -> dict[str, Any]:
    given = {
        "FileSystemId": FILE_SYSTEM,
        "FileSystemType": "EFS",
        "FileSystemAccessMode": "rw",
        "DirectoryPath": directory,
    }
    return {"ChannelName": "train", "DataSource": {"FileSystemDataSource": given}}


@pytest.mark.parametrize("directory", ["/never", "/file", "/../outside", "/link"])
def test_a_directory_that_a_file_system_does_not_have_fails_the_job_which_names_it(
    harness: "Harness", directory: str, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    for folder in (shared / "digits", tmp_path / "outside"):
        folder.mkdir(parents=True)
    (shared / "file").write_text("a file")
    (shared / "link").symlink_to(tmp_path / "outside")
    harness.settings = replace(harness.settings, file_systems=f"{FILE_SYSTEM}={shared}")
    does_nothing(harness)
    row = ended(harness, file_system(directory))
    assert row.status == "Failed"
    assert row.state["FailureReason"].endswith(f"Channel train: the file system has no directory {directory}.")
