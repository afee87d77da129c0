"""A streaming reverse proxy as an ASGI callable: bodies flow both ways in bounded memory, with back-pressure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Head:
    """A request before its body: `target` is the raw path and query; header names are lower case."""

    method: str
    target: bytes
    headers: Headers


@dataclass(frozen=True)
class Answer:
    """A response before its body. `body` is set only where the proxy answers by itself."""

    status: int
    headers: Headers
    body: bytes | None = None


@dataclass(frozen=True)
class Failure:
    """Why upstream gave no answer: nobody listens, it was silent too long, or it broke off."""

    reason: Literal["refused", "timeout", "broken"]
    message: str


class Forward:
    """Forward every request to `base_url`.

    `on_request` may change the head (path prefix, signature) or answer at once; `on_answer` may change the answer's
    head (Location); `on_failure` says what the client is told when upstream gives no answer.
    """

    def __init__(
        self,
        base_url: str,
        on_request: Callable[[Head, Scope], Head | Answer] | None = None,
        on_answer: Callable[[Head, Answer], Answer] | None = None,
        on_failure: Callable[[Head, Failure], Answer] | None = None,
        connect_timeout: float = 5,
        idle_timeout: float = 60,
        connections: int = 256,
    ) -> None:
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        """Close the connections that are kept for later."""
        raise NotImplementedError
