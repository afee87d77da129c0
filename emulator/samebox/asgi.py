"""ASGI: its types, the head of a request, whole and streamed responses, and bodies that are read within bounds.

A leaf module: whatever serves requests speaks it, and it imports nothing of ours. What blocks (files, SQLite, long
hashes) runs in worker threads: `in_thread`, with a `BodyPipe` for the request's body.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

import anyio.to_thread

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]
Headers = tuple[Header, ...]

# A body over its limit is read on and dropped, up to so many times the limit: a client that is still sending when the
# connection closes sees a reset, and not our response.
DRAIN_FACTOR = 4
JSON = (b"content-type", b"application/json")
# What passes at once between the event loop and a worker thread: a change of threads costs as much as copying it.
PIECE_BYTES = 1024 * 1024
_PIPE_BYTES = 4 * 1024 * 1024  # of a body that wait for a thread; beyond, the client waits
_PIPE_AGAIN_BYTES = 1024 * 1024  # at which it goes on

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


# In a scope: whether the form that the request was made of names a key, whose signature was looked at before.
SIGNED_FORM = "samebox.signed-form"


class ClientGone(Exception):
    """The client closed its connection before its request was whole, or sent nothing for too long."""


class BodyTooLarge(Exception):
    """The request's body is larger than its limit."""


@dataclass(frozen=True)
class RequestHead:
    """A request before its body: `target` is the raw path and query; header names are lower case."""

    method: str
    target: bytes
    headers: Headers

    def header(self, name: bytes) -> bytes | None:
        """The first header of that (lower case) name."""
        return header(self.headers, name)

    @property
    def path(self) -> bytes:
        """The raw path."""
        return self.target.partition(b"?")[0]


def request_head(scope: Scope) -> RequestHead:
    """The head of a scope's request."""
    path, query = raw_path(scope), scope.get("query_string") or b""
    target = path + (b"?" + query if query else b"")
    headers = tuple((bytes(name).lower(), bytes(value)) for name, value in scope["headers"])
    return RequestHead(scope["method"], target, headers)


def raw_path(scope: Scope) -> bytes:
    """The path as it came, still percent-encoded and without the query."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return path.partition(b"?")[0]


def header(headers: Iterable[Header], name: bytes) -> bytes | None:
    """The first header of a (lower case) name, or None."""
    return next((value for known, value in headers if known == name), None)


async def pieces(receive: Receive, idle_seconds: float | None = None) -> AsyncIterator[bytes]:
    """The body of a request as it comes. Raises ClientGone, also where nothing came for `idle_seconds`."""
    more = True
    while more:
        try:
            async with asyncio.timeout(idle_seconds):
                message = await receive()
        except TimeoutError:
            raise ClientGone from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        if body := message.get("body"):
            yield body


def whole(body: bytes) -> Receive:
    """A body that was read, to be received again; then the client's silence."""
    messages = iter(({"type": "http.request", "body": body, "more_body": False},))

    async def receive() -> Message:
        for message in messages:
            return message
        return await asyncio.Future()

    return receive


async def read_body(receive: Receive, limit: int, declared: bytes | None = None) -> bytes:
    """The whole body of a request; `declared` is its Content-Length. Raises ClientGone, BodyTooLarge."""
    expected = int(declared[:19]) if declared and declared.isdigit() else 0
    if expected > limit * DRAIN_FACTOR:
        raise BodyTooLarge
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > limit * DRAIN_FACTOR:
            raise BodyTooLarge
    if size > limit:
        raise BodyTooLarge
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def drain(receive: Receive, most: int, seconds: float) -> bool:
    """Read and drop up to `most` bytes of a body, for `seconds` at most. Whether it ended within both."""
    more = True
    try:
        async with asyncio.timeout(seconds):
            while more and most > 0:
                message = await receive()
                most -= len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        pass
    return not more


async def respond(
    send: Send, status: int, headers: Iterable[Header] = (), body: bytes = b"", has_body: bool = True
) -> None:
    """Send a whole response, with its length. The response to HEAD has none of the body that it describes."""
    described = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body if has_body else b""})


async def respond_json(send: Send, status: int, value: Any, headers: Iterable[Header] = ()) -> None:
    """Send a value as JSON."""
    await respond(send, status, (JSON, *headers), json.dumps(value).encode())


async def stream(
    send: Send, status: int, headers: Iterable[Header], body: AsyncIterator[bytes], idle_seconds: float | None = None
) -> None:
    """Send a response whose body comes in pieces; its length is in `headers`, or the server sends it chunked.

    Raises ClientGone where the client takes nothing for `idle_seconds`. Where `body` raises, the response has no end,
    so that the server cuts the connection and the client knows.
    """
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    async for piece in body:
        try:
            async with asyncio.timeout(idle_seconds):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            raise ClientGone from None
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def in_thread(
    call: Callable[[*Arguments], Result], *arguments: *Arguments, limiter: anyio.CapacityLimiter
) -> Result:
    """The result of a call that may block, from a worker thread. `limiter` bounds how many of its kind run at once."""
    return await anyio.to_thread.run_sync(call, *arguments, limiter=limiter)


class BodyPipe:
    """Pieces of one body. The loop feeds it, one thread reads it; nothing is received before the thread asks.

    So a request that is refused by its head alone, and that expects `100 Continue`, sends no body.
    """

    def __init__(self, receive: Receive, idle_seconds: float) -> None:
        self._receive = receive
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._failed = False

    async def feed(self) -> None:
        """Receive the body once it is wanted, until its end. To be run beside the thread, and cancelled after it."""
        failed = True
        try:
            await self._wanted.wait()
            async for piece in pieces(self._receive, self._idle_seconds):
                await self._room.wait()
                self._put(piece)
            failed = False
        except ClientGone:
            return  # which the thread hears
        finally:  # where it is cancelled, too: the thread must not wait for more
            self._end(failed)

    def read(self) -> Iterator[bytes]:
        """The pieces, in a worker thread. Raises ClientGone where the client goes, or is silent for too long."""
        self._loop.call_soon_threadsafe(self._wanted.set)
        while True:
            with self._changed:
                # The loop bounds the wait for the client; this bound is for a loop that is no more.
                if not self._changed.wait_for(lambda: bool(self._pieces) or self._ended, 2 * self._idle_seconds):
                    raise ClientGone
                taken, self._pieces = self._pieces, deque()
                had_room, self._size = self._size < _PIPE_AGAIN_BYTES, 0
                over = not taken
            if over:
                if self._failed:
                    raise ClientGone
                return
            if not had_room:
                self._loop.call_soon_threadsafe(self._room.set)
            yield from taken

    def _put(self, piece: bytes) -> None:
        with self._changed:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size >= _PIPE_BYTES:
                self._room.clear()
            self._changed.notify()

    def _end(self, failed: bool) -> None:
        with self._changed:
            self._ended, self._failed = True, failed
            self._changed.notify()
