"""A streaming reverse proxy as an ASGI callable: bodies flow both ways in bounded memory, with back-pressure."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from samebox import asgi
from samebox.asgi import ClientGone, Header, Headers, Receive, RequestHead, Scope, Send
from samebox.traffic.client import HttpClient
from samebox.traffic.connection import Connection, Reason, UpstreamError

log = logging.getLogger(__name__)

# RFC 9110, 7.6.1. `expect` is answered by our own server as soon as the body is asked for.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"expect",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Our own server sets these.
_SERVERS_OWN = frozenset({b"date", b"server"})
# How much of a refused request's body is read and dropped.
_DRAIN_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class ProxyResponse:
    """A response before its body. Where `body` is given, it is sent in place of any that upstream has."""

    status: int
    headers: Headers
    body: bytes | None = None

    def header(self, name: bytes) -> bytes | None:
        """The first header of that (lower case) name."""
        return asgi.header(self.headers, name)


@dataclass(frozen=True)
class Failure:
    """Why upstream did not respond: no listener, no data for too long, or a broken connection."""

    reason: Reason
    message: str


OnRequest = Callable[[RequestHead, Scope], Awaitable[RequestHead | ProxyResponse]]
OnAnswer = Callable[[RequestHead, ProxyResponse], Awaitable[ProxyResponse]]
OnFailure = Callable[[RequestHead, Failure], ProxyResponse]


class Forward:
    """Forward every request to `base_url`, with the headers as they came, Host included.

    `on_request` may change the head (path prefix, signature) or answer at once. `on_answer` may change the answer's
    head (Location), or give one with a body in its place. `on_failure` makes the answer where upstream gives none.
    `idle_timeout` is how long upstream, or the client, may be silent in the middle of an exchange.
    """

    def __init__(
        self,
        base_url: str,
        on_request: OnRequest | None = None,
        on_answer: OnAnswer | None = None,
        on_failure: OnFailure | None = None,
        connect_timeout: float = 5,
        idle_timeout: float = 60,
        connections: int = 256,
    ) -> None:
        place = urlsplit(base_url)
        if place.scheme not in ("http", "https") or not place.hostname:
            raise ValueError(f"{base_url!r} is not an http or https URL to forward to.")
        is_tls = place.scheme == "https"
        self._address = (place.hostname, place.port or (443 if is_tls else 80))
        self._prefix = place.path.rstrip("/").encode()
        self._on_request, self._on_answer = on_request, on_answer
        self._on_failure = on_failure or _plain_failure
        self._idle_timeout = idle_timeout
        tls = ssl.create_default_context() if is_tls else None
        self._client = HttpClient(0, connect_timeout, idle_timeout, connections, tls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Returns when the answer is sent, or when the client went away."""
        head = asgi.request_head(scope)
        if self._on_request is not None:
            changed = await self._on_request(head, scope)
            if isinstance(changed, ProxyResponse):
                await _refuse(head, changed, receive, send, self._idle_timeout)
                return
            head = changed
        client = _Client(receive, send, self._idle_timeout)
        try:
            await self._exchange(head, client)
        except ClientGone:
            log.debug("%s %s: the client went away", head.method, _short(head))
        except UpstreamError as error:
            log.warning("%s %s: upstream %s: %s", head.method, _short(head), error.reason, error)
            # Once the head is sent, only a connection cut short shows the client that the body is incomplete:
            # returning without the end of the body makes the server cut it.
            if not client.has_answer:
                await _send_whole(send, self._on_failure(head, Failure(error.reason, str(error))))

    async def close(self) -> None:
        """Close the connections that are kept for later."""
        await self._client.close()

    async def _exchange(self, head: RequestHead, client: _Client) -> None:
        connection = await self._client.acquire(self._address)
        try:
            await self._once(connection, head, client)
        except UpstreamError as error:
            # The server may have closed a kept connection just as we took it: nothing was lost, so ask again.
            if not error.is_untouched or connection.uses < 2 or client.body_begun or client.has_answer:
                raise
            await self._once(await self._client.acquire(self._address, fresh=True), head, client)

    async def _once(self, connection: Connection, head: RequestHead, client: _Client) -> None:
        is_chunked = head.header(b"transfer-encoding") is not None
        connection.begin(head.method, self._request_bytes(head, is_chunked))
        sender = asyncio.create_task(client.pump(connection, is_chunked))
        try:
            await connection.response()
            await self._answer(connection, head, client)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            self._client.release(self._address, connection, client.body_sent)

    async def _answer(self, connection: Connection, head: RequestHead, client: _Client) -> None:
        answer = ProxyResponse(connection.status, _passed_on(connection.headers, _SERVERS_OWN))
        if self._on_answer is not None:
            answer = await self._on_answer(head, answer)
        if answer.body is not None:
            await client.send_whole(answer)
            return
        await client.send_stream(answer, connection.body())

    def _request_bytes(self, head: RequestHead, is_chunked: bool) -> bytes:
        lines = [b"%s %s HTTP/1.1" % (head.method.encode(), self._prefix + head.target)]
        lines.extend(b"%s: %s" % header for header in _passed_on(head.headers))
        if head.header(b"host") is None:
            lines.append(b"host: %s:%d" % (self._address[0].encode(), self._address[1]))
        if is_chunked:
            lines.append(b"transfer-encoding: chunked")
        return b"\r\n".join([*lines, b"", b""])


class _Client:
    """The client's side of one exchange."""

    def __init__(self, receive: Receive, send: Send, idle_timeout: float) -> None:
        self._receive, self._send = receive, send
        self._idle_timeout = idle_timeout
        self.body_begun = self.body_sent = self.has_answer = False

    async def pump(self, connection: Connection, is_chunked: bool) -> None:
        """Pass the request's body on; then wait for news that the client is gone."""
        while not self.body_sent:
            connection.waits_for_client = True
            try:
                async with asyncio.timeout(self._idle_timeout):
                    message = await self._receive()
            except TimeoutError:
                connection.fail(ClientGone())
                return
            if message["type"] == "http.disconnect":
                # Half a body must not look like a whole one: upstream's connection is cut.
                connection.fail(ClientGone())
                return
            if body := message.get("body"):
                self.body_begun = True
                connection.write(b"%x\r\n%s\r\n" % (len(body), body) if is_chunked else body)
                connection.waits_for_client = False
                await connection.drain()
            if not message.get("more_body"):
                if is_chunked:
                    connection.write(b"0\r\n\r\n")
                self.body_sent = True
                connection.waits_for_client = False
        while (await self._receive())["type"] != "http.disconnect":
            pass
        connection.fail(ClientGone())

    async def send_whole(self, answer: ProxyResponse) -> None:
        self.has_answer = True
        await _send_whole(self._send, answer)

    async def send_stream(self, answer: ProxyResponse, body: AsyncIterator[bytes]) -> None:
        self.has_answer = True
        await asgi.stream(self._send, answer.status, answer.headers, body, self._idle_timeout)


def _passed_on(headers: Iterable[Header], without: frozenset[bytes] = frozenset()) -> Headers:
    named = asgi.header(headers, b"connection")
    dropped = _HOP_BY_HOP | without
    if named:
        dropped |= {name.strip().lower() for name in named.split(b",")}
    return tuple(header for header in headers if header[0] not in dropped)


async def _send_whole(send: Send, answer: ProxyResponse) -> None:
    body = answer.body or b""
    headers = [header for header in answer.headers if header[0] != b"content-length"]
    await asgi.respond(send, answer.status, headers, body)


async def _refuse(head: RequestHead, answer: ProxyResponse, receive: Receive, send: Send, idle_timeout: float) -> None:
    # The body that belongs to the refused request must not be taken for the next request. A client that asked first
    # (`Expect`) will not send it; one that sends it already gets to read our answer if we take the body in.
    if not await asgi.drain(receive, _DRAIN_BYTES if head.header(b"expect") is None else 0, idle_timeout):
        answer = ProxyResponse(answer.status, (*answer.headers, (b"connection", b"close")), answer.body)
    await _send_whole(send, answer)


def _plain_failure(head: RequestHead, failure: Failure) -> ProxyResponse:  # noqa: ARG001 - others look at the head
    status = {"refused": 503, "timeout": 504}.get(failure.reason, 502)
    return ProxyResponse(status, ((b"content-type", b"text/plain; charset=utf-8"),), f"{failure.message}\n".encode())


def _short(head: RequestHead) -> str:
    # The query may hold a presigned URL's signature.
    return head.target.partition(b"?")[0][:200].decode("latin-1")
