"""Attempts at a job: when one is interrupted as spot instances are, and what is known of it in the next one.

Interruptions are ordered by tags of the job, which any client can give it, or by a setting. What was obeyed is kept, so
that a restart of ours repeats no order. Pure.
"""

import math
from collections.abc import Mapping
from typing import Any

from samebox.jobs.plan import SpotPlan
from samebox.resources.run_facts import EarlierAttempts, RunFacts
from samebox.resources.spot_tags import NOW_TAG
from samebox.settings import Settings

_AT_LINE = "at"


class Interrupted(Exception):
    """The attempt is over because its instances were interrupted; another one follows."""


class WaitedTooLong(Exception):
    """MaxWaitTimeInSeconds is over while the job waits for instances."""


def savings_percent(request: Mapping[str, Any], settings: Settings) -> float:
    """What the instances of the job cost less."""
    return settings.spot_savings_percent if request.get("EnableManagedSpotTraining") else 0.0


def order_due(spot: SpotPlan, tags: Mapping[str, str], run: RunFacts, now: float, saw_line: bool) -> str:
    """The order that interrupts the containers of this run now; '' for none."""
    given = tags.get(NOW_TAG, "")
    if given and f"now {given}" not in run.earlier.obeyed:
        return f"now {given}"
    if saw_line and _AT_LINE not in run.earlier.obeyed:
        return _AT_LINE
    due = _due_at(spot, run)
    return f"after {_by_time(run)}" if now >= due else ""


def next_look(spot: SpotPlan | None, run: RunFacts) -> float:
    """When an order may become due by itself; infinite for never."""
    return math.inf if spot is None or run.interrupted_by else _due_at(spot, run)


def following(run: RunFacts, now: float, order: str = "") -> RunFacts:
    """The facts of the attempt after this one, which an order interrupted, or else an error of ours ended."""
    earlier, ended = run.earlier, run.ended_at or now
    return RunFacts(
        network=run.network,
        pool=run.pool,
        leftovers=True,
        earlier=EarlierAttempts(
            count=earlier.count + 1,
            retries=earlier.retries + (not order),
            obeyed=(*earlier.obeyed, order) if order else earlier.obeyed,
            ran_seconds=earlier.ran_seconds + _since(run.began_at, ended),
            held_seconds=held_seconds(run, ended),
            last_ended_at=now,
        ),
    )


def held_seconds(run: RunFacts, end: float) -> float:
    """For how long the job had its instances, in all attempts."""
    return run.earlier.held_seconds + _since(run.prepared_at, end)


def may_retry(request: Mapping[str, Any], run: RunFacts) -> bool:
    """Whether RetryStrategy allows for another attempt after an internal error."""
    most = (request.get("RetryStrategy") or {}).get("MaximumRetryAttempts") or 0
    return bool(run.earlier.retries < most)


def _due_at(spot: SpotPlan, run: RunFacts) -> float:
    number = _by_time(run)
    if run.began_at is None or number >= len(spot.interrupt_after):
        return math.inf
    return run.began_at + spot.interrupt_after[number]


def _by_time(run: RunFacts) -> int:
    return sum(one.startswith("after ") for one in run.earlier.obeyed)


def _since(start: float | None, end: float) -> float:
    return 0.0 if start is None else max(0.0, end - start)
