"""Lifecycle policies of repositories, as ECR takes them (ECR user guide, "Lifecycle policy parameters").

No image expires here. A policy is looked at so that one which ECR refuses is refused here, in ECR's words where public
logs show them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_TAGGED = ("tagPrefixList", "tagPatternList")
_SINCE = ("sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_ENUMS: Mapping[str, Sequence[str]] = {
    "tagStatus": ("tagged", "untagged", "any"),
    "countType": ("imageCountMoreThan", *_SINCE),
    "countUnit": ("days",),
    "type": ("expire", "transition"),
    "storageClass": ("archive", "standard"),
    "targetStorageClass": ("archive",),
}


class _Refused(Exception):
    """The message is the reason."""


def problem(text: str) -> str:
    """Why ECR would not take the policy, in a sentence; empty where it would."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return "Could not map policyString into LifecyclePolicy."
    try:
        _check(document)
    except _Refused as refused:
        return str(refused)
    return ""


def _check(document: Mapping[str, Any]) -> None:
    _members(document, ("rules",), ())
    rules = document["rules"]
    if not isinstance(rules, list) or not rules:
        raise _Refused("instance failed to match at least one required schema: rules must be an array of rules")
    for rule in rules:
        _check_rule(rule)
    priorities = [rule["rulePriority"] for rule in rules]
    if len(set(priorities)) < len(priorities):
        raise _Refused("Rule priorities must be unique.")
    untagged = [_storage_class(rule) for rule in rules if rule["selection"]["tagStatus"] == "untagged"]
    if len(set(untagged)) < len(untagged):
        raise _Refused("Only one rule can select Untagged images per storage class.")  # observed 2026
    of_any = [rule["rulePriority"] for rule in rules if rule["selection"]["tagStatus"] == "any"]
    if of_any and max(priorities) not in of_any:
        raise _Refused("A rule of tagStatus 'any' must have the highest value for rulePriority.")


def _check_rule(rule: Any) -> None:
    _members(rule, ("rulePriority", "selection", "action"), ("description",))
    _whole_number("rulePriority", rule["rulePriority"])
    selection, action = rule["selection"], rule["action"]
    _members(selection, ("tagStatus", "countType", "countNumber"), (*_TAGGED, "countUnit", "storageClass"))
    _members(action, ("type",), ("targetStorageClass",))
    for member, value in (*selection.items(), *action.items()):
        if member in _ENUMS and value not in _ENUMS[member]:
            choices = json.dumps(list(_ENUMS[member]))
            raise _Refused(f"instance value ({json.dumps(value)}) not found in enum (possible values: {choices})")
    _whole_number("countNumber", selection["countNumber"])
    if (selection["countType"] in _SINCE) != ("countUnit" in selection):
        raise _Refused("countUnit is required with the count types that count days, and allowed with no other.")
    lists = [selection[member] for member in _TAGGED if member in selection]
    if (selection["tagStatus"] == "tagged") != bool(lists):
        raise _Refused(
            "tagPrefixList or tagPatternList is required with tagStatus 'tagged', and allowed with no other."
        )
    if not all(isinstance(tags, list) and tags and all(isinstance(tag, str) for tag in tags) for tags in lists):
        raise _Refused("tagPrefixList and tagPatternList are lists of tags.")


def _members(value: Any, required: Sequence[str], optional: Sequence[str]) -> None:
    if not isinstance(value, dict):
        kind = {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")
        raise _Refused(f'instance type ({kind}) does not match any allowed primitive type (allowed: ["object"])')
    missing = sorted(set(required) - set(value))
    if missing:
        raise _Refused(f"object has missing required properties ({json.dumps(missing, separators=(',', ':'))})")
    unknown = sorted(set(value) - {*required, *optional})
    if unknown:
        listed = json.dumps(unknown, separators=(",", ":"))
        raise _Refused(f"object instance has properties which are not allowed by the schema: {listed}")


def _whole_number(member: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Refused(f"{member} is a whole number.")
    if value < 1:
        raise _Refused(f"numeric instance is lower than the required minimum (minimum: 1, found: {value})")


def _storage_class(rule: Mapping[str, Any]) -> str:
    return str(rule["selection"].get("storageClass", "standard"))
