"""Prose is in the field's words: docstrings, comments and messages name their subject, and so do names of tests."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("emulator/samebox", "serve/samebox_serve", "train/samebox_train")
# The field has a noun or a verb in place of each: a client, the caller, the engine; to report, to log, to answer.
RIDDLES = re.compile(r"\b(nobody|somebody|anybody|whoever|whomever|whom|told(?! apart)|said)\b", re.IGNORECASE)
# In names of tests, which are read without the code below them, these as well.
RIDDLES_OF_NAMES = re.compile(
    r"(?<![^_])(nobodys?|somebody|anybody|whoever|whom|told|tells?|said|unsaid|words)(?![^_])"
)
# Quoted text is AWS's, a program's or a user's.
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^' ]*'")
CEILING = 0  # lower it, never raise it


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each comment, and of each string that is a sentence."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value


def comments_and_docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each. Other strings of a test are what the code under test is given or must answer."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "lineno", 1), ast.get_docstring(node) or ""


def riddles_of_names(source: str) -> list[str]:
    """Functions and classes whose name has no subject."""
    return [
        f"{node.lineno}: {word}: {node.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for word in RIDDLES_OF_NAMES.findall(node.name.lower())
    ]


def riddles(source: str, read: Callable[[str], Iterator[tuple[int, str]]] = prose) -> list[str]:
    found = []
    for line, text in read(source):
        words = RIDDLES.findall(_QUOTED.sub("", text))
        found += [f"{line}: {word}: {' '.join(text.split())[:300]}" for word in words]
    return found


def test_what_is_prose_and_what_is_not() -> None:
    assert riddles('told = 1  # nobody is told\nprint("as was said", "nobody", "`nobody` is a user")\n') == [
        "1: nobody: # nobody is told",
        "1: told: # nobody is told",
        "2: said: as was said",
    ]


def test_prose_names_its_subject() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{one}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for one in riddles(path.read_text())
    ]
    assert len(found) <= CEILING, "\n".join(found)


def test_what_is_a_riddle_in_a_name_and_what_is_not() -> None:
    source = "def test_a_port_is_said_to_be_taken(): ...\nclass Told: ...\ndef retell(): ...\n"
    assert riddles_of_names(source) == ["1: said: test_a_port_is_said_to_be_taken", "2: told: Told"]


def test_tests_name_their_subject() -> None:
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        source = path.read_text()
        wrong = riddles_of_names(source) + riddles(source, comments_and_docstrings)
        found += [f"{path.relative_to(ROOT)}:{one}" for one in wrong]
    assert len(found) <= CEILING, "\n".join(found)
