"""Why an alarm is in its state, in AWS's forms: StateReason, StateReasonData, and the items of its history."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from samebox.services.cloudwatch.alarm_record import CONFIGURED, HistoryItem, StateFacts
from samebox.services.cloudwatch.judgement import COMPARISONS, AlarmRule, Judgement

CREATED = "Unchecked: Initial alarm creation"
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching", "ignore": "Ignored", "missing": "Missing"}


@dataclass(frozen=True)
class Evaluated:
    """A data point that was looked at: start of its period in epoch seconds, its value, and of how many samples."""

    at: int
    value: float
    samples: float | None = None


def sentence(found: Judgement, rule: AlarmRule, points: Sequence[Evaluated], before: str) -> str:
    """The StateReason after an evaluation of `points`, the newest first."""
    if found.state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_count(rule.periods - len(points), 'datapoint')} unknown."
    # What counts for ALARM are the points that breach, for OK the others.
    counted = [one for one in points if rule.breaches(one.value) == (found.state == "ALARM")]
    least = rule.to_alarm if found.state == "ALARM" else rule.periods - rule.to_alarm + 1
    treated = f"{_count(found.filled, 'missing datapoint')} treated as [{_TREATED[rule.treat_missing]}]"
    if not points:
        periods = f"{rule.periods} period{'s' if rule.periods > 1 else ''}"
        return f"Threshold Crossed: no datapoints were received for {periods} and {treated}."
    negated = "" if found.state == "ALARM" else "not "
    shown = ", ".join(f"{one.value} ({_day(one.at)})" for one in counted)
    verb = "was" if len(counted) == 1 else "were"
    crossed = (
        f"Threshold Crossed: {len(counted)} out of the last {rule.periods} datapoints [{shown}] {verb} {negated}"
        f"{COMPARISONS[rule.comparison].words} the threshold ({float(rule.threshold)})"
    )
    if found.filled and rule.treat_missing in ("breaching", "notBreaching"):
        crossed += f" and {treated}"
    return f"{crossed} (minimum {least} datapoint{'s' if least > 1 else ''} for {before} -> {found.state} transition)."


def data(rule: AlarmRule, points: Sequence[Evaluated], asked: float, metric: Mapping[str, Any], period: int) -> str:
    """The StateReasonData of an evaluation at `asked`, epoch seconds; `metric` is that of an alarm on one."""
    document: dict[str, Any] = {"version": "1.0", "queryDate": date(asked)}
    if points:
        document["startDate"] = date(points[-1].at)
    if metric:
        document["statistic"] = metric.get("Statistic") or metric.get("ExtendedStatistic")
        if "Unit" in metric:
            document["unit"] = metric["Unit"]
    document |= {
        "period": period,
        "recentDatapoints": [one.value for one in reversed(points)],
        "threshold": float(rule.threshold),
    }
    if points:
        document["evaluatedDatapoints"] = [
            {
                "timestamp": date(one.at),
                **({} if one.samples is None else {"sampleCount": one.samples}),
                "value": one.value,
            }
            for one in points
        ]
    return json.dumps(document, separators=(",", ":"))


def state_update(before: StateFacts, now: StateFacts) -> HistoryItem:
    """The item of history of a change of state."""
    document = {"version": "1.0", "oldState": _state(before), "newState": _state(now)}
    summary = f"Alarm updated from {before.value} to {now.value}"
    return HistoryItem(now.at, "StateUpdate", summary, json.dumps(document, separators=(",", ":")))


def configuration_update(verb: str, name: str, shown: Mapping[str, Any], at: float) -> HistoryItem:
    """The item of history of an alarm that was created or updated; `verb` is what was done."""
    kind = {"created": ("Create", "createdAlarm"), "updated": ("Update", "updatedAlarm")}[verb]
    alarm = {f"{key[:1].lower()}{key[1:]}": value for key, value in shown.items()}
    document = {"version": "1.0", "type": kind[0], kind[1]: alarm}
    text = json.dumps(document, separators=(",", ":"))
    return HistoryItem(at, CONFIGURED, f'Alarm "{name}" {verb}', text)


def date(at: float) -> str:
    """A time as alarms write it: 2019-10-02T17:04:40.985+0000."""
    return datetime.fromtimestamp(round(at, 3), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def _state(of: StateFacts) -> dict[str, Any]:
    found: dict[str, Any] = {"stateValue": of.value, "stateReason": of.reason}
    try:
        document = json.loads(of.data) if of.data else None
    except ValueError:
        document = None
    return found if document is None else {**found, "stateReasonData": document}


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun} was" if number == 1 else f"{number} {noun}s were"
