"""Event patterns: which events a rule is for. Pure: an event is JSON as Python has it.

EventBridge User Guide, "Creating event patterns" and "Comparison operators for use in event patterns".
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Objects within each other; EventBridge's own limit is not known.
_DEEPEST = 100
_RANGES: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_MISSING = object()


class InvalidPattern(Exception):
    """It is not a pattern; the message says why."""


def parse(text: str) -> Mapping[str, Any]:
    """A pattern from its JSON. Raises InvalidPattern."""
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidPattern("Event pattern is not a valid JSON document") from None
    if not isinstance(pattern, dict):
        raise InvalidPattern("Filter is not an object")
    if not pattern:
        raise InvalidPattern("Empty objects are not allowed")
    _check(pattern, 0)
    return pattern


def read_event(text: str) -> Mapping[str, Any]:
    """An event from its JSON, with what every event has. Raises InvalidPattern."""
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise InvalidPattern("Event is not a valid JSON document")
    missing = [member for member in ("id", "account", "source", "time", "region", "detail-type") if member not in event]
    if missing:
        raise InvalidPattern(f"{missing[0]} is a required field of an event")
    return event


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether the event has all that the pattern asks for. The pattern must be one that `parse` gave."""
    for key, wanted in pattern.items():
        if key == "$or" and _is_or(wanted):
            if not any(matches(one, event) for one in wanted):
                return False
            continue
        found = event.get(key, _MISSING) if isinstance(event, dict) else _MISSING
        if isinstance(wanted, dict):
            # Of a list of objects, one has to have all of it.
            several = found if isinstance(found, list) else [found]
            if not any(matches(wanted, None if one is _MISSING else one) for one in several):
                return False
        elif not _one_of(wanted, found):
            return False
    return True


def _one_of(wanted: Sequence[Any], found: Any) -> bool:
    if found is _MISSING or isinstance(found, dict):
        return any(_is_absence(one) for one in wanted)
    values = found if isinstance(found, list) else [found]
    return any(_fits(one, value) for one in wanted for value in values) or any(
        isinstance(one, dict) and one.get("exists") is True for one in wanted
    )


def _is_absence(wanted: Any) -> bool:
    return isinstance(wanted, dict) and wanted.get("exists") is False


def _fits(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return _same(wanted, value)
    ((kind, operand),) = wanted.items()
    return kind != "exists" and _OPERATORS[kind](operand, value)


def _same(wanted: Any, value: Any) -> bool:
    # Numbers are compared as they are written: 300 and 300.0 are not the same.
    return type(wanted) is type(value) and bool(wanted == value)


def _prefix(operand: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(operand, dict):
        return value.lower().startswith(operand["equals-ignore-case"].lower())
    return value.startswith(operand)


def _suffix(operand: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(operand, dict):
        return value.lower().endswith(operand["equals-ignore-case"].lower())
    return value.endswith(operand)


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        ((kind, inner),) = operand.items()
        several = inner if isinstance(inner, list) else [inner]
        return not any(_OPERATORS[kind](one, value) for one in several)
    several = operand if isinstance(operand, list) else [operand]
    return not any(_same(one, value) for one in several)


def _numeric(operand: Sequence[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(
        _RANGES[sign](value, number) for sign, number in zip(operand[::2], operand[1::2], strict=True)
    )  # fmt: skip


def _ignoring_case(operand: str, value: Any) -> bool:
    return isinstance(value, str) and value.lower() == operand.lower()


def _wildcard(operand: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    # Pieces of text between the stars, each looked for behind the one before: as long as the text, whatever the stars.
    first, *rest = _pieces(operand)
    if not rest:
        return value == first
    *middle, last = rest
    end = len(value) - len(last)
    if not value.startswith(first) or not value.endswith(last):
        return False
    place = len(first)
    for piece in middle:
        found = value.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return place <= end


def _pieces(operand: str) -> list[str]:
    pieces = [""]
    for one in re.findall(r"\\[\\*]|[^\\*]+|\*|\\", operand):
        if one == "*":
            pieces.append("")
        else:
            pieces[-1] += one[1:] if len(one) == 2 and one[0] == "\\" else one
    return pieces


def _cidr(operand: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "cidr": _cidr,
}


def _is_or(wanted: Any) -> bool:
    return isinstance(wanted, list) and len(wanted) > 1 and all(isinstance(one, dict) for one in wanted)


def _check(pattern: Mapping[str, Any], depth: int) -> None:
    if depth > _DEEPEST:
        raise InvalidPattern("Event pattern is nested too deeply")
    for key, wanted in pattern.items():
        if key == "$or":
            if not _is_or(wanted) or not all(wanted):
                raise InvalidPattern("There must have at least 2 Objects in $or relationship")
            for one in wanted:
                _check(one, depth + 1)
        elif isinstance(wanted, dict):
            if not wanted:
                raise InvalidPattern("Empty objects are not allowed")
            _check(wanted, depth + 1)
        elif not isinstance(wanted, list):
            raise InvalidPattern(f'"{key}" must be an object or an array')
        elif not wanted:
            raise InvalidPattern("Empty arrays are not allowed")
        else:
            for one in wanted:
                _check_value(one)


def _check_value(wanted: Any) -> None:
    if isinstance(wanted, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    if not isinstance(wanted, dict):
        return
    if len(wanted) != 1:
        raise InvalidPattern("Only one key allowed in match expression")
    ((kind, operand),) = wanted.items()
    check = _CHECKS.get(kind)
    if check is None:
        raise InvalidPattern(f"Unrecognized match type {kind}")
    check(kind, operand)


def _check_text(kind: str, operand: Any) -> None:
    if not isinstance(operand, str):
        raise InvalidPattern(f"{kind} match pattern must be a string")


def _check_affix(kind: str, operand: Any) -> None:
    if isinstance(operand, dict):
        if list(operand) != ["equals-ignore-case"]:
            raise InvalidPattern(f"Unsupported {kind} pattern: {', '.join(operand)}")
        operand = operand["equals-ignore-case"]
    _check_text(kind, operand)


def _check_wildcard(kind: str, operand: Any) -> None:
    _check_text(kind, operand)
    if "**" in operand.replace("\\\\", "").replace("\\*", ""):
        raise InvalidPattern("Consecutive wildcard characters")
    if re.search(r"(?<!\\)(?:\\\\)*\\(?![\\*])", operand):
        raise InvalidPattern("Invalid escape character")


def _check_anything_but(kind: str, operand: Any) -> None:
    if isinstance(operand, dict):
        if len(operand) != 1 or next(iter(operand)) not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise InvalidPattern(f"Unsupported anything-but pattern: {', '.join(operand)}")
        ((inner, texts),) = operand.items()
        several = texts if isinstance(texts, list) else [texts]
        if not several:
            raise InvalidPattern("Empty arrays are not allowed")
        for one in several:
            (_check_wildcard if inner == "wildcard" else _check_text)(inner, one)
        return
    several = operand if isinstance(operand, list) else [operand]
    if not several or any(not isinstance(one, str | int | float) or isinstance(one, bool) for one in several):
        raise InvalidPattern(f"Value of {kind} must be an array or single string/number value.")


def _check_numeric(_: str, operand: Any) -> None:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise InvalidPattern("Value of numeric must be an array.")
    for sign, number in zip(operand[::2], operand[1::2], strict=True):
        if sign not in _RANGES or (len(operand) == 4 and sign == "="):
            raise InvalidPattern(f"Unrecognized numeric range operator: {sign}")
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InvalidPattern("Value of numeric operator must be numeric")
    if len(operand) == 4 and operand[1] >= operand[3]:
        raise InvalidPattern("Bottom must be less than top")


def _check_exists(_: str, operand: Any) -> None:
    if not isinstance(operand, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")


def _check_cidr(kind: str, operand: Any) -> None:
    _check_text(kind, operand)
    try:
        ipaddress.ip_network(operand, strict=False)
    except ValueError:
        raise InvalidPattern(f"Malformed CIDR: {operand}") from None
    if "/" not in operand:
        raise InvalidPattern(f"Malformed CIDR, one '/' required: {operand}")


_CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    "prefix": _check_affix,
    "suffix": _check_affix,
    "anything-but": _check_anything_but,
    "numeric": _check_numeric,
    "exists": _check_exists,
    "equals-ignore-case": _check_text,
    "wildcard": _check_wildcard,
    "cidr": _check_cidr,
}
