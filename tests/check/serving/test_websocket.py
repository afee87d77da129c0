"""The kit's own WebSockets agree with aiohttp's, frame by frame, and say how one did not open or did not last."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
from aiohttp import WSMsgType, web

from samebox.check.serving.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    UpgradeRefused,
    WebSocket,
)
from samebox.check.serving.wire import NoResponse
from tests.check.serving.test_wire import replying, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samebox.check.serving.wire import Address


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.TEXT and message.data == "go":
            await socket.close(code=1008, message=b"not today")
        elif message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


@contextlib.contextmanager
def running() -> Iterator[Address]:
    """aiohttp's server, in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> tuple[web.AppRunner, Address]:
        application = web.Application()
        application.router.add_get("/talk", echo)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0]

    runner, address = asyncio.run_coroutine_threadsafe(start(), loop).result(120)
    try:
        yield address
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(120)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with running() as address:
        yield address


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 100_000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_of_any_size_comes_back(server: Address, opcode: int, size: int) -> None:
    with WebSocket(server, "/talk") as socket:
        socket.send(opcode, b"x" * size)
        assert socket.receive(10) == Frame(opcode, b"x" * size)


def test_a_message_in_frames_comes_back_whole_with_the_ping_between_answered_first(server: Address) -> None:
    with WebSocket(server, "/talk") as socket:
        socket.send(TEXT, b"one ", final=False)
        socket.send(PING, b"still there?")
        socket.send(CONTINUATION, b"two ", final=False)
        socket.send(CONTINUATION, b"three")
        assert [socket.receive(10), socket.receive(10)] == [Frame(PONG, b"still there?"), Frame(TEXT, b"one two three")]


def test_a_close_frame_is_answered_with_one(server: Address) -> None:
    with WebSocket(server, "/talk") as socket:
        socket.close()
        frame = socket.receive(10)
    assert (frame.opcode, frame.closing) == (CLOSE, "1000")


def test_the_servers_reason_to_close_is_reported(server: Address) -> None:
    with WebSocket(server, "/talk") as socket:
        socket.send(TEXT, b"go")
        assert socket.receive(10).closing == "1008 policy violation not today"


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", "404 none"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200"),
        (b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: mine\r\n\r\n", "Sec-WebSocket-Accept"),
    ],
)
def test_what_does_not_open_is_refused(piece: bytes, words: str) -> None:
    with serving(replying(piece)) as address, pytest.raises(UpgradeRefused, match=words):
        WebSocket(address, "/talk")


def test_a_silent_server_is_not_waited_for(server: Address) -> None:
    with WebSocket(server, "/talk") as socket, pytest.raises(NoResponse) as raised:
        socket.receive(0.05)
    assert raised.value.why == "timeout"
