"""Writes YAML with comments, in one form only: mappings, and lists of them, of JSON values."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MARK = "# Written by samebox check --export."  # the first line; a file without it is not overwritten
# JSON lets these stand as they are, and YAML does not.
_NOT_PRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Exported:
    """What one tool is given. `files`: name -> text, the main one first."""

    form: str
    files: Mapping[str, str]
    tests: int  # in the main one
    rules: int  # so many are expressed there


def value(given: Any) -> str:
    """Every JSON value is a YAML value, on one line."""
    words = json.dumps(given, ensure_ascii=False)
    return _NOT_PRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", words)


def comment(words: str, indent: str = "") -> list[str]:
    """Wrapped; control characters, which may come from the image, do not end the comment."""
    shown = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", "?", words)
    return textwrap.wrap(
        shown,
        118,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def items(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """A list of mappings, below a key."""
    lines = []
    for row in rows:
        starts = ["  - ", *["    "] * (len(row) - 1)]
        lines += [f"{start}{key}: {value(one)}" for start, (key, one) in zip(starts, row.items(), strict=True)]
    return lines


def named(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """A mapping of mappings, below a key."""
    lines = []
    for name, row in rows:
        lines.append(f"  {value(name)}:")
        lines += [f"    {key}: {value(one)}" for key, one in row.items()]
    return lines


def header(paragraphs: Sequence[str], command: str) -> list[str]:
    lines = [MARK, "#"]
    for words in paragraphs:
        lines += [*comment(words), "#"]
    return [*lines, f"#     {command}", ""]


def left_out(partly: Sequence[tuple[str, str]], wholly: Sequence[tuple[str, str]]) -> list[str]:
    """Rules and why: (id, reason)."""
    lines: list[str] = []
    for title, rows in (("Only in part expressed above:", partly), ("Cannot be expressed here:", wholly)):
        if rows:
            lines += ["", f"# {title}"]
            reasons = dict.fromkeys(reason for _, reason in rows)
            for reason in reasons:
                ids = ", ".join(one for one, why in rows if why == reason)
                wrapped = comment(f"{ids}: {reason}")
                lines += [wrapped[0].replace("# ", "# - ", 1), *(one.replace("# ", "#   ", 1) for one in wrapped[1:])]
    return lines
