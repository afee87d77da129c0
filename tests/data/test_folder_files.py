"""Files of a folder that a container writes to: what is found, and that no link leads out of it."""

import os
from pathlib import Path

import pytest

from samebox.data import folder_files


def test_regular_files_are_found_at_any_depth_and_nothing_else_is(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "top").write_text("1")
    (folder / "a" / "b" / "deep").write_text("22")
    (folder / "link").symlink_to(folder / "top")
    (folder / "folder").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    found = folder_files.scan(tmp_path, "checkpoints")
    assert {name: version.size for name, version in found.items()} == {"top": 1, "a/b/deep": 2}


def test_names_that_are_no_keys_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    Path(os.fsdecode(bytes(tmp_path) + b"/x/\xff")).write_text("1")
    deep = tmp_path / "x"
    for _ in range(5):
        deep = deep / ("d" * 250)
        deep.mkdir()
    (deep / "file").write_text("1")
    assert folder_files.scan(tmp_path, "x") == {}


def test_a_folder_that_is_gone_or_has_become_a_link_holds_nothing(tmp_path: Path) -> None:
    assert folder_files.scan(tmp_path, "model/ckpt") == {}
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "ckpt").symlink_to("/etc")
    assert folder_files.scan(tmp_path, "model/ckpt") == {}


def test_a_file_that_has_become_a_link_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "x" / "a").mkdir(parents=True)
    (tmp_path / "x" / "a" / "hostname").write_text("ours")
    with folder_files.opened(tmp_path, "x", "a/hostname") as file:
        assert (file.read(), folder_files.version(file).size) == (b"ours", 4)
    (tmp_path / "x" / "a" / "hostname").unlink()
    (tmp_path / "x" / "a" / "hostname").symlink_to("/etc/hostname")
    (tmp_path / "x" / "b").symlink_to("/etc")
    for name in ("a/hostname", "b/hostname"):
        with pytest.raises(OSError, match=r"links|directory"), folder_files.opened(tmp_path, "x", name):
            pass


def test_a_changed_file_has_another_version(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    file = tmp_path / "x" / "weights"
    file.write_text("1")
    before = folder_files.scan(tmp_path, "x")
    file.with_suffix(".new").write_text("2")
    file.with_suffix(".new").replace(file)
    assert folder_files.scan(tmp_path, "x") != before
