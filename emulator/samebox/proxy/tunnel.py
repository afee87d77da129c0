"""CONNECT: the head of such a request, its refusal, and what a connection becomes that is granted one.

A tunnel to one of AWS's names ends here: TLS with a certificate of that name, then HTTP as on any other connection of
ours. One to another host leads there (passage.py).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

import anyio

from samebox import asgi
from samebox.proxy import passage, targets
from samebox.proxy.authority import Authority
from samebox.proxy.targets import ProxyRules, Refused, TunnelTarget

log = logging.getLogger(__name__)

METHOD = b"CONNECT "
_MOST_HEAD = 64 * 1024
_HEAD_SECONDS = 60.0
_HANDSHAKE_SECONDS = 60.0
_THREADS = 4  # that make certificates at once
_WORDS = {200: "Connection established", 400: "Bad Request", 403: "Forbidden", 431: "Request Header Fields Too Large"}


class Inner(Protocol):
    """What speaks HTTP behind TLS."""

    def connection_made(self, transport: Any) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def eof_received(self) -> object: ...
    def connection_lost(self, exc: Exception | None) -> None: ...


# Makes one for connections that came for this host.
MakeInner = Callable[[str], Inner]


class ForwardProxy:
    """What all tunnels of one emulator share."""

    def __init__(self, rules: ProxyRules, authority: Authority) -> None:
        self.rules = rules
        self.authority = authority
        self.limiter = anyio.CapacityLimiter(_THREADS)


class Tunnel(asyncio.Protocol):
    """A connection whose first bytes were CONNECT, handed over by the server with what it read.

    `connections` is the server's set of what it closes at its end.
    """

    def __init__(self, proxy: ForwardProxy, make_inner: MakeInner, connections: set[Any]) -> None:
        self._proxy = proxy
        self._make_inner = make_inner
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._data = b""
        self._work: asyncio.Task[None] | None = None
        self._wait: asyncio.TimerHandle | None = None

    def take_over(self, transport: Any, data: bytes) -> None:
        """Be the connection's protocol from now on."""
        self._transport = transport
        transport.set_protocol(self)
        self._connections.add(self)
        self._wait = self._loop.call_later(_HEAD_SECONDS, transport.close)
        self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """Bytes of the head. None may follow it before our answer."""
        if self._work is not None:
            self._transport.close()
            return
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            if len(self._data) > _MOST_HEAD:
                self._refuse(Refused(431, "The request's headers are too large."))
            return
        if self._wait is not None:
            self._wait.cancel()
        if rest:
            self._refuse(Refused(400, "A client waits for the answer to CONNECT before it sends more."))
            return
        self._transport.pause_reading()
        self._work = self._loop.create_task(self._open(head))

    def eof_received(self) -> bool:
        """The client sends no more: without a tunnel that is its end."""
        return False

    def connection_lost(self, _: Exception | None) -> None:
        """The client is gone."""
        self._connections.discard(self)
        if self._wait is not None:
            self._wait.cancel()
        if self._work is not None:
            self._work.cancel()

    def shutdown(self) -> None:
        """The emulator ends."""
        self._connections.discard(self)
        if self._work is not None:
            self._work.cancel()
        self._transport.close()

    async def _open(self, head: bytes) -> None:
        try:
            self._check_client()
            target = targets.parse(head.split(b"\r\n", 1)[0].split(b" ")[1].decode("latin-1"))
            if self._proxy.rules.decide(target) == "emulator":
                await self._end_here(target)
            else:
                await self._pass_on(target)
        except Refused as refused:
            self._refuse(refused)

    def _check_client(self) -> None:
        peer = self._transport.get_extra_info("peername")
        if peer is None or not self._proxy.rules.is_near(peer[0]):
            raise Refused(403, "The proxy serves this machine and containers of its emulator only.")

    async def _end_here(self, target: TunnelTarget) -> None:
        authority = self._proxy.authority
        context = await asgi.in_thread(authority.context, target.host, limiter=self._proxy.limiter)
        self._answer(200)
        held = _Held()
        try:
            secured = await self._loop.start_tls(
                self._transport, held, context, server_side=True, ssl_handshake_timeout=_HANDSHAKE_SECONDS
            )
        except (OSError, EOFError) as error:  # ssl's errors are OSErrors
            reason = str(error) or "it closed the connection"
            log.info("a client of the proxy gave up on %s: %s (does it have our AWS_CA_BUNDLE?)", target.host, reason)
            self._transport.close()
            self._connections.discard(self)
            return
        self._connections.discard(self)
        if secured is None:
            return
        # No await from here on: nothing arrives between.
        inner = self._make_inner(target.host)
        inner.connection_made(secured)
        secured.set_protocol(inner)  # type: ignore[arg-type]
        held.pass_on(inner)

    async def _pass_on(self, target: TunnelTarget) -> None:
        there = await passage.opened(target, self._proxy.rules)
        if self._transport.is_closing() or there.closed:
            there.shutdown()
            return
        here = passage.Side()
        here.connection_made(self._transport)
        self._transport.set_protocol(here)
        self._connections.discard(self)
        self._connections.add(here)
        here.on_end = lambda: self._connections.discard(here)
        self._answer(200)
        here.join(there.transport)
        there.join(self._transport)
        self._transport.resume_reading()
        there.transport.resume_reading()

    def _answer(self, status: int, text: str = "") -> None:
        lines = [f"HTTP/1.1 {status} {_WORDS.get(status, 'Bad Gateway')}"]
        if status != 200:
            lines += ["content-type: text/plain", f"content-length: {len(text.encode())}", "connection: close"]
        self._transport.write("\r\n".join([*lines, "", text]).encode())

    def _refuse(self, refused: Refused) -> None:
        log.info("the proxy refused a client: %s", refused)
        self._answer(refused.status, f"{refused}\n")
        self._transport.close()


class _Held(asyncio.Protocol):
    """Holds what comes between the end of the handshake and the moment in which HTTP takes over."""

    def __init__(self) -> None:
        self._events: list[Callable[[Inner], object]] = []

    def data_received(self, data: bytes) -> None:
        self._events.append(lambda inner: inner.data_received(data))

    def eof_received(self) -> bool:
        self._events.append(lambda inner: inner.eof_received())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._events.append(lambda inner: inner.connection_lost(exc))

    def pass_on(self, inner: Inner) -> None:
        """Give the held to what it was meant for."""
        for event in self._events:
            event(inner)
