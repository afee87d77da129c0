"""A Dockerfile's instructions with their line numbers, so that a finding can point at a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")


@dataclass(frozen=True)
class Instruction:
    word: str  # in capitals: "ENTRYPOINT"
    text: str  # what follows, with its continuation lines joined
    line: int  # where it begins, from 1
    stage: int  # which FROM it is under, from 0


@dataclass(frozen=True)
class Dockerfile:
    path: str
    instructions: tuple[Instruction, ...]

    def last(self, word: str, containing: str = "") -> Instruction | None:
        """The one that counts: the last of its kind in the last stage; in an earlier one where that has none."""
        fitting = [one for one in self.instructions if one.word == word and containing in one.text]
        return max(fitting, key=lambda one: (one.stage, one.line), default=None)

    def line(self, word: str, containing: str = "") -> int | None:
        found = self.last(word, containing)
        return found.line if found else None

    def mentioning(self, *texts: str) -> Instruction | None:
        """The last instruction that names one of the texts, whatever it is."""
        for one in reversed(self.instructions):
            if any(text in one.text for text in texts):
                return one
        return None


def read(path: Path) -> Dockerfile:
    """Raises OSError. What cannot be understood is passed over: hadolint is the judge of it."""
    return parse(path.read_text(errors="replace"), str(path))


def parse(text: str, path: str = "Dockerfile") -> Dockerfile:
    found: list[Instruction] = []
    stage = -1
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        start, whole = at, lines[at].strip()
        at += 1
        if not whole or whole.startswith("#"):
            continue
        while whole.endswith("\\") and at < len(lines):
            following = lines[at].strip()
            at += 1
            whole = whole if following.startswith("#") else f"{whole[:-1].rstrip()} {following}"
        for word in _HEREDOC.findall(whole):
            while at < len(lines) and lines[at].strip() != word:
                whole += f"\n{lines[at]}"
                at += 1
            at += 1
        word, _, rest = whole.partition(" ")
        stage += word.upper() == "FROM"
        found.append(Instruction(word.upper(), rest.strip(), start + 1, max(stage, 0)))
    return Dockerfile(path, tuple(found))
