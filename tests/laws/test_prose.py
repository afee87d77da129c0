"""Prose of the package is in the field's words: its docstrings, comments and messages name their subject."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("emulator/samebox", "serve/samebox_serve", "train/samebox_train")
# The field has a noun or a verb in place of each: a client, the caller, the engine; to report, to log, to answer.
RIDDLES = re.compile(r"\b(nobody|somebody|anybody|whoever|whomever|whom|told(?! apart)|said)\b", re.IGNORECASE)
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


def riddles(source: str) -> list[str]:
    found = []
    for line, text in prose(source):
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
