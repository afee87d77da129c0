"""The invariants of CONTRIBUTING.md, and the ids of the tests that enforce them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKLOG = "[not yet enforced]"


def rows(text: str) -> dict[str, str]:
    """Invariant -> what CONTRIBUTING.md says enforces it."""
    table = re.search(r"(?m)^\| Invariant \| Enforced by \|\n\| --- \| --- \|\n((?:\|.*\n)+)", text)
    assert table, "CONTRIBUTING.md has no table of invariants"
    cells = (line.strip("| ").split(" | ") for line in table.group(1).splitlines())
    return {invariant.strip(): enforcer.strip() for invariant, enforcer in cells}


def enforcers(enforcer: str) -> list[str]:
    """What a row names below tests/; a test id is `file::function`."""
    return re.findall(r"`(tests/[^`]+)`", enforcer)


def collected(path: Path) -> set[str]:
    """The names of the tests that pytest collects from a file: `test_x`, and `TestY::test_x` in a class."""
    if not path.is_file() or not path.name.startswith("test_"):
        return set()
    return set(_tests_in(ast.parse(path.read_text()), ""))


def _tests_in(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test_"):
            yield prefix + child.name
        elif isinstance(child, ast.ClassDef) and child.name.startswith("Test"):
            yield from _tests_in(child, f"{prefix}{child.name}::")
