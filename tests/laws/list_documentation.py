"""What the documentation in the model says of a list that is asked for nothing: its order, and the size of a page."""

import re

from samebox.wire.models import Operation


def documented(operation: Operation) -> tuple[str, str, int]:
    """Sort value, order and size; '' and 0 where it says nothing that a request could have."""
    sort = _choice(operation, "SortBy", r"default (?:value )?is (\w+)|Sorts by (creation time) by default")
    order = _choice(
        operation, "SortOrder", r"[Dd]efault (?:value )?is (\w+)|By default, (?:[\w ]+ are )?listed in (\w+) order"
    )
    size = re.search(
        r"[Dd]efault(?: value)?(?: for MaxResults)? is (\d+)|defaults to (\d+)", _text(operation, "MaxResults")
    )
    return sort, order.capitalize(), int(next(filter(None, size.groups()))) if size else 0


def _choice(operation: Operation, member: str, pattern: str) -> str:
    """The value of the member's enum that its documentation calls the default."""
    found = re.search(pattern, _text(operation, member))
    if found is None:
        return ""
    assert operation.input is not None
    said = next(filter(None, found.groups())).replace(" ", "").lower()
    said = {"createdtime": "creationtime"}.get(said, said)  # no list has it; those that say so have CreationTime
    values = operation.input.members[member].shape.enum
    return next((value for value in values if value.replace("_", "").lower() == said.replace("_", "")), "")


def _text(operation: Operation, member: str) -> str:
    members = operation.input.members if operation.input is not None else {}
    return re.sub(r"<[^>]+>", "", str(members[member].traits.get("documentation", ""))) if member in members else ""
