"""When a job is stopped in its middle, and again where its end does not show whether it listened."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from samebox.check.checks import CannotCheck
from samebox.check.ended import HostResult
from samebox.check.stopping import MiddleStop, StoppedRun

PLAIN = HostResult(0, 4.0)  # without a log, so time is its only measure
LONG = HostResult(0, 40.0)
GRACE = 15


@dataclass
class PlayedRun:
    """A run of so many seconds; `listens_at`: when it begins to listen, None for one that never does.

    `middle`: when its log reaches the middle. `delay`: how long the engine takes for the signal.
    """

    seconds: float
    listens_at: float | None = 0.0
    middle: float = 2.4
    delay: float = 0.0
    now: float = 0.0

    def wait(self, seconds: float) -> bool:
        self.now = min(self.seconds, seconds)
        return self.now == self.seconds

    def wait_for_middle(self, plain: HostResult, seconds: float) -> bool:
        return self.wait(self.middle)

    def terminate(self, grace_seconds: int) -> None:
        self.now = min(self.seconds, self.now + self.delay)
        is_heard = self.now < self.seconds and self.listens_at is not None and self.now >= self.listens_at
        self.seconds = self.now if is_heard else min(self.seconds, self.now + grace_seconds)
        self.now = self.seconds

    def ended(self) -> HostResult:
        return HostResult(0, self.now)


class Played:
    """Runs one after the other, and the clock that all of them share."""

    def __init__(self, runs: Sequence[PlayedRun]) -> None:
        self.runs = runs
        self.begun = 0

    @contextlib.contextmanager
    def run(self, number: int) -> Iterator[PlayedRun]:
        self.begun = number + 1
        yield self.runs[number]

    def clock(self) -> float:
        return self.runs[self.begun - 1].now


def stopped(*runs: PlayedRun, plain: HostResult = PLAIN) -> tuple[StoppedRun, int]:
    played = Played(runs)
    found = MiddleStop(plain, plain.seconds, GRACE, played.run, played.clock).stopped()
    return found, played.begun


def test_a_job_that_listens_is_stopped_once() -> None:
    found, begun = stopped(PlayedRun(4.0))
    assert (begun, found.took, found.went_on_as(PLAIN)) == (1, 0.0, False)


def test_a_short_job_that_did_not_listen_yet_is_stopped_once_more_and_later() -> None:
    found, begun = stopped(PlayedRun(4.0, listens_at=3.0), PlayedRun(4.0, listens_at=3.0))
    assert (begun, found.number, found.went_on_as(PLAIN)) == (2, 1, False)


def test_one_that_goes_on_three_times_does_not_listen() -> None:
    found, begun = stopped(PlayedRun(4.0, None), PlayedRun(4.0, None), PlayedRun(4.0, None))
    assert (begun, found.went_on_as(PLAIN)) == (3, True)


def test_where_the_signal_takes_as_long_as_the_job_it_is_sent_early() -> None:
    found, begun = stopped(*(PlayedRun(4.0, delay=2.0) for _ in range(3)))
    assert (begun, found.number, found.went_on_as(PLAIN)) == (3, 2, False)


def test_a_long_job_that_goes_on_does_not_listen() -> None:
    found, begun = stopped(PlayedRun(40.0, None, middle=28.0), plain=LONG)
    assert (begun, found.took, found.went_on_as(LONG)) == (1, 12.0, True)


def test_one_that_is_killed_after_the_grace_is_not_stopped_again() -> None:
    found, begun = stopped(PlayedRun(40.0, None, middle=20.0), plain=LONG)
    assert (begun, found.took) == (1, GRACE)


def test_one_that_had_all_but_ended_when_the_signal_came_is_stopped_again() -> None:
    found, begun = stopped(PlayedRun(4.0, None, middle=3.9), PlayedRun(4.0))
    assert (begun, found.number, found.went_on_as(PLAIN)) == (2, 1, False)


def test_one_that_ends_too_early_for_the_second_signal_is_stopped_a_third_time() -> None:
    found, begun = stopped(PlayedRun(5.0, listens_at=3.5), PlayedRun(3.9, 3.5), PlayedRun(4.5, listens_at=3.0))
    assert (begun, found.went_on_as(PLAIN)) == (3, False)


def test_one_that_always_ends_before_its_signal_is_not_judged() -> None:
    with pytest.raises(CannotCheck, match="before it was stopped"):
        stopped(PlayedRun(2.0), PlayedRun(0.9), PlayedRun(0.4), PlayedRun(0.2), PlayedRun(0.1))
