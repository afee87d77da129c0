"""HTTP/1.1 towards a server behind us: kept connections, one streamed exchange at a time on each, back-pressure."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Literal, cast

import httptools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# What may wait in memory, on either side of one exchange.
_HIGH_WATER = 512 * 1024
_IDLE_CONNECTION_SECONDS = 30.0


class UpstreamError(Exception):
    """The server gave no answer, or not a whole one. `is_untouched`: not a byte of an answer has come."""

    def __init__(
        self, reason: Literal["refused", "timeout", "broken"], message: str, is_untouched: bool = False
    ) -> None:
        super().__init__(message)
        self.reason: Literal["refused", "timeout", "broken"] = reason
        self.is_untouched = is_untouched


class Connection(asyncio.Protocol):
    """One connection and the exchange that is on it.

    The order of calls: `begin`, `write` and `drain` as often as there is body, `answer`, then `body` to its end.
    """

    def __init__(self, idle_timeout: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle_timeout = idle_timeout
        self._transport: asyncio.Transport | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._closed = False
        self._lost = asyncio.Event()
        self.idle_since = 0.0
        self.uses = 0
        self._reset("GET")

    def _reset(self, method: str) -> None:
        # A parser of its own for each answer: that to HEAD ends where the parser would go on to wait for a body.
        self._parser = httptools.HttpResponseParser(self)
        self._method = method
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._chunks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._has_head = self._is_complete = self._keeps = False
        self._error: BaseException | None = None
        self._paused = False
        self._last_sign = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        # Silence is only the server's fault while nobody waits for the client.
        self.waits_for_client = False

    # -- the exchange

    def begin(self, method: str, head: bytes) -> None:
        """Send a request's head."""
        self._reset(method)
        self.uses += 1
        self._watch = self._loop.call_later(self._idle_timeout, self._check)
        self.write(head)

    def write(self, data: bytes) -> None:
        """Send more; `drain` afterwards."""
        if self._transport is not None and not self._closed:
            self._last_sign = self._loop.time()
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until there is room for more."""
        if not self._may_write.is_set():
            await self._may_write.wait()
        self._last_sign = self._loop.time()

    async def answer(self) -> None:
        """Wait for the answer's head: `status` and `headers`. Raises UpstreamError."""
        while not self._has_head:
            if self._error is not None:
                raise self._error
            await self._wait()

    async def body(self) -> AsyncIterator[bytes]:
        """The answer's body as it comes. Raises UpstreamError where it breaks off."""
        while True:
            if self._chunks:
                # What came together goes on together: fewer, larger writes.
                whole = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
                self._chunks.clear()
                self._waiting_bytes = 0
                if self._paused and self._transport is not None and not self._closed:
                    self._paused = False
                    self._last_sign = self._loop.time()
                    self._transport.resume_reading()
                yield whole
            elif self._is_complete:
                return
            elif self._error is not None:
                raise self._error
            else:
                await self._wait()

    def end(self, body_sent: bool) -> bool:
        """Close the exchange; True where the connection may carry another."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self.idle_since = self._loop.time()
        return self._is_complete and self._keeps and body_sent and not self._closed and not self._chunks

    def fail(self, error: BaseException) -> None:
        """End the exchange from outside: whoever waits for the answer gets the error."""
        self._error = self._error or error
        self._news.set()
        self._may_write.set()

    def close(self) -> None:
        """Cut the connection."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone for good."""
        await self._lost.wait()

    @property
    def is_closed(self) -> bool:
        """Has either side closed it?"""
        return self._closed or self._transport is None or self._transport.is_closing()

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _check(self) -> None:
        silent = self._loop.time() - self._last_sign
        if self._paused or self.waits_for_client:
            silent = 0.0
        if silent >= self._idle_timeout:
            self.fail(UpstreamError("timeout", f"silent for {silent:.0f} s"))
        else:
            self._watch = self._loop.call_later(self._idle_timeout - silent, self._check)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(_HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        self._last_sign = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not self._is_complete:
                self.fail(UpstreamError("broken", f"no HTTP: {error}"))
            self._keeps = False
        if self._waiting_bytes > _HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        # The end of a body without a length is the end of the connection.
        names = {name for name, _ in self.headers}
        if self._has_head and not self._is_complete and not names & {b"content-length", b"transfer-encoding"}:
            self._is_complete = True
        self._keeps = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._lost.set()
        self.fail(UpstreamError("broken", str(exc or "closed the connection"), not self._has_head))

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._last_sign = self._loop.time()
        self._may_write.set()

    # -- httptools' callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers = []
            return
        self._has_head = True
        self._keeps = self._parser.should_keep_alive()
        self._is_complete = self._method == "HEAD"
        self._news.set()

    def on_body(self, data: bytes) -> None:
        self._chunks.append(data)
        self._waiting_bytes += len(data)
        self._news.set()

    def on_message_complete(self) -> None:
        if self._has_head:
            self._is_complete = True
            self._news.set()


class Upstream:
    """The connections to one server. `acquire` one, use it, `release` it."""

    def __init__(self, host: str, port: int, connect_timeout: float, idle_timeout: float, connections: int) -> None:
        self._host = host
        self._port = port
        self._connect_timeout = connect_timeout
        self._idle_timeout = idle_timeout
        self._room = asyncio.Semaphore(connections)
        self._kept: list[Connection] = []

    async def acquire(self, fresh: bool = False) -> Connection:
        """A connection that nobody else uses, a new one if `fresh`. Raises UpstreamError."""
        try:
            async with asyncio.timeout(self._connect_timeout):
                await self._room.acquire()
        except TimeoutError:
            raise UpstreamError("timeout", "all connections are in use") from None
        try:
            return (None if fresh else self._take()) or await self._connect()
        except BaseException:
            self._room.release()
            raise

    def release(self, connection: Connection, body_sent: bool) -> None:
        """Give it back: kept for the next request where the exchange ended well, closed otherwise."""
        self._room.release()
        if connection.end(body_sent):
            self._kept.append(connection)
        else:
            connection.close()

    async def close(self) -> None:
        """Close what is kept."""
        while self._kept:
            connection = self._kept.pop()
            connection.close()
            await connection.wait_closed()

    def _take(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - _IDLE_CONNECTION_SECONDS
        while self._kept:
            connection = self._kept.pop()
            if not connection.is_closed and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._idle_timeout), self._host, self._port
                )
        except TimeoutError:
            raise UpstreamError("timeout", f"no connection in {self._connect_timeout} s", True) from None
        except OSError as error:
            raise UpstreamError("refused", str(error), True) from error
        return connection


@contextlib.asynccontextmanager
async def cancelled_at_end(task: asyncio.Task[None]) -> AsyncIterator[None]:
    """A task that ends with the block, whatever happens in it."""
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
