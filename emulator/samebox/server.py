"""The server: one emulator behind one listening socket, until it is stopped."""

import asyncio
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from samebox import edge
from samebox.app.emulator import Emulator
from samebox.app.objects import StartInterrupted
from samebox.containers.engine import Engine
from samebox.listening import listener_at
from samebox.proxy import tunnel
from samebox.settings import Settings
from samebox.traffic.joined_writes import JoinedWrites

log = logging.getLogger(__name__)

GRACEFUL_SECONDS = 10  # for requests in progress when the emulator is stopped
READY_SECONDS = 30
END_SECONDS = 60
LOAD_AFTER_SECONDS = 1.0  # what a start does not wait for, unless a request needs it before
LOOP_THREAD = "emulator"  # the name of the thread that `running` has the event loop in
BACKLOG = 2048  # connections that wait to be taken, as uvicorn's own default
# What is held of a head that is not complete. The edge refuses far smaller ones, in words that a client understands.
HEAD_BYTES = 1024 * 1024
# Of a longer one as much more is read and dropped, for as long: a client that is still sending reads no answer.
DRAINED_BYTES = 32 * HEAD_BYTES
DRAINED_SECONDS = 10.0


def serve(settings: Settings) -> None:
    """Be the emulator until SIGTERM or SIGINT. Raises AlreadyRunning, OSError when the port is taken."""
    with closing(listener_at(settings.host, settings.port)) as listener:
        _serve_at(listener, Emulator(settings))


def _serve_at(listener: socket.socket, emulator: Emulator) -> None:
    server = _server(emulator)

    def end(*_: object) -> None:
        server.should_exit = True
        emulator.interrupt()

    # uvicorn sets its own handlers while it serves and raises the signal again afterwards, for these; they also cover
    # the moments before and after.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(emulator, server, listener, has_process=True))


@contextmanager
def running(
    settings: Settings, engine: Engine | None = None, clock: Callable[[], float] = time.time
) -> Iterator[Emulator]:
    """An emulator in threads of this process, for tests: ready when the block is entered, ended when it is left."""
    with (
        closing(listener_at(settings.host, settings.port)) as listener,
        _running(Emulator(settings, engine, clock), listener) as emulator,
    ):
        yield emulator


@contextmanager
def _running(emulator: Emulator, listener: socket.socket) -> Iterator[Emulator]:
    server = _server(emulator)
    started = threading.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(emulator, server, listener, started))

    thread = threading.Thread(target=run, name=LOOP_THREAD)
    thread.start()
    try:
        if not started.wait(READY_SECONDS):
            raise TimeoutError(f"the emulator was not ready within {READY_SECONDS} s")
        yield emulator
    finally:
        server.should_exit = True
        thread.join(END_SECONDS)


async def _serve(
    emulator: Emulator,
    server: uvicorn.Server,
    listener: socket.socket,
    started: threading.Event | None = None,
    has_process: bool = False,
) -> None:
    """`has_process`: nothing else runs in this process."""
    emulator.listen(asyncio.get_running_loop())
    try:
        more = await asyncio.to_thread(emulator.start)
        for one in (listener, *more):
            # Uvicorn does it a moment later; clients that connect before that wait, and are not refused
            one.listen(BACKLOG)
        if started is not None:
            started.set()
        if has_process:
            _keep_what_is_loaded()
            loop = asyncio.get_running_loop()
            loop.call_later(LOAD_AFTER_SECONDS, lambda: loop.run_in_executor(None, _load_the_rest, emulator))
        await server.serve(sockets=[listener, *more])
    except StartInterrupted as interrupted:
        log.info("%s", interrupted)
    finally:
        await emulator.stop()


def _keep_what_is_loaded() -> None:
    # It stays to the end, AWS's models for example. A full collection would look at all of it, and no request is
    # answered meanwhile: for tens of milliseconds.
    gc.freeze()
    gc.enable()


def _load_the_rest(emulator: Emulator) -> None:
    emulator.load_operations()
    _keep_what_is_loaded()


class _Server(uvicorn.Server):
    """Has its emulator's work left before it listens no more."""

    def __init__(self, config: uvicorn.Config, emulator: Emulator) -> None:
        super().__init__(config)
        self._emulator = emulator

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; for TLS, too, where the Docker daemon was taught names of ECR."""
        await super().startup(sockets)
        secured = self._emulator.docker_listener
        if secured is None or not self.started:
            return
        protocol: Any = self.config.http_protocol_class
        make = partial(protocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(make, sock=secured.listener, ssl=secured.context, backlog=BACKLOG)
        self.servers.append(server)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close connections, once requests under way have ended."""
        self._emulator.leave()
        await super().shutdown(sockets)


class BoundedHeads(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, which sets no bound to a request's head."""

    _held = 0
    _is_in_head = False
    _dropped: int | None = None  # of a head that was refused
    _unjoined: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The connection is there."""
        self._unjoined = transport
        super().connection_made(JoinedWrites(transport, self.loop))

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._dropped is not None:
            self._dropped += len(data)
            if self._dropped > DRAINED_BYTES:
                self.transport.close()
            return
        super().data_received(data)
        if self._is_in_head:
            self._held += len(data)
            if self._held > HEAD_BYTES:
                self._refuse()

    def on_message_begin(self) -> None:
        """The parser saw the first byte of a request."""
        self._is_in_head, self._held = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The parser saw the empty line."""
        self._is_in_head = False
        super().on_headers_complete()

    def _refuse(self) -> None:
        self._dropped = 0
        body = b'{"__type": "RequestHeaderSectionTooLarge", "message": "The request\'s headers are too large."}'
        lines = [b"HTTP/1.1 431 Request Header Fields Too Large", b"content-type: application/json"]
        lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.loop.call_later(DRAINED_SECONDS, self.transport.close)


class ClientConnection(BoundedHeads):
    """HTTP, unless the first bytes are CONNECT: then the connection becomes a tunnel of the forward proxy."""

    proxy: tunnel.ForwardProxy
    _first: bytes | None = b""  # until it is known which it is

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._first is not None:
            data = self._first + data
            if len(data) < len(tunnel.METHOD) and tunnel.METHOD.startswith(data):
                self._first = data
                return
            self._first = None
            # Within a tunnel there is none: its client would be hidden from the check of where it is.
            if data.startswith(tunnel.METHOD) and self.scheme == "http":
                self._become_tunnel(data)
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The parser saw the empty line. An absolute target, as a proxy gets it, is for the host that it names."""
        if self.url.startswith(b"http://"):
            named = self.url.removeprefix(b"http://").partition(b"/")[0].partition(b"?")[0]
            self.headers[:] = [(b"host", named), *(one for one in self.headers if one[0] != b"host")]
            self.scope[edge.PROXIED] = True  # type: ignore[literal-required]
        super().on_headers_complete()

    def _become_tunnel(self, data: bytes) -> None:
        self.connections.discard(self)
        tunnel.Tunnel(self.proxy, self._behind_tls, self.connections).take_over(self._unjoined, data)

    def _behind_tls(self, _: str) -> tunnel.Inner:
        return type(self)(self.config, self.server_state, self.app_state, self.loop)


def _server(emulator: Emulator) -> uvicorn.Server:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await emulator.edge(scope, receive, send)

    class EmulatorConnection(ClientConnection):
        @property
        def proxy(self) -> tunnel.ForwardProxy:  # type: ignore[override]
            return emulator.proxy

    config = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # no proxy stands before us whose word on a client counts
        http=EmulatorConnection,
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    return _Server(config, emulator)
