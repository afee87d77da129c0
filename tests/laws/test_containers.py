"""Every container that we start is bounded in what it may take of the host: processes, and room for its log."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOUNDS = {"pids_limit", "log_bytes"}
# Where a container is made only to look into its files: no process of it ever runs.
NEVER_STARTED = {
    ("containers/folder_copies.py", "helper"),
    ("containers/janitor.py", "spec"),
    ("check/subject.py", "read_slowly"),
    ("check/serving/server.py", "_brings_model"),
}


def specs() -> Iterator[tuple[str, str, set[str]]]:
    """File, innermost function and given members of each ContainerSpec that is made."""
    for path in sorted((ROOT / "emulator" / "samebox").rglob("*.py")):
        for function, members in _made_in(ast.parse(path.read_text()), ""):
            yield path.relative_to(ROOT / "emulator" / "samebox").as_posix(), function, members


def _made_in(node: ast.AST, function: str) -> Iterator[tuple[str, set[str]]]:
    if isinstance(node, ast.FunctionDef):
        function = node.name
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ContainerSpec":
        yield function, {keyword.arg for keyword in node.keywords if keyword.arg}
    for child in ast.iter_child_nodes(node):
        yield from _made_in(child, function)


@pytest.mark.parametrize(("file", "function", "members"), list(specs()))
def test_a_container_has_its_bounds_or_is_never_started(file: str, function: str, members: set[str]) -> None:
    assert members >= BOUNDS or (file, function) in NEVER_STARTED


def test_no_place_is_excused_that_is_not_there() -> None:
    assert {(file, function) for file, function, members in specs() if not members >= BOUNDS} == NEVER_STARTED
