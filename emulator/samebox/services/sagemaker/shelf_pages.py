"""Pages of lists whose rows have no Kind: sorted and filtered by their operation, cut here."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.store import Resource

_PAGE = 10  # AWS's default where the model has none


def page(
    operation: str, rows: Sequence[Resource], params: Mapping[str, Any], size: int = _PAGE
) -> tuple[Sequence[Resource], dict[str, str]]:
    """The rows of one page, and the member that leads to the next. ValidationException for another's token."""
    start = _start(operation, params.get("NextToken"))
    end = start + (params.get("MaxResults") or size)
    if len(rows) <= end:
        return rows[start:], {}
    return rows[start:end], {"NextToken": base64.urlsafe_b64encode(json.dumps([operation, end]).encode()).decode()}


def created_between(rows: Sequence[Resource], params: Mapping[str, Any]) -> list[Resource]:
    """Those that fit CreationTimeAfter and CreationTimeBefore."""
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    return [
        row
        for row in rows
        if (after is None or row.created > float(after)) and (before is None or row.created < float(before))
    ]


def _start(operation: str, token: str | None) -> int:
    if not token:
        return 0
    try:
        of, start = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, RecursionError, TypeError):
        raise ValidationException("Invalid NextToken.") from None
    if of != operation or not isinstance(start, int) or start < 0:
        raise ValidationException("NextToken belongs to another operation.")
    return start
