"""`samebox check --export`, as a person types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox import cli
from samebox.check.exports import MARK
from tests.check.images import SHELL, ImageSource, layer, script

if TYPE_CHECKING:
    from pathlib import Path

FILES = ["container-structure-test.yaml", "goss.yaml", "goss_wait.yaml"]


@pytest.fixture(autouse=True)
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive in the working folder, and no engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.chdir(tmp_path)
    made = ImageSource((layer(*SHELL, script("usr/bin/train"), script("usr/bin/serve")),))
    (tmp_path / "image.tar").write_bytes(made.docker_archive())


def test_a_folder_gets_the_files_of_all_tools_and_the_screen_a_sentence_of_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", "image.tar", "--export", "new/folder"]) == 0
    assert sorted(path.name for path in (tmp_path / "new/folder").iterdir()) == FILES
    said = capsys.readouterr().out
    assert "rules in new/folder/container-structure-test.yaml\n" in said
    assert "rules in new/folder/goss.yaml and new/folder/goss_wait.yaml\n" in said


def test_each_tool_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    assert (
        cli.main(["check", "image.tar", "--export", "container-structure-test=a.yaml", "--export", "goss=b/c.yaml"])
        == 0
    )
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml")}
    assert found == {"a.yaml", "b/c.yaml", "b/goss_wait.yaml"}


def test_only_chosen_rules_are_written(tmp_path: Path) -> None:
    assert cli.main(["check", "image.tar", "--only", "serve-program", "--export", "out"]) == 0
    text = (tmp_path / "out/container-structure-test.yaml").read_text()
    assert "serve-program: " in text
    assert "image-" not in text


def test_a_second_export_replaces_the_first_and_what_is_no_more_of_it(tmp_path: Path) -> None:
    assert cli.main(["check", "image.tar", "--serve", "--export", "out"]) == 0
    assert cli.main(["check", "image.tar", "--train", "--export", "out"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES[:2]


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_program_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine: true\n")
    assert cli.main(["check", "image.tar", "--export", "out"]) == 2
    assert f"out/{name} was not written by --export" in " ".join(capsys.readouterr().err.split())
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {name: "mine: true\n"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("serverspec=a.yaml", "there is no form 'serverspec', but container-structure-test and goss"),
        ("goss=", "expected FOLDER, or FORM=FILE"),
        ("", "expected FOLDER, or FORM=FILE"),
        ("-", "expected FOLDER, or FORM=FILE"),
        ("goss=folder", "that is a folder; name a file in it"),
        ("image.tar", "image.tar is not a folder"),
        ("image.tar/deep", "image.tar is not a folder"),
    ],
)
def test_what_cannot_be_written_is_reported_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    assert cli.main(["check", "image.tar", "--export", given]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_the_mark_is_the_first_line(tmp_path: Path) -> None:
    assert cli.main(["check", "image.tar", "--export", "out"]) == 0
    assert {path.read_text().splitlines()[0] for path in (tmp_path / "out").iterdir()} == {MARK}
