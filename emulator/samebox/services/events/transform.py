"""What a target is sent of an event: all of it, a part, a constant, or a text with parts of it. Pure.

EventBridge User Guide, "Amazon EventBridge input transformation".
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\['([^']+)'\]")
_PATH = re.compile(rf"\$(?:{_STEP.pattern})*")
_PLACE = re.compile(r'(?P<quoted>"<[\w.-]+>")|<(?P<name>[\w.-]+)>')


class InvalidPath(Exception):
    """It is not a path into an event."""


def check_path(path: str) -> None:
    """Raises InvalidPath where it is not `$`, followed by names and places in lists."""
    if not _PATH.fullmatch(path):
        raise InvalidPath(path)


def at(event: Any, path: str) -> Any:
    """What an event has at a path; None where it has nothing there."""
    found = event
    for step in _STEP.finditer(path):
        name, place = step[1] or step[3], step[2]
        if name is not None:
            found = found.get(name) if isinstance(found, dict) else None
        else:
            found = found[int(place)] if isinstance(found, list) and int(place) < len(found) else None
    return found


def payload(event: Mapping[str, Any], target: Mapping[str, Any], rule_arn: str, rule_name: str) -> str:
    """The text that a target is sent of an event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return _json(at(event, target["InputPath"]))
    if "InputTransformer" not in target:
        return _json(event)
    transformer = target["InputTransformer"]
    values = {name: at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    template = transformer["InputTemplate"]
    return _PLACE.sub(lambda found: _filled(found, template, values), template)


def _filled(found: re.Match[str], template: str, values: Mapping[str, Any]) -> str:
    if quoted := found["quoted"]:
        value = values.get(quoted[2:-2])
        # In quotes, what is not a text is written as it is, and not as a text.
        return json.dumps(value) if isinstance(value, str) else f'"{_json(value)}"' if value is not None else '""'
    value = values.get(found["name"])
    if value is None:
        return ""
    if not isinstance(value, str):
        return _json(value)
    # Inside of a text the value is a part of it, elsewhere a JSON value of its own.
    inside = template[: found.start()].replace('\\"', "").count('"') % 2 == 1
    is_json = template.lstrip()[:1] in ("{", "[")
    return json.dumps(value)[1:-1] if inside else json.dumps(value) if is_json else value


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
