"""Recorded mutations: for each invariant, a change of a text that breaks it, and the test that must then fail.

`scripts/mutations` makes each in a copy of the repository and runs the test; tests/laws/test_mutations.py checks that
each text is there exactly once. A file of `recorded/` has those of one room, as rows of

    invariant   how its row in CONTRIBUTING.md begins
    file        what is changed: the text `find` becomes `replace`
    test        the id of the test that must fail, one of its row

and `recorded/none.toml` says which invariants have none, and why.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

RECORDED = Path(__file__).with_name("recorded")


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
    tables = [tomllib.loads(path.read_text()) for path in sorted(RECORDED.glob("*.toml"))]
    return [Mutation(**one) for table in tables for one in table.get("mutation", ())]


def without() -> dict[str, str]:
    """How the row of an invariant begins that has no mutation -> why it has none."""
    found: dict[str, str] = tomllib.loads((RECORDED / "none.toml").read_text())["without"]
    return found
