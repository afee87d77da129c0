"""Every program under scripts/ can be run, and explains itself to a newcomer."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.mark.parametrize("path", sorted(SCRIPTS.iterdir()), ids=lambda path: str(path.name))
def test_a_script_can_be_run_and_describes_itself(path: Path) -> None:
    assert os.access(path, os.X_OK)
    first, rest = path.read_text().split("\n", 1)
    assert first.startswith("#!")
    assert rest.lstrip().startswith(("# ", '"""')), "a script opens with a sentence"


@pytest.mark.parametrize(
    "name", ["push", "deploy", "demo", "test", "setup", "roots", "lock", "clients", "crash-rounds", "mutations"]
)
def test_a_newcomer_is_helped(name: str, tmp_path: Path) -> None:
    # From another folder: it must work in any.
    told = subprocess.run([SCRIPTS / name, "--help"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert f"scripts/{name}" in told.stdout or "usage" in told.stdout.lower()
