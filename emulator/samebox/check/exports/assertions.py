"""Assertions about an image that more than one tool can express."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.findings import Rule


@dataclass(frozen=True)
class FileExists:
    path: str


@dataclass(frozen=True)
class FileRunnable:
    """A file that may be run; `by_anybody`: not by its owner alone. Links in the path have been followed."""

    path: str
    by_anybody: bool = False


@dataclass(frozen=True)
class FileAbsent:
    path: str


@dataclass(frozen=True)
class FileNotEmpty:
    path: str


@dataclass(frozen=True)
class FileHas:
    """Whether the pattern is found in the file; patterns are of Go's regexp, which goes over all of it at once."""

    path: str
    pattern: str
    found: bool = True


@dataclass(frozen=True)
class AccountExists:
    """A name in /etc/passwd, or in /etc/group."""

    name: str
    is_group: bool = False


@dataclass(frozen=True)
class CommandEnds:
    """A program of the image ends with 0.

    `line`: a pattern that a whole line of its output matches. `silent`: it writes nothing to standard output. `before`:
    commands to run first in the same container. `alone`: it changes files, and needs a container of its own.
    """

    words: tuple[str, ...]
    line: str = ""
    silent: bool = False
    before: tuple[tuple[str, ...], ...] = ()
    alone: bool = False


@dataclass(frozen=True)
class EntrypointIs:
    words: tuple[str, ...]


@dataclass(frozen=True)
class LabelIs:
    name: str
    value: str


@dataclass(frozen=True)
class PortExposed:
    port: str


@dataclass(frozen=True)
class VariableMatches:
    """A variable of the image's own; `pattern` None: it has none of this name."""

    name: str
    pattern: str | None = None


@dataclass(frozen=True)
class PortReachable:
    """A connection to the server's port is made, from elsewhere than 127.0.0.1."""

    milliseconds: int


@dataclass(frozen=True)
class RequestAnswered:
    """One request to the server. Its status is one of `only`, or from `lowest` to `highest` and none of `never`."""

    method: str
    path: str
    lowest: int = 200
    highest: int = 299
    never: tuple[int, ...] = ()
    only: tuple[int, ...] = ()
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    milliseconds: int = 10_000
    is_readiness: bool = False  # it is asked until it answers so, before anything else is


Assertion = (
    FileExists
    | FileRunnable
    | FileAbsent
    | FileNotEmpty
    | FileHas
    | AccountExists
    | CommandEnds
    | EntrypointIs
    | LabelIs
    | PortExposed
    | VariableMatches
    | PortReachable
    | RequestAnswered
)


@dataclass(frozen=True)
class Test:
    """One test of a rule. `says`: a short phrase that is true when it passes."""

    rule: Rule
    says: str
    assertion: Assertion

    @property
    def name(self) -> str:
        return f"{self.rule.id}: {self.says}"
