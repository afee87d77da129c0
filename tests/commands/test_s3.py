"""`samebox s3`, over a storage that no emulator has open."""

from pathlib import Path

import pytest

from samebox import cli
from samebox.data.local_objects import LocalObjects
from samebox.s3.store import S3Store


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    store = S3Store(tmp_path / "data" / "objects")
    objects = LocalObjects(store, "000000000000", "us-east-1")
    objects.create_bucket("digits")
    for key in ("train/a.csv", "train/b.csv", "other", "odd//key"):
        objects.put(f"s3://digits/{key}", key.encode())
    store.close()
    return tmp_path / "data"


def test_buckets_and_objects_are_listed(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["s3", "--data-dir", str(data_dir)]) == 0
    assert capsys.readouterr().out.endswith("  s3://digits  us-east-1\n")
    assert cli.main(["s3", "s3://digits/train/", "--data-dir", str(data_dir)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2:] for line in lines[:2]] == [
        ["11", "s3://digits/train/a.csv"],
        ["11", "s3://digits/train/b.csv"],
    ]
    assert lines[2] == "2 objects, 22 bytes"


def test_objects_become_files(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["s3", "s3://digits/train", "--export", str(tmp_path / "out"), "--data-dir", str(data_dir)]) == 0
    assert (tmp_path / "out" / "train" / "a.csv").read_text() == "train/a.csv"
    assert cli.main(["s3", "s3://digits", "--export", str(tmp_path / "all"), "--data-dir", str(data_dir)]) == 1
    assert "left out: 'odd//key'" in capsys.readouterr().out
    assert (tmp_path / "all" / "other").read_text() == "other"


@pytest.mark.parametrize(
    ("uri", "words"),
    [("digits/train", "An address is s3://BUCKET"), ("s3://nothing", "The specified bucket does not exist")],
)
def test_an_address_that_leads_nowhere_is_an_error(
    data_dir: Path, uri: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["s3", uri, "--data-dir", str(data_dir)]) != 0
    assert words in capsys.readouterr().err


def test_an_export_without_an_address_is_refused(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["s3", "--export", str(tmp_path / "out"), "--data-dir", str(data_dir)]) == 2
    assert "--export takes an address" in capsys.readouterr().err


def test_a_folder_without_objects_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["s3", "--data-dir", str(tmp_path)]) != 0
    assert "there are no objects" in capsys.readouterr().err
