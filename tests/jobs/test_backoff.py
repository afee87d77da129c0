"""Backoff: what failed is due at once, then later and later, and after a while as if it had never failed."""

from samebox.jobs.backoff import FORGIVEN_SECONDS, MOST_SECONDS, Backoff


class SteppedClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_first_failure_is_due_at_once_and_each_further_one_twice_as_late() -> None:
    backoff: Backoff[str] = Backoff(SteppedClock())
    assert [backoff.postpone("a") for _ in range(9)] == [
        0.0,
        1.0,
        2.0,
        4.0,
        8.0,
        16.0,
        32.0,
        MOST_SECONDS,
        MOST_SECONDS,
    ]


def test_a_failure_long_after_the_last_counts_as_the_first() -> None:
    clock = SteppedClock()
    backoff: Backoff[str] = Backoff(clock)
    backoff.postpone("a")
    clock.now += FORGIVEN_SECONDS
    assert backoff.postpone("a") == 0.0


def test_keys_are_due_in_the_order_of_their_times_and_only_once() -> None:
    clock = SteppedClock()
    backoff: Backoff[str] = Backoff(clock)
    backoff.postpone("late")
    assert backoff.take_due() == ["late"]
    backoff.postpone("late")
    backoff.postpone("soon")
    assert backoff.seconds() == 0.0
    assert backoff.take_due() == ["soon"]
    assert (backoff.is_waiting("late"), backoff.is_waiting("soon"), backoff.seconds()) == (True, False, 1.0)
    clock.now += 1.0
    assert (backoff.take_due(), backoff.take_due(), backoff.seconds()) == (["late"], [], None)


def test_what_failed_once_is_remembered_and_other_keys_are_their_own() -> None:
    backoff: Backoff[str] = Backoff(SteppedClock())
    backoff.postpone("a")
    assert (backoff.has_failed("a"), backoff.has_failed("b")) == (True, False)
    assert backoff.postpone("b") == 0.0
