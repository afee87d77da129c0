"""Whether an alarm's threshold is crossed: the newest data points, and what the missing ones are taken for.

CloudWatch User Guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data"; its tables are
the tests.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

# CloudWatch looks at more periods than an alarm evaluates; of three, the guide's tables have five.
MORE_PERIODS = 2
# `PutMetricAlarm.TreatMissingData`
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")


@dataclass(frozen=True)
class ThresholdComparison:
    """An operator of alarms: what it compares, and its words in a StateReason."""

    breaches: Callable[[float, float], bool]
    words: str


COMPARISONS: Mapping[str, ThresholdComparison] = {
    "GreaterThanOrEqualToThreshold": ThresholdComparison(operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": ThresholdComparison(operator.gt, "greater than"),
    "LessThanThreshold": ThresholdComparison(operator.lt, "less than"),
    "LessThanOrEqualToThreshold": ThresholdComparison(operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class AlarmRule:
    """When an alarm is in ALARM: `to_alarm` of the last `periods` data points breach the threshold."""

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    treat_missing: str = "missing"

    def breaches(self, value: float) -> bool:
        """Whether a data point is on the wrong side."""
        return COMPARISONS[self.comparison].breaches(value, self.threshold)


@dataclass(frozen=True)
class Judgement:
    """The state that follows, the values that were evaluated (the newest first), and how many were filled in.

    `places` are their positions in what was given.
    """

    state: AlarmState
    places: tuple[int, ...]
    filled: int


def judge(points: Sequence[float | None], rule: AlarmRule, current: AlarmState) -> Judgement:
    """The state of an alarm by its data points, the oldest first, None where one is missing."""
    there = [place for place, value in enumerate(points) if value is not None][::-1][: rule.periods]
    values = [value for place in there if (value := points[place]) is not None]
    breaching = sum(rule.breaches(value) for value in values)
    filled = rule.periods - len(values)
    return Judgement(_state(points, rule, current, values, breaching, filled, there), tuple(there), filled)


def _state(
    points: Sequence[float | None],
    rule: AlarmRule,
    current: AlarmState,
    values: Sequence[float],
    breaching: int,
    filled: int,
    there: Sequence[int],
) -> AlarmState:
    if filled and rule.treat_missing == "breaching":
        breaching += filled
    elif filled and rule.treat_missing != "notBreaching" and breaching == len(values) < rule.to_alarm:
        # Nothing speaks for OK, and not enough for ALARM.
        if rule.treat_missing == "ignore":
            return current
        # An alarm is not held up by missing points: the breaching one is as old as those that it takes.
        is_old = bool(there) and len(points) - there[-1] >= rule.to_alarm
        return "ALARM" if is_old else "INSUFFICIENT_DATA"
    return "ALARM" if breaching >= rule.to_alarm else "OK"
