"""The head of a request to S3: in path style, its headers as text, with what a presigned URL has in its query."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.wire import s3_address, sigv4
from samebox.wire.http import request_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.asgi import Scope
    from samebox.wire.http import Request

_SIGNING = frozenset(
    f"x-amz-{name}" for name in ("algorithm", "credential", "date", "expires", "signedheaders", "signature")
)


def head_of(scope: Scope) -> Request:
    """The head of a request in path style; the headers that a presigned URL carries in its query are headers."""
    return _hoisted(s3_address.path_style(_head(scope)))


def check_time(head: Request, now: float) -> None:
    """Raises AccessDenied for a presigned URL whose time is over."""
    if _is_expired(head.query, now):
        raise AwsError("AccessDenied", "Request has expired", 403)


def _head(scope: Scope) -> Request:
    head = request_of(scope)
    if all(value.isascii() for value in head.headers.values()):
        return head
    return head.changed(headers={name: _text(value) for name, value in head.headers.items()})


def _text(value: str) -> str:
    """A header's value: UTF-8, as SDKs send metadata, and Latin-1 where it is not."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


def _hoisted(head: Request) -> Request:
    """A presigned URL carries headers of the request in its query: `x-amz-acl=…`."""
    if not head.query_string:
        return head
    names = [name for name in head.query if _is_header(name)]
    if "AWSAccessKeyId" in head.query:  # SigV2 signs these two, and some clients put them into the URL
        names += [name for name in ("content-type", "content-md5") if name in head.query]
    more = {name.lower(): head.query[name] for name in names if name.lower() not in head.headers}
    return head.changed(headers={**head.headers, **more}) if more else head


@lru_cache(maxsize=1000)
def _is_header(name: str) -> bool:
    """Whether a field of a query is a header of the request: one of Amazon's, and not a part of the signature."""
    name = name.lower()
    return name.startswith("x-amz-") and name not in _SIGNING


def _is_expired(query: Mapping[str, str], now: float) -> bool:
    if not query:
        return False
    values = {name.lower(): value for name, value in query.items()}
    try:
        if "x-amz-expires" in values:
            return now > sigv4.moment(values["x-amz-date"]) + int(values["x-amz-expires"])
        if "awsaccesskeyid" in values:
            return now > int(values["expires"])
    except (KeyError, ValueError):
        return True
    return False
