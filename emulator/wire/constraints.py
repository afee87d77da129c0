"""What the model demands of a request's values, beyond their types, said in AWS's words (contract §6.4).

Every violation is in one ValidationException. A scalar and a structure's member are named by their path; the elements
of a list of scalars, and the keys and scalar values of a map, are judged at the list's or map's own path.
"""

from collections.abc import Iterator
from typing import Any

from emulator.errors import ValidationException
from emulator.wire.patterns import as_printed, matcher
from emulator.wire.schema import Shape

# A request of a few MB may hold a million bad elements; the message says how many, and shows these.
_SHOWN = 100
_LONGEST_VALUE = 4096


def validate(shape: Shape, params: dict[str, Any]) -> None:
    """Raise one ValidationException with every constraint that `params` break. `params` are values that were parsed."""
    found: list[str] = []
    _structure(shape, params, "", found)
    if not found:
        return
    count = len(found)
    several = "errors" if count > 1 else "error"
    raise ValidationException(f"{count} validation {several} detected: {'; '.join(found[:_SHOWN])}")


def _structure(shape: Shape, value: dict[str, Any], path: str, found: list[str]) -> None:
    members = shape.members
    found.extend(
        _sentence("null", path + members[name].label, "Member must not be null")
        for name in shape.required
        if value.get(name) is None
    )
    for name, item in value.items():
        if item is not None:
            member = members[name]
            _value(member.shape, item, path + member.label, found)


def _value(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    match shape.type:
        case "structure":
            if not shape.is_document:
                _structure(shape, value, f"{path}.", found)
        case "list":
            _list(shape, value, path, found)
        case "map":
            _map(shape, value, path, found)
        case "blob":
            pass  # whoever carries it knows its limit: InvokeEndpoint's is 25 MB today, and 6 MB in the model
        case _:
            if not _holds(shape, value):
                found.extend(_sentence(_quoted(shape, value), path, broken) for broken in _broken(shape, value))


def _list(shape: Shape, value: list[Any], path: str, found: list[str]) -> None:
    _count(shape, value, path, found)
    of = shape.element.shape
    if of.is_scalar:
        if not all(_holds(of, item) for item in value):
            rules = ", ".join(_rules(of))
            found.append(_sentence(_quoted(shape, value), path, f"Member must satisfy constraint: [{rules}]"))
        return
    for number, item in enumerate(value, 1):
        place = f"{path}.{number}.member"
        if item is None:
            found.append(_sentence("null", place, "Member must not be null"))
        else:
            _value(of, item, place, found)


def _map(shape: Shape, value: dict[str, Any], path: str, found: list[str]) -> None:
    _count(shape, value, path, found)
    keys, of = shape.key.shape, shape.value.shape
    if not all(_holds(keys, key) for key in value):
        rules = ", ".join(_rules(keys))
        found.append(_sentence(_quoted(shape, value), path, f"Map keys must satisfy constraint: [{rules}]"))
    if of.is_scalar:
        if not all(_holds(of, item) for item in value.values()):
            rules = ", ".join(_rules(of))
            found.append(_sentence(_quoted(shape, value), path, f"Map value must satisfy constraint: [{rules}]"))
        return
    for key, item in value.items():
        place = f"{path}.{key}.member"
        if item is None:
            found.append(_sentence("null", place, "Member must not be null"))
        else:
            _value(of, item, place, found)


def _count(shape: Shape, value: list[Any] | dict[str, Any], path: str, found: list[str]) -> None:
    if shape.maximum is not None and len(value) > shape.maximum:
        found.append(_sentence(_quoted(shape, value), path, _at_most(shape)))
    if shape.minimum is not None and len(value) < shape.minimum:
        found.append(_sentence(_quoted(shape, value), path, _at_least(shape)))


def _holds(shape: Shape, value: Any) -> bool:
    """Whether a scalar breaks nothing: what nearly every value answers, so no sentence is built to find out."""
    if value is None:
        return False
    if isinstance(value, str) and (
        (shape.enum and value not in shape.allowed) or (shape.pattern is not None and not matcher(shape.pattern)(value))
    ):
        return False
    maximum, minimum = shape.maximum, shape.minimum
    if maximum is None and minimum is None:
        return True
    size = _size(value)
    return (maximum is None or size <= maximum) and (minimum is None or size >= minimum)


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    """The constraints that a scalar breaks, each as its sentence."""
    if isinstance(value, str):
        if shape.enum and value not in shape.allowed:
            yield _one_of(shape)
        if shape.pattern is not None and not matcher(shape.pattern)(value):
            yield _like(shape.pattern)
    if shape.maximum is not None and _size(value) > shape.maximum:
        yield _at_most(shape)
    if shape.minimum is not None and _size(value) < shape.minimum:
        yield _at_least(shape)


def _size(value: Any) -> float:
    """What `min` and `max` bound: a string's length, a number's value."""
    size: float = len(value) if isinstance(value, str) else value
    return size


def _rules(shape: Shape) -> Iterator[str]:
    """All that a scalar must satisfy, in the order in which the live service lists it."""
    if shape.enum:
        yield _one_of(shape)
    if shape.maximum is not None:
        yield _at_most(shape)
    if shape.minimum is not None:
        yield _at_least(shape)
    if shape.pattern is not None:
        yield _like(shape.pattern)
    if not (shape.enum or shape.maximum is not None or shape.minimum is not None or shape.pattern is not None):
        yield "Member must not be null"


def _one_of(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _like(pattern: str) -> str:
    return f"Member must satisfy regular expression pattern: {as_printed(pattern)}"


def _at_most(shape: Shape) -> str:
    return f"Member must have {_measure(shape)} less than or equal to {_number(shape.maximum)}"


def _at_least(shape: Shape) -> str:
    return f"Member must have {_measure(shape)} greater than or equal to {_number(shape.minimum)}"


def _measure(shape: Shape) -> str:
    return "length" if shape.type in {"string", "list", "map", "blob"} else "value"


def _number(bound: float | None) -> str:
    return str(int(bound)) if isinstance(bound, float) and bound.is_integer() else str(bound)


def _sentence(value: str, path: str, constraint: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {constraint}"


def _quoted(shape: Shape, value: Any) -> str:
    text = java_string(shape, value)
    return f"'{text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'}'"


def java_string(shape: Shape, value: Any) -> str:
    """A value as Java's toString prints it: `[a, b]`, `{key=value}`, `true`. Nothing marked sensitive is shown."""
    if value is None:
        return "null"
    if shape.is_sensitive:
        return "***Sensitive Data Redacted***"
    match shape.type:
        case "structure":
            if shape.is_document:
                return str(value)
            members = shape.members
            inner = ", ".join(
                f"{members[name].label}={java_string(members[name].shape, it)}" for name, it in value.items()
            )
            return f"{shape.name}({inner})"
        case "list":
            return f"[{', '.join(java_string(shape.element.shape, item) for item in value)}]"
        case "map":
            of = shape.value.shape
            return f"{{{', '.join(f'{key}={java_string(of, item)}' for key, item in value.items())}}}"
        case "boolean":
            return "true" if value else "false"
        case _:
            return str(value)
