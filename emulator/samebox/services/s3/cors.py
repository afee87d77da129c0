"""Cross-origin resource sharing by a bucket's CORS rules: preflight requests, and the headers of answers.

Written from AWS's "Using cross-origin resource sharing (CORS)". The emulator refuses pages of other origins
(traffic/origins.py); a bucket's rules are its owner's consent for requests to that bucket.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import anyio

from samebox import asgi
from samebox.errors import AwsError
from samebox.services.s3.heads import head_of
from samebox.wire.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.asgi import Header, Scope
    from samebox.s3.store import S3Store

_METHOD = "access-control-request-method"
_HEADERS = "access-control-request-headers"


class Consents:
    """Whether a bucket's owner lets pages of other origins use it, by its rules: for requests to this bucket alone.

    What a page copies from another bucket needs that bucket's rules, too: on AWS, a signature says who may read it.
    """

    def __init__(self, store: S3Store, threads: int = 8) -> None:
        self._store = store
        self._threads = anyio.CapacityLimiter(threads)

    async def __call__(self, scope: Scope) -> bool:
        """For a request of a page, or for what a browser asks before it."""
        return await asgi.in_thread(self._permits, head_of(scope), limiter=self._threads)

    def _permits(self, head: Request) -> bool:
        origin = head.headers.get("origin", "")
        method = head.headers.get(_METHOD, "") if is_preflight(head) else head.method
        if not any(_permits(rule, origin, method) for rule in _rules(self._store, head) or ()):
            return False
        source = head.headers.get("x-amz-copy-source")
        if source is None:
            return True
        path = f"/{unquote(source).removeprefix('/')}"
        rules = _rules(self._store, head.changed(path=quote(path)))
        return any(_permits(rule, origin, "GET") for rule in rules or ())


def is_preflight(head: Request) -> bool:
    """Whether a browser asks before it sends what a page wants to send."""
    return head.method == "OPTIONS"


def preflight(store: S3Store, head: Request) -> Response:
    """The answer to a preflight request. Raises AccessForbidden, BadRequest."""
    origin, method = head.headers.get("origin"), head.headers.get(_METHOD)
    if not origin:
        raise AwsError("BadRequest", "Insufficient information. Origin request header needed.")
    if not method:
        raise AwsError("BadRequest", "Invalid Access-Control-Request-Method: null")
    asked = [one.strip().lower() for one in head.headers.get(_HEADERS, "").split(",") if one.strip()]
    rules = _rules(store, head)
    if rules is None:
        raise AwsError("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.", 403)
    for rule in rules:
        if _permits(rule, origin, method) and all(_allows(rule, name) for name in asked):
            more = {}
            if "access-control-request-private-network" in head.headers:  # of a page of the internet, by Chrome
                more["Access-Control-Allow-Private-Network"] = "true"
            return Response(200, {**_permission(rule, origin), **_permitted(rule, asked), **more}, b"")
    text = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
    text += "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
    raise AwsError("AccessForbidden", f"{text}resource's CORS spec.", 403)


def permission(store: S3Store, head: Request) -> list[Header]:
    """The headers that let the page of the request's origin read the answer; none where no rule names it."""
    if is_preflight(head):
        return []  # its answer has them
    origin = head.headers.get("origin", "")
    method = head.headers.get(_METHOD, head.method)  # of a form, which is carried out as a PUT
    for rule in _rules(store, head) or ():
        if _permits(rule, origin, method):
            permitted = _permission(rule, origin)
            return [(name.lower().encode(), value.encode()) for name, value in permitted.items()]
    return []


def _rules(store: S3Store, head: Request) -> list[Mapping[str, Any]] | None:
    bucket = unquote(head.path.removeprefix("/").partition("/")[0])
    try:
        text = store.buckets.setting(bucket, "cors")
    except AwsError:
        return None
    return None if text is None else json.loads(text).get("CORSRules") or []


def _permits(rule: Mapping[str, Any], origin: str, method: str) -> bool:
    return method in rule["AllowedMethods"] and any(_fits(pattern, origin) for pattern in rule["AllowedOrigins"])


def _allows(rule: Mapping[str, Any], header: str) -> bool:
    return any(_fits(pattern.lower(), header) for pattern in rule.get("AllowedHeaders") or ())


def _fits(pattern: str, text: str) -> bool:
    """`*` is any text; nothing else is special."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text) is not None


def _permission(rule: Mapping[str, Any], origin: str) -> dict[str, str]:
    any_origin = "*" in rule["AllowedOrigins"]
    found = {
        "Access-Control-Allow-Origin": "*" if any_origin else origin,
        "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
        "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    }
    if exposed := rule.get("ExposeHeaders"):
        found["Access-Control-Expose-Headers"] = ", ".join(exposed)
    if not any_origin:
        found["Access-Control-Allow-Credentials"] = "true"
    return found


def _permitted(rule: Mapping[str, Any], asked: list[str]) -> dict[str, str]:
    found = {}
    if asked:
        found["Access-Control-Allow-Headers"] = ", ".join(asked)
    if rule.get("MaxAgeSeconds") is not None:
        found["Access-Control-Max-Age"] = str(rule["MaxAgeSeconds"])
    return found
