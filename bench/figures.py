"""What a measurement says: figures, the bar that was set for ours, and the row they make together. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")
Unit = Literal["s", "ms", "MB/s", "per s", "MB"]


@dataclass(frozen=True)
class Bar:
    """The number to beat: `limit` for ours itself, for what ours adds to the bare limit, or for ours / bare."""

    of: Literal["ours", "added", "ratio"]
    limit: float
    at_least: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the table. A figure is None where nothing was, or could be, measured; `note` says why."""

    key: str
    what: str
    unit: Unit
    ours: float | None
    bare: float | None = None
    peer: float | None = None
    bar: Bar | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours divided by the bare limit."""
        return self.ours / self.bare if self.ours is not None and self.bare else None

    @property
    def added(self) -> float | None:
        """Ours less the bare limit."""
        return self.ours - self.bare if self.ours is not None and self.bare is not None else None

    @property
    def is_met(self) -> bool | None:
        """Whether ours reaches the bar; None where there is no bar or no figure."""
        if self.bar is None:
            return None
        value: float | None = getattr(self, self.bar.of)
        if value is None:
            return None
        return value >= self.bar.limit if self.bar.at_least else value <= self.bar.limit


def median(values: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least `part` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def alternate(rounds: int, *turns: Callable[[], T], report: Callable[[str], None] | None = None) -> list[list[T]]:
    """Call each of `turns` once a round, the order turned round every time; the values of each, in its own list.

    What slows the machine down for a while then slows all of them down, and what the one before leaves behind (warm
    caches, a busy engine) falls on all of them alike.
    """
    values: list[list[T]] = [[] for _ in turns]
    for number in range(rounds):
        order = list(enumerate(turns))
        for place, turn in order if number % 2 == 0 else reversed(order):
            values[place].append(turn())
        if report is not None:
            report(f"{number + 1} of {rounds}")
    return values


def shown(value: float | None, unit: Unit) -> str:
    """A figure for a person: three digits that mean something."""
    if value is None:
        return "-"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def bar_shown(bar: Bar | None, unit: Unit) -> str:
    """A bar for a person."""
    if bar is None:
        return "-"
    sign = "≥" if bar.at_least else "≤"
    words = {"ours": f"{bar.limit:g} {unit}", "added": f"{bar.limit:g} {unit} added", "ratio": f"{bar.limit:g} x bare"}
    return f"{sign} {words[bar.of]}"


def as_json(row: Row) -> dict[str, Any]:
    """The row with everything that follows from it."""
    return {**asdict(row), "ratio": row.ratio, "added": row.added, "is_met": row.is_met}
