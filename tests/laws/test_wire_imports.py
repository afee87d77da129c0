"""The wire knows AWS and HTTP, and nothing of what this emulator is for."""

import ast
from pathlib import Path

import emulator.wire

FOLDER = Path(emulator.wire.__path__[0])


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_the_wire_imports_nothing_of_ours_but_the_errors() -> None:
    for path in FOLDER.glob("*.py"):
        ours = {name for name in imported(path) if name.split(".")[0] == "emulator"}
        assert {name for name in ours if not name.startswith("emulator.wire") and name != "emulator.errors"} == set(), (
            path
        )


def test_the_errors_import_nothing_of_ours() -> None:
    errors = FOLDER.parent / "errors.py"
    assert {name for name in imported(errors) if name.startswith("emulator")} == set()


def test_no_noun_of_sagemaker_is_in_the_wires_code() -> None:
    for path in FOLDER.glob("*.py"):
        code = ast.unparse(_without_docstrings(ast.parse(path.read_text())))
        assert "TrainingJob" not in code, path
        assert "Endpoint" not in code, path


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
