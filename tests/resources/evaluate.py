"""Queries in plain Python: what SQL is compared with."""

import json
from collections.abc import Sequence
from typing import Any

from samebox.resources.query import (
    TIMES,
    And,
    Column,
    Compare,
    Contains,
    Exists,
    Expression,
    Field,
    In,
    Includes,
    Not,
    Or,
    Query,
    Related,
    Scope,
)
from samebox.resources.store import Resource


def holds(where: Expression, row: Resource) -> bool:
    """Whether a row is one of those that an expression describes."""
    match where:
        case Compare(field, operator, value):
            return compare(read(field, row), operator, value)
        case Contains(field, text, first):
            value = read(field, row)
            return isinstance(value, str) and (value.startswith(text) if first else text in value)
        case Includes(field, element):
            value = read(field, row)
            return isinstance(value, list) and element in value
        case Exists(field):
            return read(field, row) is not None
        case In(field, values):
            return any(compare(read(field, row), "=", value) for value in values)
        case And(parts):
            return all(holds(part, row) for part in parts)
        case Or(parts):
            return any(holds(part, row) for part in parts)
        case Not(part):
            return not holds(part, row)
        case Related():
            raise ValueError("relations are no part of a row")


def read(field: Field, row: Resource) -> Any:
    """The value of a field, None where there is none."""
    if isinstance(field, Column):
        value = getattr(row, field.name)
        return round(value, 3) if field.name in TIMES else value
    value = getattr(row, field.document)
    for key in field.path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def compare(left: Any, operator: str, right: Any) -> bool:
    """Values of one type compare, all others do not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right and operator == "="
    if not (isinstance(left, str) and isinstance(right, str)) and not (
        isinstance(left, int | float) and isinstance(right, int | float)
    ):
        return False
    outcomes = {"=": left == right, "<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}  # type: ignore[operator]
    return outcomes[operator]


def ordered(query: Query, rows: Sequence[Resource]) -> list[Resource]:
    """The rows of a query's kinds and scope in its order."""
    kinds = (query.kinds,) if isinstance(query.kinds, str) else query.kinds
    found = [
        row
        for row in rows
        if row.kind in kinds and (query.scope is None or query.scope == Scope(row.account, row.region))
    ]
    single = isinstance(query.kinds, str) and query.scope is not None
    return sorted(
        found,
        key=lambda row: (rank(query.order_by, row), row.name.lower() if single else row.arn),
        reverse=query.descending,
    )


def rank(field: Field, row: Resource) -> tuple[int, Any]:
    """Numbers before texts, as in SQLite; what is not there counts as an empty text."""
    value = getattr(row, field.name) if isinstance(field, Column) else read(field, row)
    if field == Column("name"):
        value = value.lower()
    if value is None:
        value = ""
    if isinstance(value, dict | list):
        value = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return (0, value) if isinstance(value, int | float) else (1, value)
