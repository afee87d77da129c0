"""The HTTP client of the data plane: kept connections by address, for whole exchanges and for streamed ones."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from samebox.traffic.connection import Connection, NotConnected, UpstreamError, WholeResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from samebox.asgi import Header
    from samebox.traffic.routes import Address

# A kept connection that is older is not used again: servers close theirs after a while, some of them silently.
_IDLE_CONNECTION_SECONDS = 30.0
_KEPT = 64  # for each address; more are closed when their exchange ends


class HttpClient:
    """Connections to servers behind us, kept for each address. Belongs to one event loop.

    `limit` bounds the body of a whole response, in bytes. A server may take `connect_seconds` to accept a connection,
    and be silent for `idle_seconds` in the middle of a streamed exchange. There are at most `connections` to an
    address, where that is bounded; a further exchange waits for `connect_seconds` at most. With `tls`, connections are
    TLS's.
    """

    def __init__(
        self,
        limit: int,
        connect_seconds: float = 5.0,
        idle_seconds: float | None = None,
        connections: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._limit = limit
        self._connect_seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._connections = connections
        self._kept: dict[Address, deque[Connection]] = defaultdict(deque)
        self._in_flight: dict[Address, int] = defaultdict(int)
        self._room: dict[Address, asyncio.Semaphore] = {}

    def in_flight(self, address: Address) -> int:
        """How many exchanges with an address are under way at this moment; may be asked from any thread."""
        return self._in_flight.get(address, 0)

    async def ask(
        self,
        address: Address,
        method: str,
        target: bytes,
        headers: Iterable[Header] = (),
        body: bytes = b"",
        *,
        seconds: float,
    ) -> WholeResponse:
        """Send a request and wait for its whole response for so many seconds. Cancelling it closes the connection.

        Raises NotConnected, and UpstreamError, whose reason is "timeout" where the seconds are over.
        """
        now = asyncio.get_running_loop().time
        until = now() + seconds
        head = b"".join(
            (
                method.encode(), b" ", target, b" HTTP/1.1\r\nhost: ", f"{address[0]}:{address[1]}".encode(),
                b"\r\ncontent-length: ", b"%d" % len(body), b"\r\n",
                *(part for name, value in headers for part in (name, b": ", value, b"\r\n")),
                b"\r\n",
            )
        )  # fmt: skip
        request = (head, body) if body else (head,)
        while True:
            connection = await self.acquire(address)
            is_answered = False
            try:
                response = await connection.whole(method, request, self._limit, until - now())
                is_answered = True
            except UpstreamError as error:
                # A server may close a kept connection at the moment we write to it. It has not read the request
                # then, so asking again on another connection is safe; after a first byte of response it is not.
                if connection.uses < 2 or not error.is_untouched:
                    raise
            finally:
                self.release(address, connection, is_answered)
            if is_answered:
                return response

    async def acquire(self, address: Address, fresh: bool = False) -> Connection:
        """A connection for one exchange, a new one if `fresh`; `release` it. Raises NotConnected."""
        if self._connections is not None:
            room = self._room.setdefault(address, asyncio.Semaphore(self._connections))
            try:
                async with asyncio.timeout(self._connect_seconds):
                    await room.acquire()
            except TimeoutError:
                raise NotConnected("timeout", "all connections are in use") from None
        self._in_flight[address] += 1
        try:
            return (None if fresh else self._take(address)) or await self._connect(address)
        except BaseException:
            self._leave(address)
            raise

    def release(self, address: Address, connection: Connection, is_sent: bool) -> None:
        """Give it back: kept for another exchange where this one ended well, and its request was sent whole."""
        self._leave(address)
        keeps = connection.end(is_sent)
        kept = self._kept[address]
        if keeps and len(kept) < (self._connections or _KEPT):
            kept.append(connection)
        else:
            connection.close()

    def forget(self, keep: frozenset[Address]) -> None:
        """Close what is kept for addresses that are not in use any more."""
        for address in [known for known in self._kept if known not in keep]:
            for connection in self._kept.pop(address):
                connection.close()
        for address in [known for known, count in self._in_flight.items() if not count and known not in keep]:
            del self._in_flight[address]
            self._room.pop(address, None)

    async def close(self) -> None:
        """Close everything that is kept."""
        connections = [one for kept in self._kept.values() for one in kept]
        self.forget(frozenset())
        for connection in connections:
            await connection.wait_closed()

    def _leave(self, address: Address) -> None:
        self._in_flight[address] -= 1
        if self._connections is not None:
            self._room[address].release()

    def _take(self, address: Address) -> Connection | None:
        kept = self._kept[address]
        oldest = asyncio.get_running_loop().time() - _IDLE_CONNECTION_SECONDS
        while kept:
            connection = kept.pop()
            if not connection.is_closed and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self, address: Address) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, self._idle_seconds), *address, ssl=self._tls
                )
        except TimeoutError:
            raise NotConnected("timeout", f"no connection in {self._connect_seconds} s") from None
        except OSError as error:
            raise NotConnected("refused", str(error)) from error
        return connection
