"""Finds the cause of a failing job by trial, with one departure from the platform at a time; and the findings from it.

A trial takes as long as the job that failed. Departures that the job's output points to are always tried; the others
only while they are quick, and if the output does not explain the failure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from samebox.check.checks import CannotCheck
from samebox.check.ended import words_about
from samebox.check.static.places import line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from samebox.check.checks import Context
    from samebox.check.ended import HostResult
    from samebox.check.findings import Finding, Rule

TRY_SECONDS = 120.0  # what takes longer to fail is not tried again
_OVERHEAD_SECONDS = 1.0  # of a trial, beside the job
# For all trials without a hint, together: (of a job that reports why it failed, of one that does not).
_SECONDS = (20.0, 300.0)
_FAST_SECONDS = (4.0, 60.0)

JobT = TypeVar("JobT")


@dataclass(frozen=True)
class Departure(Generic[JobT]):
    """One difference from the platform. If the job succeeds with it, the image breaks `rule`.

    `words` describe the difference; `hint` is a pattern for the output of a program that fails without it. `is_shown`
    decides whether a job that ended with 0 proves anything.
    """

    rule: Rule
    words: str
    job: JobT
    hint: str
    remedy: str | None = None
    is_shown: Callable[[HostResult], bool] = lambda _: True


@dataclass(frozen=True)
class Culprit(Generic[JobT]):
    """The departure with which the job ended well, and how it did."""

    departure: Departure[JobT]
    ended: HostResult


def culprit(
    context: Context,
    plain: HostResult,
    departures: Iterable[Departure[JobT]],
    run: Callable[[JobT, float], HostResult],
) -> Culprit[JobT] | None:
    """The first departure with which the job ends well; None where none is found, or it would take too long."""
    if plain.exit_code is None or plain.seconds >= TRY_SECONDS:
        return None
    explained, unexplained = _FAST_SECONDS if context.options.fast else _SECONDS
    left = explained if plain.explains_itself else unexplained
    told = "\n".join(quote.text for quote in plain.quotes)
    # In their own order, but for those that its words speak for, which come first.
    for departure in sorted(departures, key=lambda one: not re.search(one.hint, told, re.IGNORECASE)):
        if not re.search(departure.hint, told, re.IGNORECASE):
            left -= plain.seconds + _OVERHEAD_SECONDS
            if left < 0:
                break
        context.report(f"it failed; trying it {departure.words}")
        ended = run(departure.job, TRY_SECONDS)
        if ended.is_good and departure.is_shown(ended):
            return Culprit(departure, ended)
    return None


def did_not_start(plain: HostResult, no_program: str, has_program: Callable[[], bool]) -> bool:
    """Whether the job's program never began. `no_program`: a pattern for the message that a shell or init then writes.

    A shell that cannot start a command ends with 126 or 127; the program may itself be a script with such a command.
    """
    if plain.start_error or words_about(no_program, plain):
        return True
    return plain.exit_code in (126, 127) and (not plain.last_words or not has_program())


def cure(plain: HostResult) -> str | None:
    """Of a job that does not end, by what of it is alive; None where nothing is known beyond the rule's own."""
    if plain.idle is None:
        return None
    why = (
        plain.idle.why if plain.left.files else "It waits for something that never comes: give each wait a time limit."
    )
    return f"SageMaker waits, and bills, until MaxRuntimeInSeconds. {why}"


class Tried(Protocol):
    """How the plain job ended. `culprit`: the rule that it broke, where it failed; `seen`: how that shows."""

    @property
    def plain(self) -> HostResult: ...
    @property
    def culprit(self) -> Rule | None: ...
    @property
    def seen(self) -> str: ...
    @property
    def remedy(self) -> str | None: ...


def completes(context: Context, rule: Rule, found: Tried, what: str, aside: str = "") -> Finding:
    """The finding for the rule that the job succeeds. `what` names the job, such as "training". Raises CannotCheck."""
    if found.culprit is None:
        return rule.passed(f"exit code 0 after {found.plain.seconds:.1f} s{aside}")
    if found.culprit is not rule:
        raise CannotCheck(f"{what} fails: see {found.culprit.id}")
    if context.options.data is None and found.plain.exit_code is not None:
        return rule.skipped(f"{found.seen} (there was no data; {found.remedy or 'give some with --data DIR'})")
    return fault(rule, found)


def fault(rule: Rule, found: Tried, line: int | None = None) -> Finding:
    """The finding that the failed job broke this rule, with its output."""
    return found.plain.quoted_in(rule.broken(found.seen, found.remedy, line))


def not_tripped_over(
    tried: Callable[[Context], Tried], well: Callable[[Context], object], rule: Rule, seen: str, word: str = ""
) -> Callable[[Context], Finding]:
    """A check that passes when the plain job succeeded, and fails when this rule was found to be the cause.

    `well` raises CannotCheck when the job failed for another cause; `word` is the Dockerfile instruction to point at.
    """

    def look(context: Context) -> Finding:
        found = tried(context)
        if found.culprit is rule:
            return fault(rule, found, line_of(context, word) if word else None)
        well(context)
        return rule.passed(seen)

    return look
