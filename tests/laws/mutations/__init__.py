"""Recorded mutations: for each invariant, a change of a text that breaks it, and the test that must then fail."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

RECORDED = Path(__file__).with_name("recorded.toml")


@dataclass(frozen=True)
class Mutation:
    """`invariant` is how its row in CONTRIBUTING.md begins; `file` is relative to the repository."""

    invariant: str
    file: str
    find: str
    replace: str
    test: str

    def applied(self, text: str) -> str:
        """The mutated text of the file. Raises ValueError unless what is to be replaced is there exactly once."""
        if (found := text.count(self.find)) != 1:
            raise ValueError(f"{self.file} has {self.find!r} {found} times, not once")
        return text.replace(self.find, self.replace)


def recorded() -> list[Mutation]:
    """All mutations."""
    return [Mutation(**one) for one in tomllib.loads(RECORDED.read_text())["mutation"]]


def without() -> dict[str, str]:
    """How the row of an invariant begins that has no mutation -> why it has none."""
    found: dict[str, str] = tomllib.loads(RECORDED.read_text())["without"]
    return found
