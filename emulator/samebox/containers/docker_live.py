"""The part of ContainerApi that waits, on Docker: a container's log and its end, for tasks of an asyncio loop.

Hundreds of answers that last for days would each cost a thread with blocking requests. Here each is one connection of
its own on the caller's loop; HTTP is spoken by hand, because one GET and one POST are all there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from samebox.containers.docker_http import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    Connected,
    DockerHTTP,
    NoAnswerYet,
    refusal,
    unreachable,
)
from samebox.containers.docker_json import log_parameters, state_of
from samebox.containers.engine import EngineUnavailable
from samebox.containers.http_chunks import Chunks
from samebox.containers.log_frames import LogFrames

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from samebox.containers.engine import ContainerState, LogLine

_READ_BYTES = 1 << 18


@dataclass(frozen=True)
class _Response:
    status: int
    headers: Mapping[str, str]


class DockerLive:
    """Shares its address and TLS settings with the blocking requests of `http`, and no connection."""

    def __init__(self, http: DockerHTTP) -> None:
        self._http = http

    async def follow(self, container: str, since: int | None = None) -> AsyncGenerator[Sequence[LogLine], None]:
        path = f"/containers/{container}/logs?{urlencode(log_parameters(since, follow=True))}"
        frames = LogFrames(since)
        async with self._exchange("GET", path) as (response, reader, address):
            async for data in _body(response, reader, address):
                if lines := list(frames.feed(data)):
                    yield lines
        if lines := list(frames.finish()):
            yield lines

    async def ended(self, container: str) -> ContainerState:
        # An engine may send the head of its answer only when the container has ended.
        path = f"/containers/{container}/wait?condition=not-running"
        async with self._exchange("POST", path, seconds=None) as (response, reader, address):
            async for _ in _body(response, reader, address):
                pass
        return state_of(await self._json(f"/containers/{container}/json"))

    async def _json(self, path: str) -> Any:
        async with self._exchange("GET", path) as (response, reader, address), asyncio.timeout(ANSWER_SECONDS):
            return json.loads(b"".join([data async for data in _body(response, reader, address)]))

    @contextlib.asynccontextmanager
    async def _exchange(
        self, method: str, path: str, seconds: float | None = ANSWER_SECONDS
    ) -> AsyncIterator[tuple[_Response, asyncio.StreamReader, str]]:
        connected = self._http.connected
        address = connected.address
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await _connect(connected)
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n".encode())
            writer.write(b"Accept-Encoding: identity\r\nConnection: close\r\n\r\n")
            async with asyncio.timeout(seconds):
                response = await _head(reader, address)
                if response.status >= 400:
                    text = b"".join([data async for data in _body(response, reader, address)]).decode(errors="replace")
                    raise refusal(response.status, text, urlsplit(path).path)
            yield response, reader, address
        except TimeoutError as error:
            raise NoAnswerYet(f"The Docker engine at {address} does not answer in time.") from error
        except OSError as error:
            raise unreachable(address, error) from error
        finally:
            if writer is not None:
                writer.close()


async def _connect(connected: Connected) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if connected.is_local:
        return await asyncio.open_unix_connection(connected.address.removeprefix("unix://"), limit=_READ_BYTES)
    where = urlsplit(connected.base_url)
    if where.scheme not in ("http", "https") or not where.hostname:
        raise EngineUnavailable(f"The logs of an engine at {connected.address} cannot be followed.")
    reader, writer = await asyncio.open_connection(
        where.hostname,
        where.port or (443 if where.scheme == "https" else 80),
        limit=_READ_BYTES,
        ssl=_tls(connected) if where.scheme == "https" else None,
    )
    # A machine that vanishes would otherwise leave a silent container's log open for ever.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return reader, writer


def _tls(connected: Connected) -> ssl.SSLContext:
    """As the SDK has set the session up from DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or the context."""
    verify, certificate = connected.session.verify, connected.session.cert
    context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if isinstance(certificate, str):
        context.load_cert_chain(certificate)
    elif certificate:
        context.load_cert_chain(*certificate)
    return context


async def _head(reader: asyncio.StreamReader, address: str) -> _Response:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise EngineUnavailable(f"The Docker engine at {address} ended the connection.") from error
    first, *lines = head.split("\r\n")
    parts = first.split(" ", 2)
    if len(parts) < 2 or not parts[1].isdigit():
        raise EngineUnavailable(f"What answers at {address} is not a Docker engine: {first[:80]!r}")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return _Response(int(parts[1]), headers)


async def _body(response: _Response, reader: asyncio.StreamReader, address: str) -> AsyncIterator[bytes]:
    """What comes, as it comes. Raises EngineUnavailable when the connection ends before the answer does."""
    chunked = response.headers.get("transfer-encoding", "").lower() == "chunked"
    chunks = Chunks()
    left = int(response.headers.get("content-length", -1))
    while left:
        data = await reader.read(_READ_BYTES)
        if not data:
            if left > 0 or (chunked and not chunks.is_complete):
                raise EngineUnavailable(f"The Docker engine at {address} ended the connection.")
            return
        left -= len(data) if left > 0 else 0
        if chunked:
            data = chunks.feed(data)
        if data:
            yield data
        if chunked and chunks.is_complete:
            return
