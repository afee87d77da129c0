"""One HTTP/1.1 connection to a server behind us: an exchange at a time, whole or streamed, over httptools.

Written by hand because InvokeEndpoint is measured in microseconds: no redirects, cookies or proxies, on which a general
client spends more time than a whole exchange takes. `scripts/bench` prints what it costs.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import httptools

from samebox import asgi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from samebox.asgi import Header, Headers

# What may wait in memory, on either side of a streamed exchange.
HIGH_WATER = 512 * 1024
_WITH_AN_END = {b"content-length", b"transfer-encoding"}

Reason = Literal["refused", "timeout", "broken", "too large"]


class UpstreamError(Exception):
    """The server gave no whole response.

    `status` is that of a response that broke off in its body, 0 where no head came; `is_untouched`: not a byte came.
    """

    def __init__(self, reason: Reason, message: str, status: int = 0, is_untouched: bool = False) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.status = status
        self.is_untouched = is_untouched


class NotConnected(UpstreamError):
    """There is no connection, so nothing was sent."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message, is_untouched=True)


class WholeResponse(NamedTuple):
    """A response with its body; header names are lower case."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first header of that (lower case) name."""
        return asgi.header(self.headers, name)


class Connection(asyncio.Protocol):
    """One connection and the exchange that is on it.

    Either `whole`, or a streamed exchange in this order: `begin`, `write` and `drain` as often as there is body,
    `response`, then `body` to its end. `end` closes either. `idle_seconds` is how long a server may be silent in the
    middle of a streamed exchange.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, idle_seconds: float | None) -> None:
        self._loop = loop
        self._idle_seconds = idle_seconds
        self._transport: asyncio.Transport | None = None
        self._room: asyncio.Future[None] | None = None  # is there while the transport's buffer is full
        self._closed = False
        self._lost: asyncio.Future[None] = loop.create_future()
        self._parser: httptools.HttpResponseParser | None = None
        self.idle_since = 0.0
        self.uses = 0
        self._reset("GET", None)

    def _reset(self, method: str, limit: int | None) -> None:
        self._method = method
        self._limit = limit  # of a whole body; None where the body is streamed
        self.status = 0
        self.headers: list[Header] = []
        self._chunks: list[bytes] = []
        self._waiting_bytes = 0
        self._news: asyncio.Future[None] | None = None
        self._is_touched = self._has_head = self._is_complete = self._keeps = False
        self._error: BaseException | None = None
        self._paused = False
        self._last_sign = 0.0
        self._watch: asyncio.TimerHandle | None = None
        # Silence is only the server's fault while the client has nothing to send.
        self.waits_for_client = False

    # -- a whole exchange

    async def whole(self, method: str, request: Iterable[bytes], limit: int, seconds: float) -> WholeResponse:
        """Send a request and wait for its response, whose body may have `limit` bytes and may take so many seconds.

        Raises UpstreamError.
        """
        self._start(method, limit)
        self._watch = self._loop.call_later(seconds, self._take_too_long, seconds)
        if self._transport is not None:
            self._transport.writelines(request)
        while not self._is_complete:
            await self._wait()
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._chunks = []
        return WholeResponse(self.status, tuple(self.headers), body)

    # -- a streamed exchange

    def begin(self, method: str, head: bytes) -> None:
        """Send a request's head."""
        self._start(method, None)
        self._last_sign = self._loop.time()
        if self._idle_seconds is not None:
            self._watch = self._loop.call_later(self._idle_seconds, self._check)
        self.write(head)

    def write(self, data: bytes) -> None:
        """Send more; `drain` afterwards."""
        if self._transport is not None and not self._closed:
            self._last_sign = self._loop.time()
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until there is room for more."""
        if self._room is not None:
            await self._room
        self._last_sign = self._loop.time()

    async def response(self) -> None:
        """Wait for the response's head: `status` and `headers`. Raises UpstreamError."""
        while not self._has_head:
            await self._wait()

    async def body(self) -> AsyncIterator[bytes]:
        """The response's body as it comes. Raises UpstreamError where it breaks off."""
        while True:
            if self._chunks:
                # What came together goes on together: fewer, larger writes.
                chunks, self._chunks, self._waiting_bytes = self._chunks, [], 0
                if self._paused and self._transport is not None and not self._closed:
                    self._paused = False
                    self._last_sign = self._loop.time()
                    self._transport.resume_reading()
                yield chunks[0] if len(chunks) == 1 else b"".join(chunks)
            elif self._is_complete:
                return
            else:
                await self._wait()

    def end(self, is_sent: bool) -> bool:
        """Close the exchange; True where the request was sent whole and the connection may carry another."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self.idle_since = self._loop.time()
        self._parser = None
        return self._is_complete and self._keeps and is_sent and not self._closed and not self._chunks

    def fail(self, error: BaseException) -> None:
        """End the exchange from outside: its caller gets the error."""
        if self._error is None:
            self._error = error
        self._wake()
        self.resume_writing()

    def close(self) -> None:
        """Cut the connection."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone for good."""
        await asyncio.shield(self._lost)

    @property
    def is_closed(self) -> bool:
        """Has either side closed it?"""
        return self._closed or self._transport is None or self._transport.is_closing()

    def _start(self, method: str, limit: int | None) -> None:
        self._reset(method, limit)
        # A parser of its own for each response: that to HEAD ends where the parser would wait for a body.
        self._parser = httptools.HttpResponseParser(self)
        self.uses += 1
        if self._closed:
            self.fail(UpstreamError("broken", "the connection was closed", is_untouched=True))

    async def _wait(self) -> None:
        if self._error is None:
            self._news = self._loop.create_future()
            await self._news
        # What is complete is complete, whatever became of the connection afterwards.
        if self._error is not None and not self._is_complete:
            raise self._error

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _check(self) -> None:
        assert self._idle_seconds is not None
        silent = self._loop.time() - self._last_sign
        if self._paused or self.waits_for_client:
            silent = 0.0
        if silent >= self._idle_seconds:
            self.fail(UpstreamError("timeout", f"silent for {silent:.0f} s", self._known_status()))
        else:
            self._watch = self._loop.call_later(self._idle_seconds - silent, self._check)

    def _take_too_long(self, seconds: float) -> None:
        self.fail(UpstreamError("timeout", f"no whole response in {seconds:g} s", self._known_status()))

    def _known_status(self) -> int:
        return self.status if self._has_head else 0

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # create_connection makes no other kind; uvloop's transports are no subclass of it, so isinstance would fail.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            self.close()  # bytes that no request asked for: the connection is not to be trusted
            return
        self._is_touched = True
        if self._watch is not None:
            self._last_sign = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.fail(UpstreamError("broken", f"the answer is not HTTP: {error}", self._known_status()))
            self._keeps = False
        if self._limit is None and self._waiting_bytes > HIGH_WATER and not self._paused:
            assert self._transport is not None
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        # The end of a body without a length is the end of the connection.
        if self._has_head and not self._is_complete and not _WITH_AN_END & {name for name, _ in self.headers}:
            self._is_complete = True
            self._wake()
        self._keeps = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        if not self._lost.done():
            self._lost.set_result(None)
        message = str(exc) if exc else "the container closed the connection before it had answered"
        self.fail(UpstreamError("broken", message, self._known_status(), not self._is_touched))

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        self._last_sign = self._loop.time()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    # -- httptools' callbacks

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._keeps = False  # a second response, to which there was no request

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_complete:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self._is_complete or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:  # 100 Continue and the like precede the response
            self.headers = []
            return
        self._has_head = True
        self._keeps = self._parser.should_keep_alive()
        self._is_complete = self._method == "HEAD"
        if self._limit is None or self._is_complete:
            self._wake()

    def on_body(self, data: bytes) -> None:
        if self._is_complete:
            self._keeps = False  # a body where none belongs, as after the response to HEAD
            return
        self._chunks.append(data)
        self._waiting_bytes += len(data)
        if self._limit is None:
            self._wake()
        elif self._waiting_bytes > self._limit:
            self.fail(UpstreamError("too large", f"a body of more than {self._limit} bytes", self.status))
            self.close()

    def on_message_complete(self) -> None:
        if self._has_head and not self._is_complete and self._error is None:
            self._is_complete = True
            self._wake()
