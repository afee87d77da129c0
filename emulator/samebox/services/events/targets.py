"""The operations on the targets of rules."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.store import Resource
from samebox.services.context import Operation, Services
from samebox.services.events import records, requests, transform
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

# EB:PutTargets: five targets of a rule.
_MOST = 5
_Params = Mapping[str, Any]


def put_targets(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutTargets: adds targets to a rule, in place of those that have the same ids."""
    refuse("events", "PutTargets", params)
    row = requests.rule(services, params, caller, "Rule")
    given = {target["Id"]: target for target in params["Targets"]}
    for target in given.values():
        _check(target)

    def added(now: Resource) -> dict[str, Any]:
        kept = {target["Id"]: target for target in now.state["Targets"]} | given
        if len(kept) > _MOST:
            raise ValidationException(f"The requested resource exceeds the maximum number allowed: {_MOST} targets.")
        return {"state": {**now.state, "Targets": list(kept.values())}}

    requests.rules(services).change(row, added)
    return {"FailedEntryCount": 0, "FailedEntries": []}


def _check(target: _Params) -> None:
    # Choice: EventBridge's words for these are not known.
    given = [member for member in ("Input", "InputPath", "InputTransformer") if member in target]
    if len(given) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
        )
    if not target["Arn"].startswith("arn:") or target["Arn"].count(":") < 5:
        raise ValidationException(f"Provided Arn is not in correct format: {target['Arn']}.")
    paths = target.get("InputTransformer", {}).get("InputPathsMap", {}).values()
    for path in (*paths, *([target["InputPath"]] if "InputPath" in target else [])):
        try:
            transform.check_path(path)
        except transform.InvalidPath:
            raise ValidationException(f"Invalid InputPath for target {target['Id']} : {path}.") from None


def remove_targets(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """RemoveTargets; ids that are not there are no error."""
    row, ids = requests.rule(services, params, caller, "Rule"), set(params["Ids"])

    def removed(now: Resource) -> dict[str, Any]:
        return {"state": {**now.state, "Targets": [one for one in now.state["Targets"] if one["Id"] not in ids]}}

    requests.rules(services).change(row, removed)
    return {"FailedEntryCount": 0, "FailedEntries": []}


def list_targets_by_rule(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListTargetsByRule."""
    row = requests.rule(services, params, caller, "Rule")
    page, more = requests.page(row.state["Targets"], params)
    return {"Targets": page, **more}


def list_rule_names_by_target(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListRuleNamesByTarget, of one bus, by name."""
    bus = requests.bus(services, params, caller)
    rows = records.of_bus(services.resources.store, services.clock, records.scope(caller), bus)
    wanted = params["TargetArn"]
    names = [records.bus_and_name(row)[1] for row in rows if any(one["Arn"] == wanted for one in row.state["Targets"])]
    page, more = requests.page(names, params)
    return {"RuleNames": page, **more}


OPERATIONS: dict[str, Operation] = {
    "PutTargets": put_targets,
    "RemoveTargets": remove_targets,
    "ListTargetsByRule": list_targets_by_rule,
    "ListRuleNamesByTarget": list_rule_names_by_target,
}
