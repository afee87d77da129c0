"""A class name has one meaning in the repository, so that a reader who searches for it finds one class."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bench", "emulator", "serve", "tests", "train")
# Names of several classes that may stay, each with the reason.
SHARED: dict[str, str] = {}


def classes() -> dict[str, list[str]]:
    """Where each class is defined, by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def test_a_class_name_has_one_meaning() -> None:
    several = {name: places for name, places in classes().items() if len(places) > 1}
    assert {name: places for name, places in several.items() if name not in SHARED} == {}


def test_no_exception_is_listed_that_is_not_needed() -> None:
    found = classes()
    assert [name for name in SHARED if len(found[name]) < 2] == []
