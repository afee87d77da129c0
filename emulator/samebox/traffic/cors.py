"""Cross-origin resource sharing, as the Fetch standard has it: for pages of the origins that a setting allows."""

from samebox import asgi
from samebox.asgi import Message, Scope, Send

_PREFLIGHT_SECONDS = b"600"  # how long a browser may keep the answer to its preflight request


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks before it sends what a page wants to send."""
    return scope["method"] == "OPTIONS" and asgi.header(scope["headers"], b"access-control-request-method") is not None


async def permit(scope: Scope, send: Send, origin: str) -> None:
    """Answer a preflight request: any method and any header."""
    headers = [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-methods", asgi.header(scope["headers"], b"access-control-request-method") or b""),
        (b"access-control-allow-headers", asgi.header(scope["headers"], b"access-control-request-headers") or b""),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
        (b"vary", b"Origin"),
    ]
    if asgi.header(scope["headers"], b"access-control-request-private-network") is not None:
        headers.append((b"access-control-allow-private-network", b"true"))
    # No content, so no Content-Length either (RFC 9110, 8.6).
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def readable(send: Send, origin: str) -> Send:
    """Lets pages of the origin read the answer: its body and its headers."""

    async def with_permission(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-expose-headers", b"*"),
                (b"vary", b"Origin"),
            ]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return with_permission
