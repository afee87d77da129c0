"""The actions of an alarm that entered a state: a message to a topic, or a call of a function, in AWS's JSON.

CloudWatch User Guide, "Alarm actions" and "Invoke a Lambda function from an alarm". No guide has the message to a
topic, which is as in public logs of 2019-25.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from samebox.resources.store import Changed, Resource, Store
from samebox.services.cloudwatch import alarm_record
from samebox.services.cloudwatch.alarm_record import HistoryItem
from samebox.services.cloudwatch.state_reason import date
from samebox.services.events.delivery import Deliver, DeliveryFailed, arn_parts
from samebox.wire.partitions import description_of

log = logging.getLogger(__name__)

_LONGEST_SUBJECT = 100  # of a message to a topic


@dataclass(frozen=True)
class ActionMessage:
    """What the target of an action is sent; a function gets no subject."""

    body: str
    subject: str = ""


class AlarmActions:
    """Carries actions out, and keeps in the history of the alarm what became of each."""

    def __init__(self, store: Store, deliver: Deliver, clock: Callable[[], float]) -> None:
        self._shelf = alarm_record.alarms(store, clock)
        self._deliver = deliver
        self._clock = clock

    def carry_out(self, alarm: Resource, detail: Mapping[str, Any]) -> None:
        """Those of the state that `alarm` is in; `detail` is that of its event."""
        if not alarm.spec["ActionsEnabled"]:
            return
        for arn in alarm.spec[alarm_record.ACTIONS[alarm.status]]:
            error = ""
            try:
                sent = message(alarm, arn, detail)
                self._deliver(arn, sent.body, sent.subject)
            except DeliveryFailed as failure:
                error = str(failure)
                log.warning("alarm %s: action %s failed: %s", alarm.name, arn, error)
            item = _item(alarm, arn, error, self._clock())
            try:
                self._shelf.change(alarm, partial(alarm_record.with_item, item=item))
            except Changed:  # it was deleted meanwhile
                log.info("alarm %s is gone: %s", alarm.name, item.summary)


def message(alarm: Resource, arn: str, detail: Mapping[str, Any]) -> ActionMessage:
    """What the target `arn` of an action is sent. Raises DeliveryFailed for one that samebox does not carry out."""
    service = arn_parts(arn)[2]
    if service == "sns":
        return ActionMessage(_to_topic(alarm), _subject(alarm))
    if service == "lambda":
        return ActionMessage(_to_function(alarm, detail))
    raise DeliveryFailed(f"samebox carries out actions on topics and functions, and none of {service or arn}")


def _to_topic(alarm: Resource) -> str:
    state, previous = alarm_record.state_facts(alarm), alarm_record.facts_of(alarm).previous
    document = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.spec.get("AlarmDescription"),
        "AWSAccountId": alarm.account,
        "AlarmConfigurationUpdatedTimestamp": date(alarm_record.configured_at(alarm)),
        "NewStateValue": state.value,
        "NewStateReason": state.reason,
        "StateChangeTime": date(state.at),
        "Region": description_of(alarm.region),
        "AlarmArn": alarm.arn,
        "OldStateValue": "INSUFFICIENT_DATA" if previous is None else previous.value,
        **{member: alarm.spec[member] for member in alarm_record.ACTIONS.values()},
        "Trigger": _trigger(alarm.spec),
    }
    return json.dumps(document, separators=(",", ":"))


def _trigger(spec: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "Metrics" not in spec:
        found = {"MetricName": spec["MetricName"], "Namespace": spec["Namespace"], **_statistic(spec)}
        found |= {"Unit": spec.get("Unit"), "Dimensions": _dimensions(spec.get("Dimensions", ()))}
    found |= {"Period": _period(spec), "EvaluationPeriods": spec["EvaluationPeriods"]}
    if "DatapointsToAlarm" in spec:
        found["DatapointsToAlarm"] = spec["DatapointsToAlarm"]
    found |= {
        "ComparisonOperator": spec["ComparisonOperator"],
        "Threshold": float(spec["Threshold"]),
        "TreatMissingData": spec.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": spec.get("EvaluateLowSampleCountPercentile", ""),
    }
    return {**found, "Metrics": [_query(one) for one in spec["Metrics"]]} if "Metrics" in spec else found


def _statistic(spec: Mapping[str, Any]) -> dict[str, str]:
    if "Statistic" in spec:
        # AVERAGE and SAMPLE_COUNT, where requests have Average and SampleCount.
        written = "".join(f"_{letter}" if letter.isupper() else letter for letter in spec["Statistic"])
        return {"StatisticType": "Statistic", "Statistic": written.lstrip("_").upper()}
    return {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": spec["ExtendedStatistic"]}


def _period(spec: Mapping[str, Any]) -> int:
    if "Period" in spec:
        return int(spec["Period"])
    return max((one["MetricStat"]["Period"] for one in spec["Metrics"] if "MetricStat" in one), default=0)


def _dimensions(given: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{"value": one["Value"], "name": one["Name"]} for one in given]


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    found = {"ReturnData": True, **query}
    if "MetricStat" in query:
        metric = query["MetricStat"]["Metric"]
        named = {**metric, "Dimensions": _dimensions(metric.get("Dimensions", ()))}
        found["MetricStat"] = {**query["MetricStat"], "Metric": named}
    return found


def _subject(alarm: Resource) -> str:
    # A subject is of ASCII, and of bounded length.
    end = f'" in {description_of(alarm.region)}'
    begin = f'{alarm.status}: "{alarm.name}'.encode("ascii", "replace").decode()
    return begin[: _LONGEST_SUBJECT - len(end)] + end


def _to_function(alarm: Resource, detail: Mapping[str, Any]) -> str:
    document = {
        "source": "aws.cloudwatch",
        "alarmArn": alarm.arn,
        "accountId": alarm.account,
        "time": date(alarm_record.state_facts(alarm).at),
        "region": alarm.region,
        "alarmData": dict(detail),
    }
    return json.dumps(document, separators=(",", ":"))


def _item(alarm: Resource, arn: str, error: str, at: float) -> HistoryItem:
    document = {
        "actionState": "Failed" if error else "Succeeded",
        "stateUpdateTimestamp": round(alarm_record.state_facts(alarm).at * 1000),
        "notificationResource": arn,
        **({"error": error} if error else {}),
    }
    summary = f"Successfully executed action {arn}"
    if error:
        summary = f'Failed to execute action {arn}. Received error: "{error}"'
    return HistoryItem(at, "Action", summary, json.dumps(document, separators=(",", ":")))
