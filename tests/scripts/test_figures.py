"""scripts/figures: what it counts, on a small tree."""

import subprocess
import sys
from pathlib import Path

import pytest

FIGURES = Path(__file__).resolve().parents[2] / "scripts" / "figures"
RUN = "\n".join(f"    value_{number} = {number}" for number in range(6))
ONE = f"class Place:\n    pass\n\n\ndef used() -> None:\n{RUN}\n\n\ndef tested() -> None:\n    pass\n"
TWO = f"from samebox.one import used\n\n\nclass Place:\n    pass\n\n\ndef run() -> None:\n{RUN}\n    used()\n"
PACKAGE = {
    "emulator/samebox/one.py": ONE,
    "emulator/samebox/two.py": TWO,
    "scripts/program": "#!/usr/bin/env python3\nfrom samebox.two import run, Place\n\nrun()\n",
    "tests/test_one.py": "from samebox.one import tested\n\n\ndef test_it() -> None:\n    tested()\n",
    "README.md": "one\ntwo\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("bench", "images", "serve", "train", ".ci"):
        (tmp_path / folder).mkdir()
    for name, text in PACKAGE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    program = tmp_path / "scripts" / "figures"
    program.write_text(FIGURES.read_text())
    return program


def figures(program: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(program), *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def test_the_figures_of_a_tree(tree: Path) -> None:
    found = {name: value.strip() for name, _, value in (line.partition(":") for line in figures(tree).splitlines())}
    assert found["package"] == "2 files, 30 lines; a file: median 15, p90 15, max 15"
    assert found["repeated lines, package"] == "12 of 22 non-blank lines (54.55 %)"
    assert found["class names of several files"] == "1 of 1: Place"
    assert found["README lines"] == "2"
    assert found["code that only tests reach"] == "1"


def test_code_that_only_tests_reach_is_listed(tree: Path) -> None:
    assert figures(tree, "--unused").splitlines() == ["emulator/samebox/one.py:14 tested"]
