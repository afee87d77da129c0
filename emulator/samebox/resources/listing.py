"""Lists: a List request becomes one query, its rows one page. Filter, then sort, then page; written once, for all."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from samebox.errors import NotImplementedByEmulator, ValidationException
from samebox.resources.kind import Kind
from samebox.resources.list_rules import PAGING, ListRules
from samebox.resources.query import EVERYTHING, And, Column, Expression, Field, Query, Scope
from samebox.resources.store import Resource


def query(
    kind: Kind, rules: ListRules, scope: Scope, params: Mapping[str, Any], where: Expression = EVERYTHING
) -> Query:
    """The query of a List request, of rows that fit `where` as well. Raises ValidationException for a bad token.

    A filter that no rule covers is refused by name; a filter that is dropped would answer with wrong rows.
    """
    given = {member: value for member, value in params.items() if member not in PAGING and value is not None}
    if _is_late(kind, params):
        del given["StatusEquals"]
    for member in given:
        if member not in rules.filters:
            raise NotImplementedByEmulator(kind.service, f"{rules.operation} with {member}")
    order = params.get("SortOrder")
    asked = Query(
        kinds=kind.noun,
        scope=scope,
        where=And(where, *(rules.filters[member].expression(value) for member, value in given.items())),
        order_by=_sort(kind, rules, params),
        descending=order.lower() == "descending" if order else rules.descending,
    )
    return replace(asked, after=_read(params["NextToken"], rules, asked)) if params.get("NextToken") else asked


def size(rules: ListRules, params: Mapping[str, Any]) -> int:
    """How many rows a page has. Raises ValidationException for less than none, which some models allow."""
    wanted = int(params.get("MaxResults") or rules.page)
    if wanted < 0:
        raise ValidationException(
            f"1 validation error detected: Value '{wanted}' at 'maxResults' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    return min(wanted, rules.most)


def token(rules: ListRules, asked: Query, after: tuple[object, str]) -> str:
    """The token of the page that begins behind a place. It is good for the same operation and order alone."""
    body = json.dumps([_order(rules, asked), *after])
    return base64.urlsafe_b64encode(body.encode()).decode()


def late(kind: Kind, rows: Sequence[Resource], params: Mapping[str, Any]) -> Sequence[Resource]:
    """What is left of a page where AWS cuts the page first and looks at the status then."""
    if not _is_late(kind, params):
        return rows
    return [row for row in rows if row.status == params["StatusEquals"]]


def _sort(kind: Kind, rules: ListRules, params: Mapping[str, Any]) -> Field:
    value = params.get("SortBy")
    if not value:
        return rules.default
    if value not in rules.sorts:
        raise NotImplementedByEmulator(kind.service, f"{rules.operation} with SortBy={value}")
    return rules.sorts[value]


def _is_late(kind: Kind, params: Mapping[str, Any]) -> bool:
    return kind.filters_status_last and bool(params.get("StatusEquals")) and bool(params.get("MaxResults"))


def _order(rules: ListRules, asked: Query) -> list[str]:
    by = asked.order_by
    field = [by.name] if isinstance(by, Column) else [by.document, *by.path]
    return [rules.operation, ".".join(field), "Descending" if asked.descending else "Ascending"]


def _read(text: str, rules: ListRules, asked: Query) -> tuple[object, str]:
    try:
        order, value, key = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, RecursionError, TypeError):
        raise ValidationException("Invalid NextToken.") from None
    if order != _order(rules, asked) or not isinstance(key, str) or not isinstance(value, str | float | int):
        raise ValidationException("NextToken belongs to another operation, SortBy or SortOrder.")
    return value, key
