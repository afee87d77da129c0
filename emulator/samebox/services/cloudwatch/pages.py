"""Pages of CloudWatch's answers."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from samebox.errors import AwsError
from samebox.services import pages

T = TypeVar("T")
token = pages.token


def offset(params: Mapping[str, Any]) -> int:
    """Where the page of a request begins. AwsError where its token is not one of ours."""
    return pages.offset(params.get("NextToken"), AwsError("InvalidNextToken", "The specified nextToken is invalid."))


def page(rows: Sequence[T], params: Mapping[str, Any], size: int) -> tuple[Sequence[T], dict[str, str]]:
    """The rows of one page, and the member of the answer that leads to the next."""
    return pages.page(rows, offset(params), size)
