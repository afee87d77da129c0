"""What checks share in a run, and which of them are of interest."""

from __future__ import annotations

import threading

import pytest

from samebox.check.checks import Check, Claim, Shared
from samebox.check.findings import Rule

RULE = Rule("train-pipe", "", "", "fail", "training", "")
CHECK = Check(RULE, lambda _: (), claims=frozenset({"train"}), further=frozenset({"pipe"}))


@pytest.mark.parametrize(
    ("claimed", "is_of_interest"),
    [
        (frozenset({"train", "pipe"}), True),
        (frozenset({"train"}), False),
        (frozenset({"pipe", "serve"}), False),
    ],
)
def test_a_check_of_something_further_is_of_interest_when_both_are_claimed(
    claimed: frozenset[Claim], is_of_interest: bool
) -> None:
    assert CHECK.is_of_interest(claimed) is is_of_interest


def test_what_is_begun_is_made_once_and_waited_for() -> None:
    shared, may_end, made = Shared(), threading.Event(), []

    def make() -> str:
        assert may_end.wait(30)
        made.append("once")
        return "done"

    shared.begin("job", make)
    may_end.set()

    assert shared.get("job", make) == "done"
    assert made == ["once"]


def test_a_failure_in_the_background_is_raised_to_the_caller() -> None:
    shared = Shared()

    def fail() -> str:
        raise ValueError("no room")

    shared.begin("job", fail)

    with pytest.raises(ValueError, match="no room"):
        shared.get("job", fail)
