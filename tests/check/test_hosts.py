"""What of the user's data the hosts of a job are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check import subject
from samebox.check.checks import Context, Options
from samebox.check.hosts import files_in, folders_of, given_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_files_are_in_the_order_in_which_s3_lists_them(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a.csv", "B", "é"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")

    assert files_in(tmp_path) == ["B", "a.csv", "a/z", "b", "é"]


def test_files_beside_folders_are_one_input(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "data.csv").write_text("1")
    context = Context(subject.from_path(tmp_path), options=Options(data=tmp_path))

    assert folders_of(context, "training") == {"training": tmp_path}


def test_what_is_given_is_a_copy(tmp_path: Path) -> None:
    source, copy = tmp_path / "mine", tmp_path / "theirs"
    source.mkdir()
    (source / "data.csv").write_text("mine")

    assert list(given_folder(source, copy, "/opt/ml/input/data/training")) == []
    (copy / "data.csv").write_text("spoilt")
    assert (source / "data.csv").read_text() == "mine"
