"""Bytes between a client of the proxy and a host that is not AWS's, both ways and unread, with back-pressure."""

import asyncio
import base64
import contextlib
import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from samebox.proxy.targets import ProxyRules, Refused, TunnelTarget, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT_SECONDS = 30.0
# A connection that carries nothing for so long is closed: the other side is gone, or will open another.
IDLE_SECONDS = 3600.0
_MOST_HEAD = 16 * 1024  # of an upstream proxy's answer
_MOST_ADDRESSES = 4


class Side(asyncio.Protocol):
    """One of the two connections; `other` is the other's transport, once there is one.

    What comes before that is held, which is little: the connection is not read until then.
    """

    def __init__(self) -> None:
        self.transport: Any = None
        self.other: Any = None
        self.closed = False
        self.on_end: Callable[[], object] | None = None
        self._held: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport = transport

    def join(self, other: Any) -> None:
        """Pass on what comes from here to there, from now on."""
        self.other = other
        for data in self._held:
            other.write(data)
        self._held.clear()
        self._watch = self._loop.call_later(IDLE_SECONDS, self._look)

    def data_received(self, data: bytes) -> None:
        """Bytes of this side."""
        self._last = self._loop.time()
        if self.other is None:
            self._held.append(data)
        else:
            self.other.write(data)

    def eof_received(self) -> bool:
        """This side sends no more, and may still receive."""
        if self.other is not None and self.other.can_write_eof():
            with contextlib.suppress(OSError):
                self.other.write_eof()
            return True
        return False

    def pause_writing(self) -> None:
        """This side takes no more for now, so the other is not read."""
        if self.other is not None and not self.other.is_closing():
            self.other.pause_reading()

    def resume_writing(self) -> None:
        """It does again."""
        if self.other is not None and not self.other.is_closing():
            self.other.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """This side is gone; what the other was sent already still reaches it."""
        self.closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self.other is not None:
            self.other.close()
        if self.on_end is not None:
            self.on_end()

    def shutdown(self) -> None:
        """Close both sides: the emulator ends."""
        if self.transport is not None:
            self.transport.close()

    def _look(self) -> None:
        left = self._last + IDLE_SECONDS - self._loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._watch = self._loop.call_later(left, self._look)


async def opened(target: TunnelTarget, rules: ProxyRules, most_seconds: float = CONNECT_SECONDS) -> Side:
    """A connection to the target, not read yet. Raises Refused: 502, 504, or 403 for its address."""
    upstream = rules.upstream
    try:
        async with asyncio.timeout(most_seconds):
            if upstream is not None and upstream.is_for(target.host):
                return await _through(upstream, target)
            return await _direct(target, rules)
    except TimeoutError:
        raise Refused(504, f"{target.host} did not answer within {most_seconds:g} s.") from None


async def _direct(target: TunnelTarget, rules: ProxyRules) -> Side:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Refused(502, f"{target.host}: {error.strerror or error}") from None
    # Each is looked at, and it is the address that is connected to: a name may have another one a moment later.
    places = list(dict.fromkeys(str(one[4][0]) for one in found))
    for place in places:
        rules.check_address(ipaddress.ip_address(place.partition("%")[0]))
    problem: OSError | None = None
    for place in places[:_MOST_ADDRESSES]:
        try:
            _, side = await loop.create_connection(Side, place, target.port)
        except OSError as error:
            problem = error
        else:
            side.transport.pause_reading()
            return side
    raise Refused(502, f"{target.host} cannot be reached: {problem}")


async def _through(upstream: Upstream, target: TunnelTarget) -> Side:
    """Through another proxy, which is asked as we were."""
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context() if upstream.tls else None
    place = f"[{target.host}]" if ":" in target.host else target.host
    lines = [f"CONNECT {place}:{target.port} HTTP/1.1", f"Host: {place}:{target.port}"]
    if upstream.authorization:
        lines.append(f"Proxy-Authorization: {upstream.authorization}")
    try:
        transport, answer = await loop.create_connection(_Answer, upstream.host, upstream.port, ssl=context)
    except OSError as error:
        raise Refused(502, f"The proxy {upstream.host}:{upstream.port} cannot be reached: {error}") from None
    transport.write("\r\n".join([*lines, "", ""]).encode())
    try:
        status = await answer.status
    except BaseException:
        transport.close()
        raise
    if not status.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
        transport.close()
        words = status.partition(b"\r\n")[0].decode("latin-1")[:200]
        raise Refused(502, f"The proxy {upstream.host}:{upstream.port} refused {target.host}: {words}")
    transport.pause_reading()
    side = Side()
    side.connection_made(transport)
    transport.set_protocol(side)
    if answer.rest:
        side.data_received(answer.rest)
    return side


class _Answer(asyncio.Protocol):
    """The head of an upstream proxy's answer; what comes behind it is the target's."""

    def __init__(self) -> None:
        self.status: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.rest = b""
        self._data = b""

    def data_received(self, data: bytes) -> None:
        if self.status.done():
            self.rest += data
            return
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if end:
            self.rest = rest
            self.status.set_result(head)
        elif len(self._data) > _MOST_HEAD:
            self.status.set_result(self._data)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.status.done():
            self.status.set_result(b"no answer")


def upstream_of(url: str, not_for: str) -> Upstream | None:
    """The proxy at a URL, None for "". `not_for` is as in NO_PROXY."""
    if not url:
        return None
    parts = urlsplit(url)
    secret = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        secret = "Basic " + base64.b64encode(pair.encode()).decode()
    hosts = tuple(word.strip().lower() for word in not_for.split(",") if word.strip())
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Upstream(parts.hostname or "", port, parts.scheme == "https", secret, hosts)
