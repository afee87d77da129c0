"""`samebox check`, as a person types it: on archives, with and without an engine, and on what is not an image."""

from __future__ import annotations

import dataclasses
import json
import socket
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from samebox import cli
from samebox.check.checks import Check, Context
from samebox.check.registry import CHECKS
from samebox.check.reports import terminal
from samebox.commands import check
from samebox.commands.check_options import CheckArguments, validated
from tests.check.images import SHELL, ImageSource, LayerFile, layer, script

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.check.findings import Finding

GOOD = ImageSource((layer(*SHELL, script("usr/bin/train"), script("usr/bin/serve")),))
BAD = ImageSource(
    (layer(*SHELL, script("usr/bin/train", mode=0o644), LayerFile("opt/ml/model/x", b"x")),), {"User": "gone"}
)


@pytest.fixture(autouse=True)
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.chdir(tmp_path)


def write(folder: Path, image: ImageSource | bytes) -> str:
    (folder / "image.tar").write_bytes(image if isinstance(image, bytes) else image.docker_archive())
    return "image.tar"


def test_a_good_archive_passes_without_an_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", write(tmp_path, GOOD), "--verbose"]) == 0
    said = capsys.readouterr().out
    assert "All rules that were checked are kept." in said
    assert "checked for serve and train" in said
    assert "no container was run: No Docker engine answers" in said
    assert "image-manifest-type" in said


def test_a_bad_archive_fails_with_cures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nCOPY train /usr/bin/train\nUSER gone\n")
    given = ["--train", "--dockerfile", str(tmp_path / "Dockerfile")]
    assert cli.main(["check", write(tmp_path, BAD), *given]) == 1
    said = " ".join(capsys.readouterr().out.split())
    for words in ("may not be run", ":2): COPY --chmod=0755", ":3): RUN useradd", "/opt/ml/model/x"):
        assert words in said


def test_reports_are_written_and_standard_output_is_for_one_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(tmp_path, BAD)
    files = ["--junit", "j.xml", "--html", "h.html", "--sarif", "s.json"]
    assert cli.main(["check", name, "--train", "--json", "-", *files]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["verdict"] == "fail"
    assert "It fails on SageMaker" in said.err
    assert (tmp_path / "j.xml").read_text().startswith("<?xml")
    assert (tmp_path / "h.html").read_text().startswith("<!DOCTYPE html>")
    assert json.loads((tmp_path / "s.json").read_text())["version"] == "2.1.0"


def test_what_is_accepted_does_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = ("train-program", "image-opt-ml-hidden", "image-user-exists")
    text = "".join(f'[[accepted]]\nid = "{one}"\nreason = "known"\ndate = 2026-11-01\n' for one in ids)
    (tmp_path / ".samebox-check.toml").write_text(text)
    assert cli.main(["check", write(tmp_path, BAD), "--train"]) == 0
    assert "3 accepted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "give an IMAGE"),
        (["check", "gone.tar"], "there is no file gone.tar"),
        (["check", "mine:1"], "mine:1 cannot be looked up: No Docker engine answers"),
        (["check", "."], "not in OCI layout"),
        (["check", "text.tar"], "neither a docker nor an OCI archive"),
        (["check", "cut.tar"], "cut off or damaged"),
        (["check", "cut.tar", "--train"], "cut off or damaged"),
        (["check", "image.tar", "--only", "no-such-check"], "no check matches 'no-such-check'"),
        (["check", "image.tar", "--model", "gone.tar.gz"], "there is no gone.tar.gz"),
        (["check", "image.tar", "--data", "text.tar"], "is not a folder"),
        (["check", "image.tar", "--data", "data"], "Channel 'my data': a name has 1 to 64 letters"),
        (["check", "image.tar", "--max-size", "large"], "is not a size"),
        (["check", "image.tar", "--accept", "text.tar"], "text.tar: "),
        (["check", "image.tar", "--accept", "."], ". cannot be read: Is a directory"),
        (["check", "image.tar", "--json", "gone/x.json"], "cannot be written to gone/x.json"),
    ],
)
def test_what_cannot_be_examined_is_reported_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "data" / "my data").mkdir(parents=True)
    (tmp_path / "text.tar").write_bytes(b"only words\n" * 100)
    (tmp_path / "cut.tar").write_bytes(GOOD.docker_archive()[:2000])
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert words in " ".join(said.err.split())
    assert "Traceback" not in said.err + said.out


def test_an_engine_that_hangs_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "hangs.sock"))
        listener.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/hangs.sock")
        assert cli.main(["check", write(tmp_path, GOOD)]) == 0
        assert "does not answer in time" in " ".join(capsys.readouterr().out.split())


def test_without_a_screen_each_check_is_a_line_as_it_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", write(tmp_path, GOOD), "--only", "image-user,image-exposed-port"]) == 0
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert [line.partition(", ")[0] for line in lines] == [
        "[1/2] image-exposed-port: pass",
        "[2/2] image-user: pass",
    ]
    assert "[1/2]" not in printed.out


def test_without_a_screen_a_long_check_logs_its_current_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = CHECKS[0].rule

    def takes_long(context: Context) -> Finding:
        for words in ("trying it as root", "running for 6 s", "running for 7 s", "running for 8 s", "trying it again"):
            context.report(words)
        return rule.passed("fine")

    check_options = dataclasses.replace(validated(CheckArguments()), checks=(Check(rule, takes_long),))
    check.examine(write(tmp_path, GOOD), None, "", check_options, Console())

    lines = [line.removeprefix(f"[1/1] {rule.id}: ") for line in capsys.readouterr().err.splitlines()]
    assert lines[:3] == ["trying it as root", "running for 6 s", "trying it again"]
    assert len(lines) == 4


def test_the_list_shows_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in said] == [check.rule.id for check in CHECKS]
    assert all(len(line.split("\t")) == 4 for line in said)


def test_the_list_is_a_table_on_a_screen() -> None:
    screen = Console(width=100, force_terminal=True, record=True)
    terminal.listing(CHECKS, screen)
    said = screen.export_text()
    assert "holds when" in said
    assert [check.rule.id for check in CHECKS if check.rule.id not in said] == []
