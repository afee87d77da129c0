"""S3 at our URL: an ASGI callable that turns a client's request into one that our own S3 server accepts.

The client signed for our URL with keys of its own; the server behind knows one random pair. The door strips the
client's signature, signs again, and puts right what the server does differently from S3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from emulator.data.rclone import Credentials

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def error_body(code: str, message: str, resource: str, request_id: str) -> bytes:
    """S3's error XML."""
    raise NotImplementedError


class S3Door:
    """`S3Door(url, credentials)(scope, receive, send)`; `await close()` when the emulator ends."""

    def __init__(self, forward: Application, credentials: Credentials) -> None:
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError
