"""The documentation names the versions of clients that are locked, and so are run."""

import json
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"


def locked() -> set[str]:
    """`name version` of every package in every lock."""
    found = {
        " ".join(one)
        for lock in (HERE / "environments").glob("*.txt")
        for one in re.findall(r"(?m)^([a-z0-9.-]+)==([^ ;]+)", lock.read_text())
    }
    packages = json.loads((HERE / "environments/javascript/package-lock.json").read_text())["packages"]
    return found | {f"{name.removeprefix('node_modules/')} {one.get('version')}" for name, one in packages.items()}


@pytest.mark.parametrize("page", ["s3.md", "sdks.md"])
def test_a_version_that_is_documented_is_one_that_is_run(page: str) -> None:
    rows = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("| ")]
    named = {one for row in rows for one in re.findall(r"[@a-z0-9/-]+ [0-9]+\.[0-9.]*[0-9]", row.split("|")[1])}
    assert named
    assert named <= locked(), f"docs/{page}: what is not in tests/clients/environments"
