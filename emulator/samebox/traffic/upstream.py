"""One HTTP/1.1 exchange with a model container, over connections that are kept: the hot path of InvokeEndpoint.

Written by hand over httptools because it is measured in microseconds: bodies are whole (they are bounded by the
service's own limit), there are no redirects, cookies or proxies, and a general client spends more time on those than
the exchange takes. `scripts/bench` prints what it costs.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import httptools

Address = tuple[str, int]
IDLE_CONNECTIONS = 64  # kept for each address; more are closed when their exchange ends


class Refused(Exception):
    """Nobody listens at the address, or not in time: the request was not sent."""


class Broken(Exception):
    """The connection ended, or the answer was not HTTP, after the request was sent.

    `status` is that of an answer that broke off in its body, 0 if its head was not complete.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class TooLarge(Exception):
    """The answer's body is larger than the limit."""


@dataclass(frozen=True)
class Reply:
    """A container's answer; header names are lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first header of this (lower-case) name."""
        return next((value for known, value in self.headers if known == name), None)


class _Connection(asyncio.Protocol):
    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self._loop = loop
        self._limit = limit
        self._parser: httptools.HttpResponseParser | None = None
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._status = 0
        self.heard = False
        self.open = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # create_connection makes no other kind; uvloop's transports do not inherit from it, so isinstance would lie.
        self._transport = cast("asyncio.Transport", transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            self.close()  # bytes that nobody asked for: the connection is not to be trusted
            return
        self.heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(Broken(f"the answer is not HTTP: {error}", self._status))

    def connection_lost(self, _: Exception | None) -> None:
        self.open = False
        if self._parser is not None and self._reply is not None and not self._reply.done():
            if self._answer_ends_with_connection():
                self.on_message_complete()
            else:
                self._fail(Broken("the container closed the connection before it had answered", self._status))

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        self._status = status if status >= 200 else 0  # 100 Continue and the like precede the answer

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._limit:
            self._fail(TooLarge())
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        parser, reply = self._parser, self._reply
        if parser is None or reply is None or reply.done():
            return
        if parser.get_status_code() < 200:  # 100 Continue and the like precede the answer
            self._headers.clear()
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        keep = parser.should_keep_alive()
        reply.set_result(Reply(parser.get_status_code(), tuple(self._headers), body))
        self._parser = None
        if not keep:
            self.close()

    # ours

    async def exchange(self, request: Iterable[bytes]) -> Reply:
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._headers, self._body, self._size, self._status, self.heard = [], [], 0, 0, False
        self._reply = self._loop.create_future()
        self._transport.writelines(request)
        return await self._reply

    def close(self) -> None:
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def _answer_ends_with_connection(self) -> bool:
        names = {name for name, _ in self._headers}
        return self.heard and bool(names) and not names & {b"content-length", b"transfer-encoding"}

    def _fail(self, error: Exception) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)
        self.close()


class Upstream:
    """Connections to model containers. Belongs to one event loop.

    `limit` bounds an answer's body in bytes; `connect_seconds` is how long a container may take to accept.
    """

    def __init__(self, limit: int, connect_seconds: float = 5.0) -> None:
        self._limit = limit
        self._connect_seconds = connect_seconds
        self._idle: dict[Address, deque[_Connection]] = defaultdict(deque)
        self._under_way: dict[Address, int] = defaultdict(int)

    def in_flight(self, address: Address) -> int:
        """How many requests to an address are under way at this moment; may be asked from any thread."""
        return self._under_way.get(address, 0)

    async def post(self, address: Address, path: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Reply:
        """POST a body and wait for the whole answer, however long it takes: bound the call with asyncio.timeout.

        Raises Refused, Broken, TooLarge. Cancelling it closes the connection.
        """
        head = b"".join(
            (
                b"POST ", path, b" HTTP/1.1\r\nhost: ", f"{address[0]}:{address[1]}".encode(),
                b"\r\ncontent-length: ", str(len(body)).encode(), b"\r\n",
                *(part for name, value in headers for part in (name, b": ", value, b"\r\n")),
                b"\r\n",
            )
        )  # fmt: skip
        self._under_way[address] += 1
        try:
            return await self._ask(address, (head, body) if body else (head,))
        finally:
            self._under_way[address] -= 1

    def forget(self, keep: frozenset[Address]) -> None:
        """Close what is kept for addresses that are not in use any more."""
        for address in [known for known in self._idle if known not in keep]:
            for connection in self._idle.pop(address):
                connection.close()
        for address in [known for known, count in self._under_way.items() if not count and known not in keep]:
            del self._under_way[address]

    def close(self) -> None:
        """Close everything that is kept."""
        self.forget(frozenset())

    async def _ask(self, address: Address, request: Iterable[bytes]) -> Reply:
        while True:
            connection, fresh = await self._take(address)
            try:
                reply = await connection.exchange(request)
            except Broken:
                # A server may close a kept connection at the moment we write to it. It has not read the request
                # then, so asking again on a new connection is safe; after a first byte of answer it is not.
                if fresh or connection.heard:
                    raise
                continue
            except asyncio.CancelledError:
                connection.close()
                raise
            self._give_back(address, connection)
            return reply

    async def _take(self, address: Address) -> tuple[_Connection, bool]:
        idle = self._idle[address]
        while idle:
            connection = idle.pop()
            if connection.open:
                return connection, False
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await loop.create_connection(lambda: _Connection(loop, self._limit), *address)
        except (OSError, TimeoutError) as error:
            raise Refused(str(error)) from error
        return connection, True

    def _give_back(self, address: Address, connection: _Connection) -> None:
        idle = self._idle[address]
        if connection.open and len(idle) < IDLE_CONNECTIONS:
            idle.append(connection)
        else:
            connection.close()
