"""Mounts of channels in FastFile mode that no job needs any more: found by their jobs, and taken off."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.commands import orphans, strays
from samebox.commands.strays import Strays
from samebox.containers.fake import FakeEngine
from samebox.data import fast_channels, fast_file_server, fuse_mounts
from samebox.data.fast_files import FastChannel

pytestmark = pytest.mark.skipif(fuse_mounts.why_not() is not None or os.geteuid() != 0, reason="mounting needs root")
JOB = "arn:aws:sagemaker:us-east-1:123456789012:training-job/digits"


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder, with a space in its name, and one mount of a job."""
    folder = tmp_path / "a data folder"
    target = folder / "jobs" / "0123456789abcdef" / "channels" / "algo-1" / "train" / "mount"
    target.mkdir(parents=True)
    (folder / "id").write_text("instance")
    fast_file_server.start(FastChannel(str(target), JOB, str(tmp_path / "log"), ("deep",), ()))
    yield folder
    fast_channels.clear(tmp_path)


def test_the_mount_of_a_job_that_goes_on_is_needed(data_dir: Path) -> None:
    assert strays.mounts(data_dir, frozenset([JOB])) == ()


def test_the_mount_of_any_other_job_is_taken_off(data_dir: Path, tmp_path: Path) -> None:
    found = Strays(mounts=strays.mounts(data_dir, frozenset()))
    (line,) = found.lines()
    assert line.startswith(f"mount {data_dir}/jobs/")
    assert line.endswith(f", of {JOB}")
    strays.remove(FakeEngine(tmp_path / "engine"), found)
    assert fuse_mounts.below(data_dir) == []


def test_a_mount_is_found_when_its_data_folder_was_removed_around_it(data_dir: Path, tmp_path: Path) -> None:
    engine = FakeEngine(tmp_path / "engine")
    assert all(data_dir not in one.folder.parents for one in orphans.find(engine).mounts)
    (data_dir / "id").unlink()
    (mount,) = orphans.find(engine, data_dir).mounts
    assert mount.name == JOB
    assert mount in Strays().with_orphans(orphans.find(engine)).mounts
