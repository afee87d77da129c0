"""Pages of CloudWatch's answers: a token is the number of what came before."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from samebox.errors import AwsError

T = TypeVar("T")


def token(offset: int) -> str:
    """The token of the page that begins there."""
    return base64.urlsafe_b64encode(str(offset).encode()).decode()


def offset(params: Mapping[str, Any]) -> int:
    """Where the page of a request begins. AwsError where its token is not one of ours."""
    if not params.get("NextToken"):
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(params["NextToken"].encode()).decode()[:15]))
    except ValueError:
        raise AwsError("InvalidNextToken", "The specified nextToken is invalid.") from None


def page(rows: Sequence[T], params: Mapping[str, Any], size: int) -> tuple[Sequence[T], dict[str, str]]:
    """The rows of one page, and the member of the answer that leads to the next."""
    start = offset(params)
    end = start + size
    return rows[start:end], ({"NextToken": token(end)} if len(rows) > end else {})
