"""Lists: a List request becomes one query, its rows one page. Filter, then sort, then page; written once, for all."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samebox.errors import NotImplementedByEmulator, ValidationException
from samebox.resources.kind import Derived, Kind
from samebox.resources.store import Condition, Query, Resource, Scope

# SM:MaxResults is 1 to 100; what AWS uses when none is given is not documented for each operation.
DEFAULT_PAGE = 10
MAX_PAGE = 100

_SORTS = {"CreationTime": "created", "LastModifiedTime": "modified", "Name": "name", "Status": "status"}
_FILTERS = {
    "NameContains": ("name", "contains"),
    "StatusEquals": ("status", "="),
    "CreationTimeAfter": ("created", ">"),
    "CreationTimeBefore": ("created", "<"),
    "LastModifiedTimeAfter": ("modified", ">"),
    "LastModifiedTimeBefore": ("modified", "<"),
}
_PAGING = {"SortBy", "SortOrder", "MaxResults", "NextToken"}


@dataclass(frozen=True)
class Page:
    """One page of rows, and the token of the next one if there is more."""

    rows: tuple[Resource, ...]
    token: str | None


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
    after = _read(params["NextToken"], sort, order) if params.get("NextToken") else None
    return Query(
        kind=kind.noun,
        scope=scope,
        conditions=tuple(conditions),
        order_by=_SORTS[sort],
        descending=order == "Descending",
        after=after,
        limit=_size(params) + 1,  # one more row than the page tells whether there is a next page
    )


def cut(rows: Sequence[Resource], asked: Query, params: Mapping[str, Any]) -> Page:
    """The page of a query's rows."""
    size = _size(params)
    if len(rows) <= size:
        return Page(tuple(rows), None)
    last = rows[size - 1]
    value: object = {
        "created": last.created,
        "modified": last.modified,
        "name": last.name.lower(),
        "status": last.status,
    }[asked.order_by]
    body = json.dumps([asked.order_by, "Descending" if asked.descending else "Ascending", value, last.name.lower()])
    return Page(tuple(rows[:size]), base64.urlsafe_b64encode(body.encode()).decode())


def late(kind: Kind, rows: Sequence[Resource], params: Mapping[str, Any]) -> Sequence[Resource]:
    """What is left of a page where AWS cuts the page first and looks at the status then."""
    if not _is_late(kind, params):
        return rows
    return [row for row in rows if row.status == params["StatusEquals"]]


def unfinished(kind: Kind) -> Query:
    """Everything of a kind that has moves left, for all accounts."""
    finals = kind.lifecycle.final_statuses() if kind.lifecycle else frozenset()
    # Deleting is an end in the table, yet there is work left: the row goes when the containers are gone.
    statuses = sorted(finals - {"Deleting"})
    return Query(kind=kind.noun, conditions=tuple(Condition("status", "!=", status) for status in statuses))


def _condition(kind: Kind, derived: Derived, member: str, value: object) -> Condition:
    if member in _FILTERS:
        column, operator = _FILTERS[member]
        return Condition(column, operator, value)
    if member.endswith("Equals"):
        # Such filters name a member of the summary; those our state may hold are looked for there.
        return Condition(f"state.{member.removesuffix('Equals')}", "=", value)
    raise NotImplementedByEmulator(kind.service, f"{derived.list} with {member}")


def _is_late(kind: Kind, params: Mapping[str, Any]) -> bool:
    return kind.filters_status_last and bool(params.get("StatusEquals")) and bool(params.get("MaxResults"))


def _size(params: Mapping[str, Any]) -> int:
    return min(int(params.get("MaxResults") or DEFAULT_PAGE), MAX_PAGE)


def _read(token: str, sort: str, order: str) -> tuple[object, str]:
    try:
        column, direction, value, key = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error, TypeError):
        raise ValidationException("Invalid NextToken.") from None
    if column != _SORTS[sort] or direction != order or not isinstance(key, str) or not isinstance(value, str | float):
        raise ValidationException("NextToken belongs to a request with another SortBy or SortOrder.")
    return value, key
