"""Differences between two inventories, the most serious first, each with why it can change a prediction.

What is known of packages and settings is the table of known.py; the first row that matches decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.parity.inventory import GROUPS
from samebox.parity.known import GONE, TABLE, WEIGHTS, Known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from samebox.parity.inventory import Inventory
    from samebox.parity.known import Weight

ABSENT = "not there"
NOT_SET = "not set"
_SETTINGS = frozenset({"threads and switches", "locale", "time", "environment"})
_NAMED = 8  # programs that are named before the rest is a number


@dataclass(frozen=True)
class Disparity:
    """One thing that the images do not have in common."""

    group: str
    name: str
    left: str
    right: str
    weight: Weight
    why: str
    source: str = ""


def differences(left: Inventory, right: Inventory) -> list[Disparity]:
    """The differences, the likeliest to change a prediction first. Facts known of one image only are left out."""
    both_probed = left.probed is not None and right.probed is not None
    ours, theirs = left.facts(both_probed), right.facts(both_probed)
    found: list[tuple[int, int, str, Disparity]] = []
    for place, group in enumerate(GROUPS):
        if group == "programs":
            continue
        one, other = ours.get(group, {}), theirs.get(group, {})
        for name in sorted({*one, *other}):
            if one.get(name) != other.get(name) and not _is_known_closer(group, name, one, other):
                row, disparity = _judged(group, name, one, other)
                found.append((row, place, name, disparity))
    found.sort(key=lambda one: (WEIGHTS.index(one[3].weight), one[0], one[1], one[2]))
    return [one[3] for one in found] + list(_programs(ours.get("programs", {}), theirs.get("programs", {})))


def _is_known_closer(group: str, name: str, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether one version is the longer form of the other (3.10 and 3.10.13): files do not always have all of it."""
    if (group, name) != ("Python", "version") or name not in one or name not in other:
        return False
    left, right = sorted((one[name], other[name]), key=len)
    return left.count(".") == 1 and right.startswith(f"{left}.")


def counts(found: list[Disparity] | tuple[Disparity, ...]) -> dict[Weight, int]:
    return {weight: sum(one.weight == weight for one in found) for weight in WEIGHTS}


def _judged(group: str, name: str, one: Mapping[str, str], other: Mapping[str, str]) -> tuple[int, Disparity]:
    missing = NOT_SET if group in _SETTINGS else ABSENT
    left, right = one.get(name), other.get(name)
    plain = name.partition(" in ")[0]
    fits = ((row, known) for row, known in enumerate(TABLE) if known.speaks_of(group, plain))
    row, known = next(fits, (len(TABLE), Known(group, ".*", "possibly", "Nothing is known of it here.")))
    weight, why, source = known.weight, known.why, known.source
    if left is None or right is None:
        weight = known.one_sided or weight
        if weight == "likely" and (group == "Python packages" or (group, name) == ("Python", "version")):
            why, source = GONE, ""
    elif group == "Python" and name == "version" and left.split(".")[:2] == right.split(".")[:2]:
        weight, why = "possibly", "A patch release: bugs mended, seldom in what computes."
    elif group == "Python packages" and " in " in name and weight == "likely":
        weight, why = "possibly", "Of another Python than the one on PATH."
    return row, Disparity(
        group, name, missing if left is None else left, missing if right is None else right, weight, why, source
    )


def _programs(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Disparity]:
    """All that only one of them has, as one difference."""
    left, right = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    if left or right:
        yield Disparity(
            "programs",
            "on PATH in one only",
            _some(left),
            _some(right),
            "hardly",
            "Tools; handlers that call one are rare.",
        )


def _some(names: list[str]) -> str:
    if not names:
        return ABSENT
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
