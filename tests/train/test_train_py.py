"""train.py on a host without TensorFlow, which this one is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "train" / "train.py"


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run train.py as a user would who copied it into a folder, with a Python that has nothing installed."""
    script = folder / "train.py"
    script.write_bytes(SCRIPT.read_bytes())
    return subprocess.run(
        # -I -S: without site-packages, whatever this test's own environment has.
        [sys.executable, "-I", "-S", "train.py", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def bare_python(monkeypatch: pytest.MonkeyPatch) -> None:
    # A `samebox` beside this Python would be found first.
    if (Path(sys.executable).parent / "samebox").exists():
        real = Path(os.path.realpath(sys.executable))
        monkeypatch.setattr(sys, "executable", str(real))


def fake_samebox(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('#!/bin/sh\necho "guard=$TRAIN_HANDED_OVER"\nfor word in "$@"; do echo "<$word>"; done\n')
    path.chmod(0o755)
    return path


def test_it_hands_itself_to_samebox_with_the_same_arguments(tmp_path: Path, bare_python: None) -> None:
    samebox = fake_samebox(tmp_path / ".venv" / "bin" / "samebox")

    done = run(tmp_path, "--epochs", "3", "--model-dir", "my model")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"train.py: no TensorFlow here, so {samebox} train runs it in the train image",
        "guard=1",
        "<train>",
        "<train.py>",
        "<--epochs>",
        "<3>",
        "<--model-dir>",
        "<my model>",
    ]


def test_it_finds_samebox_on_path(tmp_path: Path, bare_python: None) -> None:
    samebox = fake_samebox(tmp_path / "elsewhere" / "samebox")

    done = run(tmp_path, PATH=f"{samebox.parent}:/usr/bin:/bin")

    assert f"so {samebox} train runs it" in done.stdout


def test_it_does_not_hand_over_twice(tmp_path: Path, bare_python: None) -> None:
    fake_samebox(tmp_path / ".venv" / "bin" / "samebox")

    done = run(tmp_path, TRAIN_HANDED_OVER="1")

    assert done.returncode == 1
    assert "has no TensorFlow either" in done.stderr


def test_without_samebox_the_message_names_what_to_install(tmp_path: Path, bare_python: None) -> None:
    done = run(tmp_path)

    assert done.returncode == 1
    assert "no `samebox` command" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_arguments_are_reported_before_anything_is_started(tmp_path: Path, bare_python: None) -> None:
    fake_samebox(tmp_path / ".venv" / "bin" / "samebox")

    done = run(tmp_path, "--epochs", "none")

    assert done.returncode == 2
    assert "argument --epochs" in done.stderr
    assert done.stdout == ""
