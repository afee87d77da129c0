"""Lists: a List request becomes one query, its rows one page. Filter, then sort, then page; written once, for all."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from samebox.errors import NotImplementedByEmulator, ValidationException
from samebox.resources.kind import Derived, Kind
from samebox.resources.query import And, Column, Compare, Contains, Expression, JsonPath, Query, Scope
from samebox.resources.store import Resource

# SM:MaxResults is 1 to 100; what AWS uses when none is given is not documented for each operation.
DEFAULT_PAGE = 10
MAX_PAGE = 100

_SORTS = {"CreationTime": "created", "LastModifiedTime": "modified", "Name": "name", "Status": "status"}
_PAGING = {"SortBy", "SortOrder", "MaxResults", "NextToken"}


def query(kind: Kind, derived: Derived, scope: Scope, params: Mapping[str, Any]) -> Query:
    """The query of a List request. Raises ValidationException for a token that is not ours.

    A filter that no rule here covers is refused by name; a filter that is dropped would answer with wrong rows.
    """
    conditions = [
        _condition(kind, derived, member, value)
        for member, value in params.items()
        if member not in _PAGING and value is not None and not (member == "StatusEquals" and _is_late(kind, params))
    ]
    order = params.get("SortOrder") or ("Descending" if derived.newest_first else "Ascending")
    sort = params.get("SortBy") or "CreationTime"
    if sort not in _SORTS:
        raise NotImplementedByEmulator(kind.service, f"{derived.list} with SortBy={sort}")
    asked = Query(
        kinds=kind.noun,
        scope=scope,
        where=And(*conditions),
        order_by=Column(_SORTS[sort]),
        descending=order == "Descending",
    )
    return replace(asked, after=_read(params["NextToken"], asked)) if params.get("NextToken") else asked


def token(asked: Query, after: tuple[object, str]) -> str:
    """The token of the page that begins behind a place. It is good for the same order alone."""
    body = json.dumps([_order(asked), *after])
    return base64.urlsafe_b64encode(body.encode()).decode()


def late(kind: Kind, rows: Sequence[Resource], params: Mapping[str, Any]) -> Sequence[Resource]:
    """What is left of a page where AWS cuts the page first and looks at the status then."""
    if not _is_late(kind, params):
        return rows
    return [row for row in rows if row.status == params["StatusEquals"]]


def _condition(kind: Kind, derived: Derived, member: str, value: Any) -> Expression:
    match member:
        case "NameContains":
            return Contains(Column("name"), value)
        case "StatusEquals":
            return Compare(Column("status"), "=", value)
        case "CreationTimeAfter":
            return Compare(Column("created"), ">", value)
        case "CreationTimeBefore":
            return Compare(Column("created"), "<", value)
        case "LastModifiedTimeAfter":
            return Compare(Column("modified"), ">", value)
        case "LastModifiedTimeBefore":
            return Compare(Column("modified"), "<", value)
    if member.endswith("Equals"):
        # Such filters name a member of the summary; those our state may hold are looked for there.
        return Compare(JsonPath("state", member.removesuffix("Equals")), "=", value)
    raise NotImplementedByEmulator(kind.service, f"{derived.list} with {member}")


def _is_late(kind: Kind, params: Mapping[str, Any]) -> bool:
    return kind.filters_status_last and bool(params.get("StatusEquals")) and bool(params.get("MaxResults"))


def size(params: Mapping[str, Any]) -> int:
    """How many rows a page has."""
    return min(int(params.get("MaxResults") or DEFAULT_PAGE), MAX_PAGE)


def _order(asked: Query) -> list[str]:
    by = asked.order_by
    field = [by.name] if isinstance(by, Column) else [by.document, *by.path]
    return [".".join(field), "Descending" if asked.descending else "Ascending"]


def _read(text: str, asked: Query) -> tuple[object, str]:
    try:
        order, value, key = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, binascii.Error, TypeError):
        raise ValidationException("Invalid NextToken.") from None
    if order != _order(asked) or not isinstance(key, str) or not isinstance(value, str | float):
        raise ValidationException("NextToken belongs to a request with another SortBy or SortOrder.")
    return value, key
