"""The recipes for users' CI are read by their systems, and the samebox commands in them exist and work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from samebox import cli
from tests.check.images import SHELL, ImageSource, layer, script

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text()
REPORTS = {"samebox.xml", "samebox.sarif", "samebox.html"}


def github() -> Any:
    return yaml.safe_load((ROOT / "examples/ci/github.yml").read_text())["jobs"]["check"]


def gitlab() -> Any:
    return yaml.safe_load((ROOT / "examples/ci/gitlab.yml").read_text())["samebox"]


def scripts() -> dict[str, str]:
    """Everything that a shell is given, by where it stands."""
    (block,) = re.findall(r"(?ms)^```sh\n(.*?)^```", PAGE)
    return {
        "github": "\n".join(step["run"] for step in github()["steps"] if "run" in step),
        "gitlab": "\n".join(gitlab()["script"]),
        "docs": block,
    }


def samebox(text: str) -> Iterator[str]:
    """The commands of ours in a script."""
    for line in text.replace("\\\n", " ").splitlines():
        if re.match(r"\s*(\S*/)?samebox ", line):
            yield line.strip()


@pytest.mark.parametrize("place", ["github", "gitlab", "docs"])
def test_every_option_exists(place: str) -> None:
    commands = list(samebox(scripts()[place]))
    assert commands
    for command in commands:
        words = shlex.split(command)
        given = cli.parser().parse_args(words[1:])  # it exits where it does not know a word
        assert given.fast
        assert {Path(one).name for one in (given.junit, given.sarif, given.html)} == REPORTS


@pytest.mark.parametrize("place", ["github", "gitlab", "docs"])
def test_the_check_leaves_its_reports_when_it_fails(place: str, tmp_path: Path) -> None:
    """As the system would run it, on an archive and without an engine, so that any machine can."""
    (tmp_path / "image.tar").write_bytes(
        ImageSource((layer(*SHELL, script("usr/bin/serve", mode=0o644)),)).docker_archive()
    )
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nCOPY serve /usr/bin/serve\n")
    (command,) = samebox(scripts()[place])
    program = Path(sys.executable).with_name("samebox")
    words = re.sub(r"^\S+", str(program), command)
    environment = {
        "IMAGE": "image.tar",
        "DOCKERFILE": "Dockerfile",
        "DOCKER_HOST": "unix:///nowhere",
        "PATH": "/usr/bin:/bin",
    }
    ended = subprocess.run(
        ["bash", "-euc", f"mkdir -p reports; {words}"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 1, ended.stderr
    assert {path.name for path in (tmp_path / "reports").iterdir()} == REPORTS
    assert "Dockerfile" in (tmp_path / "reports/samebox.sarif").read_text()


def test_github_uploads_what_the_check_writes() -> None:
    steps = github()["steps"]
    given = {step["uses"].partition("@")[0]: step.get("with", {}) for step in steps if "uses" in step}
    assert given["github/codeql-action/upload-sarif"]["sarif_file"] == "reports/samebox.sarif"
    assert given["actions/upload-artifact"]["path"] == "reports"
    late = [step for step in steps if "upload" in step.get("uses", "")]
    assert all("!cancelled()" in step["if"] for step in late), "a failing check is when its reports are wanted"
    whole = yaml.safe_load((ROOT / "examples/ci/github.yml").read_text())
    assert whole["permissions"]["security-events"] == "write"


def test_gitlab_shows_what_the_check_writes() -> None:
    artifacts = gitlab()["artifacts"]
    assert artifacts["when"] == "always"
    assert artifacts["reports"]["junit"] == "reports/samebox.xml"
    assert artifacts["paths"] == ["reports/"]


def test_where_samebox_is_from_is_a_variable_that_is_explained() -> None:
    for name in ("github.yml", "gitlab.yml"):
        text = (ROOT / "examples/ci" / name).read_text()
        assert text.startswith("# Checks your image")
        assert re.search(r"(?m)^#   SOURCE_OF_SAMEBOX ", text)
        assert "git+${SOURCE_OF_SAMEBOX}@${REVISION_OF_SAMEBOX" in text
        assert f"[examples/ci/{name}](../examples/ci/{name})" in PAGE
