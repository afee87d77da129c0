"""A job that is stopped in its middle, and whether its program had heard of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from samebox.check.checks import CannotCheck

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from samebox.check.ended import HostResult

GRACE_SECONDS = 120  # between SIGTERM and SIGKILL, of StopTrainingJob and StopProcessingJob
FAST_GRACE_SECONDS = 15
SURE_SECONDS = 10.0  # a job that takes less may not have begun to listen when the signal comes in its middle
TRIES = 5
_MIDDLE = 0.5  # of the time that the job took before
# When a short job that went on is stopped again: late, because it may not have listened yet, and early, because on a
# busy machine the engine may take as long for the signal as the job takes to end.
_AGAIN = (0.8, 0.25)
_LEAST_LEFT = 0.1  # of it: a job that ends sooner after the signal was at its end already


@dataclass(frozen=True)
class StoppedRun:
    """A job that was stopped in its middle, at its run with this number.

    `grace`: the seconds between the signals; `took`: those until it ended.
    """

    ended: HostResult
    grace: int
    took: float
    number: int

    @property
    def shortened(self) -> str:
        """That the time was shorter than the platform's, for a person; empty where it was not."""
        return f" (--fast: {self.grace} s in place of {GRACE_SECONDS})" if self.grace < GRACE_SECONDS else ""

    def went_on_as(self, plain: HostResult) -> bool:
        """Whether it ended well, and as `plain`, which was not stopped, did."""
        return self.ended.exit_code == 0 and self.ended.went_on_as(plain)


def grace(plain: HostResult, is_fast: bool) -> int:
    """The seconds between the signals; with --fast fewer, but not where everything takes long, as on a busy machine."""
    return min(GRACE_SECONDS, max(FAST_GRACE_SECONDS, round(3 * plain.seconds))) if is_fast else GRACE_SECONDS


def doubt(plain: HostResult) -> str:
    """What else may be the cause where a short job went on to its end; empty for a long one."""
    return "" if plain.seconds > SURE_SECONDS else "; or it was not listening yet: give it more to do"


class RunningJob(Protocol):
    """A job under way: see samebox.check.hosts.Hosts."""

    def wait(self, seconds: float) -> bool: ...
    def wait_for_middle(self, plain: HostResult, seconds: float) -> bool: ...
    def terminate(self, grace_seconds: int) -> None: ...
    def ended(self) -> HostResult: ...


class MiddleStop:
    """Stops a job in its middle, and again at other moments where the end does not show whether it listened.

    On a busy machine a short job may not listen yet when the signal comes, or may have ended just before.
    `run(number)` starts the job anew; `least_seconds`: what it takes at the least.
    """

    def __init__(
        self,
        plain: HostResult,
        least_seconds: float,
        grace: int,
        run: Callable[[int], AbstractContextManager[RunningJob]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plain = plain
        self._least = least_seconds
        self._grace = grace
        self._run = run
        self._clock = clock

    def stopped(self) -> StoppedRun:
        """Raises CannotCheck where it ended each time before it could be stopped."""
        went_on: list[StoppedRun] = []
        seconds = self._least
        when: float | None = None  # of these seconds; None: where the plain job's log has its middle
        for number in range(TRIES):
            found, seconds = self._once(number, seconds, when)
            if found is None:
                if not went_on:
                    when = _MIDDLE
                continue
            if found.took >= found.grace or not found.went_on_as(self._plain):
                return found
            if len(went_on) == len(_AGAIN) or self._plain.seconds > SURE_SECONDS:
                return found
            when = _AGAIN[len(went_on)]
            went_on.append(found)
        if not went_on:
            raise CannotCheck(f"it ended after {seconds:.1f} s, before it was stopped")
        return went_on[-1]

    def _once(self, number: int, seconds: float, when: float | None) -> tuple[StoppedRun | None, float]:
        """The run, None where it had all but ended when the signal came; and how long it took."""
        with self._run(number) as job:
            has_ended = job.wait_for_middle(self._plain, self._least) if when is None else job.wait(when * seconds)
            if has_ended:
                return None, job.ended().seconds
            began = self._clock()
            job.terminate(self._grace)
            took = self._clock() - began
            ended = job.ended()
        found = StoppedRun(ended, self._grace, took, number)
        if found.went_on_as(self._plain) and took < _LEAST_LEFT * ended.seconds:
            return None, ended.seconds
        return found, ended.seconds
