"""The refusal of members that nothing here runs, by their tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from samebox.errors import AwsError, NotImplementedByEmulator
from samebox.services.members.row import Members, Treatment


def refuse_by(table: Members, service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise NotImplemented, naming member and value, for the first that the table refuses."""
    for row in table:
        # Most requests have none of these members, and each put of S3 is looked at.
        if params.get(row.first) is None or row.treatment is not Treatment.REFUSED:
            continue
        for path, value in _walk(params, row.path.split("."), ""):
            if value not in (None, *row.values):
                raise not_run(service, operation, path, value)


def not_run(service: str, operation: str, path: str, value: object = None, why: str = "") -> AwsError:
    """The refusal itself, for what no table can say."""
    shown = f"{path}={value}" if isinstance(value, str | int | float) else path
    return NotImplementedByEmulator(service, f"{operation} with {shown}", why)


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
