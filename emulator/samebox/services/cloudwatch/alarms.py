"""The operations on alarms. `evaluation` moves them from state to state."""

import json
from collections.abc import Mapping
from typing import Any

from samebox.errors import AwsError
from samebox.resources.shelf import Shelf
from samebox.resources.store import AlreadyThere, Changed, Resource
from samebox.services.cloudwatch import alarm_checks, alarm_record, pages, state_reason
from samebox.services.cloudwatch.alarm_record import AlarmFacts, HistoryItem, StateFacts
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

# CW:DescribeAlarms, CW:DescribeAlarmHistory
_PAGE = 50
_LARGEST_PAGE = 100
_Params = Mapping[str, Any]


def put_metric_alarm(services: Services, params: _Params, caller: Caller) -> None:
    """PutMetricAlarm: a new alarm, or the whole configuration of one that there is, whose state stays."""
    refuse("cloudwatch", "PutMetricAlarm", params)
    alarm_checks.check(params)
    shelf, name, now = _shelf(services), params["AlarmName"], services.clock()
    spec = {key: value for key, value in params.items() if key != "Tags"}
    spec.setdefault("ActionsEnabled", True)
    for member in alarm_record.ACTIONS.values():
        spec.setdefault(member, [])
    tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
    updated = state_reason.configuration_update("updated", name, spec, now)
    while True:
        there = shelf.find(alarm_record.scope(caller), name)
        try:
            if there is None:
                _add(shelf, caller, spec, tags, now)
            else:
                shelf.change(there, lambda row: {"spec": spec, **alarm_record.with_item(row, updated)})
        except (AlreadyThere, Changed):
            continue  # another request was faster
        return


def _add(shelf: Shelf, caller: Caller, spec: _Params, tags: Mapping[str, str], now: float) -> None:
    name = spec["AlarmName"]
    state = {
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": state_reason.CREATED,
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }
    created = AlarmFacts().with_item(state_reason.configuration_update("created", name, spec, now))
    shelf.add(
        alarm_record.scope(caller), name, alarm_record.arn(caller, name), spec,
        status="INSUFFICIENT_DATA", state=state, tags=tags, facts=created,
    )  # fmt: skip


def describe_alarms(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeAlarms, by name; composite alarms are none."""
    refuse("cloudwatch", "DescribeAlarms", params)
    if "AlarmNames" in params and "AlarmNamePrefix" in params:
        raise AwsError("ValidationError", "AlarmNamePrefix and AlarmNames are mutually exclusive.")
    rows = [row for row in _shelf(services).all(alarm_record.scope(caller)) if _fits(row, params)]
    page, more = pages.page(rows, params, params.get("MaxRecords", _PAGE))
    return {"MetricAlarms": [_shown(row) for row in page], "CompositeAlarms": [], **more}


def _fits(row: Resource, params: _Params) -> bool:
    if "MetricAlarm" not in (params.get("AlarmTypes") or ["MetricAlarm"]):
        return False
    actions = [action for member in alarm_record.ACTIONS.values() for action in row.spec[member]]
    return (
        (not params.get("AlarmNames") or row.name in params["AlarmNames"])
        and row.name.startswith(params.get("AlarmNamePrefix", ""))
        and params.get("StateValue", row.status) == row.status
        and ("ActionPrefix" not in params or any(one.startswith(params["ActionPrefix"]) for one in actions))
    )


def describe_alarms_for_metric(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeAlarmsForMetric: the alarms on one metric; those on expressions are none."""

    def fits(spec: _Params) -> bool:
        given = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")
        same = all(spec.get(member) == params[member] for member in given if member in params)
        return same and _dimensions(spec) == _dimensions(params)

    rows = _shelf(services).all(alarm_record.scope(caller))
    return {"MetricAlarms": [_shown(row) for row in rows if fits(row.spec)]}


def delete_alarms(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteAlarms: all of them or none."""
    for row in [_named(services, name, caller) for name in params["AlarmNames"]]:
        _shelf(services).remove(row)


def set_alarm_state(services: Services, params: _Params, caller: Caller) -> None:
    """SetAlarmState: until the next evaluation."""
    data = params.get("StateReasonData", "")
    if data:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            raise AwsError("InvalidFormat", "StateReasonData must be a valid JSON document.") from None
    row, now = _named(services, params["AlarmName"], caller), services.clock()

    def set_state(newest: Resource) -> dict[str, Any]:
        after = StateFacts(params["StateValue"], params["StateReason"], data, now)
        item = state_reason.state_update(alarm_record.state_facts(newest), after)
        return alarm_record.moved(newest, after.value, after.reason, data, now, item)

    _shelf(services).change(row, set_state)


def enable_alarm_actions(services: Services, params: _Params, caller: Caller) -> None:
    """EnableAlarmActions; names without an alarm are no error."""
    _set_actions(services, params, caller, enabled=True)


def disable_alarm_actions(services: Services, params: _Params, caller: Caller) -> None:
    """DisableAlarmActions; names without an alarm are no error."""
    _set_actions(services, params, caller, enabled=False)


def _set_actions(services: Services, params: _Params, caller: Caller, *, enabled: bool) -> None:
    for name in params["AlarmNames"]:
        row = _shelf(services).find(alarm_record.scope(caller), name)
        if row is not None:
            _shelf(services).change(row, lambda newest: {"spec": {**newest.spec, "ActionsEnabled": enabled}})


def describe_alarm_history(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeAlarmHistory, the newest first; the history of an alarm goes with it."""
    refuse("cloudwatch", "DescribeAlarmHistory", params)
    begin, end = params.get("StartDate", float("-inf")), params.get("EndDate", float("inf"))
    wanted = params.get("HistoryItemType")
    rows = [] if "MetricAlarm" not in (params.get("AlarmTypes") or ["MetricAlarm"]) else _shelf(services).all(
        alarm_record.scope(caller)
    )  # fmt: skip
    found = [
        (row.name, item)
        for row in rows
        if params.get("AlarmName", row.name) == row.name
        for item in alarm_record.facts_of(row).history
        if begin <= item.at <= end and wanted in (None, item.type)
    ]
    found.sort(key=lambda one: one[1].at, reverse=params.get("ScanBy") != "TimestampAscending")
    page, more = pages.page(found, params, params.get("MaxRecords", _LARGEST_PAGE))
    return {"AlarmHistoryItems": [_history(name, item) for name, item in page], **more}


def tag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """TagResource, of an alarm."""
    add = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
    _shelf(services).tag(_by_arn(services, params, caller), add)


def untag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """UntagResource, of an alarm."""
    _shelf(services).tag(_by_arn(services, params, caller), remove=tuple(params["TagKeys"]))


def list_tags_for_resource(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListTagsForResource, of an alarm."""
    tags = _by_arn(services, params, caller).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _shelf(services: Services) -> Shelf:
    return alarm_record.alarms(services.resources.store, services.clock)


def _named(services: Services, name: str, caller: Caller) -> Resource:
    found = _shelf(services).find(alarm_record.scope(caller), name)
    if found is None:
        raise AwsError("ResourceNotFound", f"Alarm {name} does not exist.")  # choice: the words are not known
    return found


def _by_arn(services: Services, params: _Params, caller: Caller) -> Resource:
    found = _shelf(services).by_arn(params["ResourceARN"])
    if found is None or (found.account, found.region) != (caller.account, caller.region):
        raise AwsError("ResourceNotFoundException", f"{params['ResourceARN']} does not exist.")
    return found


def _dimensions(of: _Params) -> list[tuple[str, str]]:
    return sorted((one["Name"], one["Value"]) for one in of.get("Dimensions", ()))


def _shown(row: Resource) -> dict[str, Any]:
    return {
        **row.spec,
        **row.state,
        "AlarmArn": row.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm_record.configured_at(row),
    }


def _history(name: str, item: HistoryItem) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmType": "MetricAlarm",
        "Timestamp": item.at,
        "HistoryItemType": item.type,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }


OPERATIONS: dict[str, Operation] = {
    "PutMetricAlarm": put_metric_alarm,
    "DescribeAlarms": describe_alarms,
    "DescribeAlarmsForMetric": describe_alarms_for_metric,
    "DeleteAlarms": delete_alarms,
    "SetAlarmState": set_alarm_state,
    "EnableAlarmActions": enable_alarm_actions,
    "DisableAlarmActions": disable_alarm_actions,
    "DescribeAlarmHistory": describe_alarm_history,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
