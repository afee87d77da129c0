"""Pages of lists whose rows are all at hand: a token is the number of the rows that came before."""

import base64
from collections.abc import Sequence
from typing import TypeVar

from samebox.errors import AwsError

T = TypeVar("T")
_DIGITS = 15


def token(offset: int) -> str:
    """The token of the page that begins there."""
    return base64.urlsafe_b64encode(str(offset).encode()).decode()


def offset(text: str | None, refusal: AwsError) -> int:
    """Where the page of a token begins, the first without one. Raises `refusal` where it is not one of ours."""
    if not text:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(text.encode()).decode()[:_DIGITS]))
    except ValueError:
        raise refusal from None


def page(rows: Sequence[T], start: int, size: int) -> tuple[Sequence[T], dict[str, str]]:
    """The rows of one page, and the member NextToken of the answer where there are more."""
    end = start + size
    return rows[start:end], ({"NextToken": token(end)} if len(rows) > end else {})
