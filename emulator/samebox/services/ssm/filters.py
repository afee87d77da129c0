"""Filters and pages of lists of parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from samebox.errors import AwsError
from samebox.resources.store import Resource
from samebox.services import pages
from samebox.services.ssm.records import ParameterVersion

T = TypeVar("T")
_OPTIONS = {
    "Name": ("Equals", "BeginsWith", "Contains"),
    "Type": ("Equals", "BeginsWith"),
    "Path": ("OneLevel", "Recursive"),
    "Tier": ("Equals",),
    "DataType": ("Equals",),
}


@dataclass(frozen=True)
class ParameterFilter:
    """A filter of a request: any of the values will do."""

    key: str
    option: str
    values: tuple[str, ...]


def checked(given: Mapping[str, Any]) -> ParameterFilter:
    """A filter of a request. AwsError where it is none."""
    key = given["Key"]
    options = ("Equals",) if key.startswith("tag:") else _OPTIONS.get(key)
    if options is None:
        raise AwsError("InvalidFilterKey", f"The specified key isn't valid: {key}.")
    option = given.get("Option", options[0])
    if option not in options:
        raise AwsError(
            "InvalidFilterOption",
            f"The following filter option is not valid: {option}. Valid options include: [{', '.join(options)}].",
        )
    values = tuple(given.get("Values", ()))
    if not values and not key.startswith("tag:"):
        raise AwsError("InvalidFilterValue", f"The filter values can't be null or empty: {key}.")
    return ParameterFilter(key, option, values)


def fits(row: Resource, newest: ParameterVersion, wanted: ParameterFilter) -> bool:
    """Whether a parameter passes a filter."""
    if wanted.key == "Path":
        return any(is_below(row.name, path, wanted.option == "Recursive") for path in wanted.values)
    if wanted.key.startswith("tag:"):
        key = wanted.key.removeprefix("tag:")
        return key in row.tags and (not wanted.values or row.tags[key] in wanted.values)
    value = {"Name": row.name, "Type": newest.type, "Tier": newest.tier, "DataType": "text"}[wanted.key]
    match wanted.option:
        case "BeginsWith":
            # A slash at the beginning of a name may be left out.
            return any(value.startswith((one, f"/{one}")) for one in wanted.values)
        case "Contains":
            return any(one in value for one in wanted.values)
    return value in wanted.values or value.removeprefix("/") in wanted.values


def is_below(name: str, path: str, recursive: bool) -> bool:
    """Whether a parameter is below a path, right below it unless `recursive`."""
    whole = name if name.startswith("/") else f"/{name}"
    folder = path.rstrip("/") + "/"
    return whole.startswith(folder) and (recursive or "/" not in whole[len(folder) :])


def page(rows: Sequence[T], params: Mapping[str, Any], most: int) -> tuple[Sequence[T], dict[str, str]]:
    """The rows of one page, and the member of the answer that leads to the next."""
    refusal = AwsError("InvalidNextToken", "The specified token isn't valid.")
    return pages.page(rows, pages.offset(params.get("NextToken"), refusal), params.get("MaxResults", most))
