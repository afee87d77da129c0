"""The subset of JSONPath that DataProcessing filters are written in (contract §3.4).

`$`, `.name`, `*`, `['a','b']`, `[0,-1]` and `[1:3]`, one after the other. Several members of an object are an object,
and several elements of a list are a list: libraries for JSONPath give a list of matches for both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)")
_ALL = re.compile(r"\.\*|\[\*\]")
_SLICE = re.compile(r"\[(-?\d*):(-?\d*)\]")
_INDEXES = re.compile(r"\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]")
_QUOTED = r"'[^']*'|\"[^\"]*\""
_NAMES = re.compile(rf"\[\s*((?:{_QUOTED})(?:\s*,\s*(?:{_QUOTED}))*)\s*\]")


class BadPath(Exception):
    """The path is none of the subset."""


class NothingThere(Exception):
    """The data has no such member or element."""


@dataclass(frozen=True)
class MemberNames:
    """Members of an object."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Indexes:
    """Elements of a list."""

    indexes: tuple[int, ...]


@dataclass(frozen=True)
class IndexRange:
    """A range of a list."""

    start: int | None
    end: int | None


@dataclass(frozen=True)
class All:
    """Every element of a list, or every member of an object."""


Step = MemberNames | Indexes | IndexRange | All
Path = tuple[Step, ...]


def parse(text: str) -> Path:
    """Read a path. Raises BadPath."""
    if not text.startswith("$"):
        raise BadPath(f"{text!r} does not begin with $")
    steps, rest = list[Step](), text[1:]
    while rest:
        step, length = _step(rest)
        if step is None:
            raise BadPath(f"{text!r} is not understood from {rest!r} on")
        steps.append(step)
        rest = rest[length:]
    return tuple(steps)


def find(path: Path, value: Any) -> Any:
    """What the path selects. Raises NothingThere."""
    for step in path:
        value = _select(step, value)
    return value


def _step(text: str) -> tuple[Step | None, int]:
    if found := _ALL.match(text):
        return All(), found.end()
    if found := _NAME.match(text):
        return MemberNames((found[1],)), found.end()
    if found := _SLICE.match(text):
        return IndexRange(*(int(one) if one else None for one in found.groups())), found.end()
    if found := _INDEXES.match(text):
        return Indexes(tuple(int(one) for one in found[1].split(","))), found.end()
    if found := _NAMES.match(text):
        return MemberNames(tuple(one[1:-1] for one in re.findall(_QUOTED, found[1]))), found.end()
    return None, 0


def _select(step: Step, value: Any) -> Any:
    if isinstance(step, All):
        return value
    if isinstance(step, MemberNames):
        if not isinstance(value, dict):
            raise NothingThere(f"{step.names[0]!r} is looked for in something that is not an object")
        missing = [name for name in step.names if name not in value]
        if missing:
            raise NothingThere(f"there is no {missing[0]!r}")
        return value[step.names[0]] if len(step.names) == 1 else {name: value[name] for name in step.names}
    if not isinstance(value, list):
        raise NothingThere("an element is looked for in something that is not a list")
    if isinstance(step, IndexRange):
        return value[step.start : step.end]
    try:
        found = [value[index] for index in step.indexes]
    except IndexError:
        raise NothingThere(f"there is no element {step.indexes} among {len(value)}") from None
    return found[0] if len(found) == 1 else found
