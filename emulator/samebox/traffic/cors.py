"""Cross-origin resource sharing, as the Fetch standard has it: for pages of the origins that a setting allows."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PREFLIGHT_SECONDS = b"600"  # how long a browser may keep the answer to its preflight request


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks before it sends what a page wants to send."""
    return scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method") is not None


async def permit(scope: Scope, send: Send, origin: str) -> None:
    """Answer a preflight request: any method and any header."""
    headers = [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-methods", _header(scope, b"access-control-request-method") or b""),
        (b"access-control-allow-headers", _header(scope, b"access-control-request-headers") or b""),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
        (b"vary", b"Origin"),
    ]
    if _header(scope, b"access-control-request-private-network") is not None:
        headers.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def readable(send: Send, origin: str) -> Send:
    """Lets pages of the origin read the answer: its body and its headers."""

    async def with_permission(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            more = [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-expose-headers", b"*"),
                (b"vary", b"Origin"),
            ]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return with_permission


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
