"""A failing job's reason is found by trial, one departure from the platform after the other: what checks make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from emulator.check.checks import CannotCheck
from emulator.check.static.places import line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.check.checks import Context
    from emulator.check.ended import Ended
    from emulator.check.findings import Finding, Rule


class Tried(Protocol):
    """How the plain job ended. `culprit`: the rule that it broke, where it failed; `seen`: how that shows."""

    @property
    def plain(self) -> Ended: ...
    @property
    def culprit(self) -> Rule | None: ...
    @property
    def seen(self) -> str: ...


def completes(context: Context, rule: Rule, found: Tried, what: str, aside: str = "") -> Finding:
    """What is said of the rule that the job ends well. `what` it is, such as "training". Raises CannotCheck."""
    if found.culprit is None:
        return rule.passed(f"exit code 0 after {found.plain.seconds:.1f} s{aside}")
    if found.culprit is not rule:
        raise CannotCheck(f"{what} fails: see {found.culprit.id}")
    if context.options.data is None and found.plain.exit_code is not None:
        return rule.skipped(f"{found.seen} (there was no data; give some with --data DIR)")
    return rule.broken(found.seen)


def not_tripped_over(
    tried: Callable[[Context], Tried], well: Callable[[Context], object], rule: Rule, seen: str, word: str = ""
) -> Callable[[Context], Finding]:
    """A check that passes when the plain job went well, and fails when this was found to be the reason.

    `well` raises CannotCheck when it did not go well; `word` begins the Dockerfile's line to show.
    """

    def look(context: Context) -> Finding:
        found = tried(context)
        if found.culprit is rule:
            return rule.broken(found.seen, line=line_of(context, word) if word else None)
        well(context)
        return rule.passed(seen)

    return look
