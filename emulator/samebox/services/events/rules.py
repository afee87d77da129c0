"""The operations on rules: patterns and schedules."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import AwsError, ValidationException
from samebox.resources.derived import tags_of
from samebox.resources.store import AlreadyThere, Changed, Resource
from samebox.services.context import Operation, Services
from samebox.services.events import pattern, records, requests, schedule
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

_Params = Mapping[str, Any]


def put_rule(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutRule: a new rule, or all of one that there is but its targets and tags."""
    refuse("events", "PutRule", params)
    bus, name = requests.bus(services, params, caller), params["Name"]
    if not params.get("EventPattern") and not params.get("ScheduleExpression"):
        raise ValidationException("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if params.get("EventPattern"):
        check_pattern(params["EventPattern"])
    if params.get("ScheduleExpression"):
        if bus != records.DEFAULT:
            raise ValidationException("ScheduleExpression is supported only on the default event bus.")
        try:
            schedule.parse(params["ScheduleExpression"])
        except schedule.InvalidSchedule:
            raise ValidationException("Parameter ScheduleExpression is not valid.") from None
    spec = {
        "State": "ENABLED",
        **{key: value for key, value in params.items() if key not in ("Tags", "EventBusName") and value != ""},
    }
    shelf, arn = requests.rules(services), records.rule_arn(caller, bus, name)
    while True:
        there = shelf.find(records.scope(caller), records.key(bus, name))
        try:
            if there is None:
                state: dict[str, Any] = {"Targets": []}
                shelf.add(
                    records.scope(caller), records.key(bus, name), arn, spec,
                    status=spec["State"], state=state, tags=tags_of(params),
                )  # fmt: skip
            else:
                shelf.change(there, lambda _: {"spec": spec, "status": spec["State"]})
        except (AlreadyThere, Changed):
            continue  # another request was faster
        return {"RuleArn": arn}


def check_pattern(text: str) -> Mapping[str, Any]:
    """The pattern of a request. AwsError where it is not one."""
    try:
        return pattern.parse(text)
    except pattern.InvalidPattern as error:
        raise AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}") from None


def describe_rule(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeRule."""
    row = requests.rule(services, params, caller)
    return {**_shown(row), "CreatedBy": row.account}


def list_rules(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListRules, of one bus, by name."""
    bus = requests.bus(services, params, caller)
    store = services.resources.store
    found = records.of_bus(store, services.clock, records.scope(caller), bus, params.get("NamePrefix", ""))
    page, more = requests.page(found, params)
    return {"Rules": [_shown(row) for row in page], **more}


def enable_rule(services: Services, params: _Params, caller: Caller) -> None:
    """EnableRule."""
    _set_state(services, requests.rule(services, params, caller), "ENABLED")


def disable_rule(services: Services, params: _Params, caller: Caller) -> None:
    """DisableRule."""
    _set_state(services, requests.rule(services, params, caller), "DISABLED")


def _set_state(services: Services, row: Resource, state: str) -> None:
    requests.rules(services).change(row, lambda now: {"spec": {**now.spec, "State": state}, "status": state})


def delete_rule(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteRule; one that is not there is no error, one that has targets is."""
    of = requests.bus(services, params, caller)
    row = requests.rules(services).find(records.scope(caller), records.key(of, params["Name"]))
    if row is None:
        return
    if row.state["Targets"]:
        raise ValidationException("Rule can't be deleted since it has targets.")
    requests.rules(services).remove(row)


def try_event_pattern(_: Services, params: _Params, __: Caller) -> dict[str, Any]:
    """TestEventPattern: the event must have what every event has."""
    wanted = check_pattern(params["EventPattern"])
    try:
        event = pattern.read_event(params["Event"])
    except pattern.InvalidPattern as error:
        # Observed in public logs of 2020-24.
        raise ValidationException(f"Parameter Event is not valid. Reason: {error}") from None
    return {"Result": pattern.matches(wanted, event)}


def _shown(row: Resource) -> dict[str, Any]:
    bus, name = records.bus_and_name(row)
    return {**row.spec, "Name": name, "Arn": row.arn, "EventBusName": bus}


OPERATIONS: dict[str, Operation] = {
    "PutRule": put_rule,
    "DescribeRule": describe_rule,
    "ListRules": list_rules,
    "EnableRule": enable_rule,
    "DisableRule": disable_rule,
    "DeleteRule": delete_rule,
    "TestEventPattern": try_event_pattern,
}
