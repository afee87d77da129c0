"""What a request may ask for that nothing here runs yet: a table of members, and one plain refusal.

A member that is accepted although nothing acts on it is in the table of docs/fidelity.md, not here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from samebox.errors import AwsError, NotImplementedByEmulator, ValidationException


@dataclass(frozen=True)
class Limit:
    """A member, dotted (`A.B[].C`: in every element of B), and the values of it that we run; none: not at all."""

    path: str
    values: tuple[object, ...] = field(default=())


def refuse(operation: str, params: Mapping[str, Any], limits: Iterable[Limit]) -> None:
    """Raise NotImplemented, naming member and value, for the first that goes beyond its limit."""
    for limit in limits:
        for path, value in _walk(params, limit.path.split("."), ""):
            if value not in (None, *limit.values):
                raise not_run(operation, path, value)


def not_run(operation: str, path: str, value: object = None, why: str = "") -> AwsError:
    """The refusal itself, for what no table can say."""
    shown = f"{path}={value}" if isinstance(value, str | int | float) else path
    return NotImplementedByEmulator("sagemaker", f"{operation} with {shown}", why)


def missing(path: str) -> ValidationException:
    """A member that the model calls optional and the service does not; the words are those for required ones."""
    return ValidationException(
        f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
    )


def _walk(value: Any, parts: list[str], at: str) -> Iterable[tuple[str, Any]]:
    if not parts:
        yield at, value
        return
    name, many = parts[0].removesuffix("[]"), parts[0].endswith("[]")
    inner = value.get(name)
    here = f"{at}.{name}" if at else name
    if inner is None:
        return
    if not many:
        yield from _walk(inner, parts[1:], here)
        return
    for index, element in enumerate(inner):
        yield from _walk(element, parts[1:], f"{here}[{index}]")
