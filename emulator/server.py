"""The server: one emulator behind one listening socket, until somebody says that it is enough."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
import uvloop

from emulator.app import Emulator
from emulator.containers.engine import Engine
from emulator.settings import Settings

GRACEFUL_SECONDS = 10  # for requests under way when the emulator is told to end
READY_SECONDS = 30
END_SECONDS = 60


def serve(settings: Settings) -> None:
    """Be the emulator until SIGTERM or SIGINT. Raises AlreadyRunning, OSError when the port is taken."""
    listener = bind(settings.host, settings.port)
    emulator = Emulator(settings)
    server = _server(emulator)

    def end(*_: object) -> None:
        server.should_exit = True

    # uvicorn sets its own handlers while it serves and raises the signal again afterwards, for these; they also cover
    # the moments before and after.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(emulator, server, listener))
    finally:
        listener.close()


@contextmanager
def running(
    settings: Settings, engine: Engine | None = None, clock: Callable[[], float] = time.time
) -> Iterator[Emulator]:
    """An emulator in threads of this process, for tests: ready when the block is entered, ended when it is left."""
    listener = bind(settings.host, settings.port)
    emulator = Emulator(settings, engine, clock)
    server = _server(emulator)
    started = threading.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(emulator, server, listener, started))

    thread = threading.Thread(target=run, name="emulator")
    thread.start()
    try:
        if not started.wait(READY_SECONDS):
            raise TimeoutError(f"the emulator was not ready within {READY_SECONDS} s")
        yield emulator
    finally:
        server.should_exit = True
        thread.join(END_SECONDS)
        listener.close()


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens, before anything else is done: a taken port is found out at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


async def _serve(
    emulator: Emulator, server: uvicorn.Server, listener: socket.socket, started: threading.Event | None = None
) -> None:
    emulator.listen(asyncio.get_running_loop())
    try:
        more = await asyncio.to_thread(emulator.start)
        if started is not None:
            started.set()
        await server.serve(sockets=[listener, *more])
    finally:
        await emulator.stop()


def _server(emulator: Emulator) -> uvicorn.Server:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await emulator.edge(scope, receive, send)

    config = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        http="httptools",
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    return uvicorn.Server(config)
