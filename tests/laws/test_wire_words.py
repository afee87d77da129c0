"""The wire knows AWS and HTTP, and nothing of what this emulator is for."""

import ast
from pathlib import Path

import pytest

import samebox.wire

FOLDER = Path(samebox.wire.__path__[0])


def test_no_noun_of_sagemaker_is_in_the_wires_code() -> None:
    for path in FOLDER.glob("*.py"):
        code = ast.unparse(_without_docstrings(ast.parse(path.read_text())))
        assert "TrainingJob" not in code, path
        assert "EndpointName" not in code, path
        assert "ModelName" not in code, path


@pytest.mark.parametrize("room", ["wire", "resources", "services", "jobs", "data", "traffic", "app"])
def test_no_arn_is_made_for_the_commercial_partition_alone(room: str) -> None:
    place = FOLDER.parent / room
    for path in place.rglob("*.py"):
        assert "arn:aws:" not in ast.unparse(_without_docstrings(ast.parse(path.read_text()))), path


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
