"""An alarm as it is stored: what it watches, the state that it is in, the one before, and its history."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from samebox.resources.facts import from_json, to_json
from samebox.resources.query import Scope
from samebox.resources.shelf import Shelf
from samebox.resources.store import Resource, Store
from samebox.services.cloudwatch.judgement import AlarmRule, AlarmState
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

NOUN = "MetricAlarm"
ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
# Of an alarm; CloudWatch keeps two weeks of it.
_LONGEST_HISTORY = 100
CONFIGURED = "ConfigurationUpdate"  # the type of an item


@dataclass(frozen=True)
class HistoryItem:
    """An item of DescribeAlarmHistory; `at` is epoch seconds, `data` JSON."""

    at: float
    type: str
    summary: str
    data: str


@dataclass(frozen=True)
class StateFacts:
    """A state that an alarm was in."""

    value: str
    reason: str
    data: str
    at: float


@dataclass(frozen=True)
class AlarmFacts:
    """What an alarm's row holds beside AWS's members: the state before this one, and the history, the oldest first."""

    previous: StateFacts | None = None
    history: tuple[HistoryItem, ...] = field(default=())

    def with_item(self, item: HistoryItem, previous: StateFacts | None = None) -> "AlarmFacts":
        """The facts after an item of history."""
        items = (*self.history, item)
        # The last change of the configuration stays: its time is a member of the alarm.
        configured = [one for one in items[:-_LONGEST_HISTORY] if one.type == CONFIGURED][-1:]
        return AlarmFacts(previous or self.previous, (*configured, *items[-_LONGEST_HISTORY:]))


def alarms(store: Store, clock: Callable[[], float]) -> Shelf:
    """The alarms of an emulator."""
    return Shelf(store, NOUN, clock)


def scope(caller: Caller) -> Scope:
    """Whose alarms a caller sees."""
    return Scope(caller.account, caller.region)


def arn(caller: Caller, name: str) -> str:
    """The ARN of an alarm."""
    return f"arn:{partition_of(caller.region).name}:cloudwatch:{caller.region}:{caller.account}:alarm:{name}"


def facts_of(row: Resource) -> AlarmFacts:
    """The facts of an alarm's row."""
    return from_json(AlarmFacts, row.facts)


def state_of(row: Resource) -> AlarmState:
    """The state that an alarm is in."""
    return cast("AlarmState", row.status)


def state_facts(row: Resource) -> StateFacts:
    """The state that an alarm is in, with its reason."""
    state = row.state
    return StateFacts(
        row.status, state["StateReason"], state.get("StateReasonData", ""), state["StateUpdatedTimestamp"]
    )


def rule_of(row: Resource) -> AlarmRule:
    """When an alarm is in ALARM."""
    spec = row.spec
    return AlarmRule(
        spec["ComparisonOperator"],
        spec["Threshold"],
        spec["EvaluationPeriods"],
        spec.get("DatapointsToAlarm", spec["EvaluationPeriods"]),
        spec.get("TreatMissingData", "missing"),
    )


def queries_of(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an alarm watches, as MetricDataQueries; of an alarm on one metric, that metric."""
    if "Metrics" in spec:
        return list(spec["Metrics"])
    metric = {name: spec[name] for name in ("Namespace", "MetricName", "Dimensions") if name in spec}
    statistic = spec.get("Statistic") or spec["ExtendedStatistic"]
    unit = {"Unit": spec["Unit"]} if "Unit" in spec else {}
    return [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": spec["Period"], "Stat": statistic, **unit}}]


def moved(row: Resource, value: str, reason: str, data: str, at: float, item: HistoryItem) -> dict[str, Any]:
    """The columns of an alarm that enters a state, or stays in it for another reason."""
    state = {"StateValue": value, "StateReason": reason, "StateUpdatedTimestamp": at}
    if data:
        state["StateReasonData"] = data
    state["StateTransitionedTimestamp"] = at if value != row.status else row.state["StateTransitionedTimestamp"]
    return {"state": state, "status": value, "facts": to_json(facts_of(row).with_item(item, state_facts(row)))}


def with_item(row: Resource, item: HistoryItem) -> dict[str, Any]:
    """The columns of an alarm with one item of history more."""
    return {"facts": to_json(facts_of(row).with_item(item))}


def configured_at(row: Resource) -> float:
    """When an alarm was created or configured last."""
    return max((one.at for one in facts_of(row).history if one.type == CONFIGURED), default=row.created)
