"""Types are strict and the style is one: mypy and ruff, as pyproject.toml sets them, refuse what breaks that."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(program: str, *arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", program, *arguments],
        input=code, capture_output=True, text=True, check=False, cwd=ROOT, timeout=300,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("def double(number):\n    return 2 * number\n", "no-untyped-def"),
        ("numbers: list = []\n", "type-arg"),
        ("number: int = 1\nif isinstance(number, str):\n    print(number)\n", "unreachable"),
    ],
    ids=["function", "list", "unreachable"],
)
def test_a_function_without_types_is_refused(code: str, rule: str, tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text(code)
    found = run("mypy", "--config-file", "pyproject.toml", "--cache-dir", os.devnull, str(file))
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"[{rule}]" in found.stdout


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import sys\nimport os\n\nprint(os, sys)\n", "I001"),
        ("import os\n", "F401"),
        ("def add(one, to=[]):\n    to.append(one)\n", "B006"),
        ("try:\n    print()\nexcept Exception:\n    pass\n", "S110"),
    ],
)
def test_what_the_style_forbids_is_refused(code: str, rule: str) -> None:
    found = run("ruff", "check", "--no-cache", "--stdin-filename", "emulator/samebox/one.py", "-", code=code)
    assert found.returncode == 1, found.stdout + found.stderr
    assert rule in found.stdout


def test_scripts_check_runs_both() -> None:
    lines = (ROOT / "scripts" / "check").read_text().splitlines()
    assert 'check "ruff" ruff check --quiet . "${python[@]}"' in lines
    assert 'check "mypy" mypy' in lines
