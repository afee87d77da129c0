"""The leaf module that every server of the URL speaks ASGI with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

from samebox import asgi
from samebox.asgi import BodyTooLarge, ClientGone, Message, Receive, Send


def sends(*parts: bytes, ends: bool = True) -> Receive:
    """A client that sends these parts of a body; it goes away afterwards, or does not end the body and goes."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": not ends or n < len(parts) - 1}
        for n, part in enumerate(parts)
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


async def silent() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def all_of(body: AsyncIterator[bytes]) -> list[bytes]:
    return [piece async for piece in body]


def sent_by(responding: Callable[[Send], Awaitable[None]]) -> list[Any]:
    messages: list[Any] = []

    async def send(message: Message) -> None:
        messages.append(dict(message))

    async def run() -> None:
        await responding(send)

    asyncio.run(run())
    return messages


def test_the_head_of_a_request_is_as_it_came_with_names_in_lower_case() -> None:
    scope = {
        "method": "PUT",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"x=%2F",
        "headers": [(b"A", b"B")],
    }
    head = asgi.request_head(scope)
    assert (head.method, head.target, head.path, head.headers) == ("PUT", b"/a%20b?x=%2F", b"/a%20b", ((b"a", b"B"),))
    assert (head.header(b"a"), head.header(b"b")) == (b"B", None)


def test_a_body_is_read_whole_up_to_its_limit() -> None:
    assert asyncio.run(asgi.read_body(sends(b"ab", b"cd"), 4)) == b"abcd"
    with pytest.raises(BodyTooLarge):
        asyncio.run(asgi.read_body(sends(b"ab", b"cde"), 4))


def test_of_a_body_that_is_declared_far_too_large_nothing_is_read() -> None:
    with pytest.raises(BodyTooLarge):
        asyncio.run(asyncio.wait_for(asgi.read_body(silent, 4, b"17"), 60))


def test_a_body_that_breaks_off_is_no_body() -> None:
    with pytest.raises(ClientGone):
        asyncio.run(asgi.read_body(sends(b"ab", ends=False), 4))
    with pytest.raises(ClientGone):
        asyncio.run(all_of(asgi.pieces(sends(b"ab", ends=False))))


def test_a_body_comes_in_pieces_and_not_for_ever() -> None:
    assert asyncio.run(all_of(asgi.pieces(sends(b"ab", b"", b"cd")))) == [b"ab", b"cd"]
    with pytest.raises(ClientGone):
        asyncio.run(all_of(asgi.pieces(silent, 0.01)))


def read_in_a_thread(receive: Receive) -> list[bytes]:
    async def run() -> list[bytes]:
        pipe = asgi.BodyPipe(receive, 60)
        feeding = asyncio.create_task(pipe.feed())
        try:
            return await asgi.in_thread(lambda: list(pipe.read()), limiter=anyio.CapacityLimiter(1))
        finally:
            feeding.cancel()

    return asyncio.run(run())


def test_a_thread_reads_a_body_as_it_comes_and_knows_where_it_breaks_off() -> None:
    megabytes = [bytes([n]) * 1024 * 1024 for n in range(9)]  # more than may wait at once
    assert b"".join(read_in_a_thread(sends(*megabytes))) == b"".join(megabytes)
    with pytest.raises(ClientGone):
        read_in_a_thread(sends(b"ab", ends=False))


def test_a_thread_does_not_wait_for_a_body_that_is_received_no_more() -> None:
    async def run() -> None:
        pipe = asgi.BodyPipe(silent, 3600)
        feeding = asyncio.create_task(pipe.feed())
        reading = asyncio.create_task(asyncio.to_thread(list, pipe.read()))
        await asyncio.sleep(0)  # it has begun
        feeding.cancel()
        with pytest.raises(ClientGone):
            await reading

    anyio.run(run)


def test_a_body_is_dropped_to_its_end_or_to_a_bound() -> None:
    assert asyncio.run(asgi.drain(sends(b"ab", b"cd"), 100, 60))
    assert not asyncio.run(asgi.drain(sends(b"ab", b"cd", b"ef"), 3, 60))
    assert not asyncio.run(asgi.drain(silent, 100, 0.01))


def test_a_response_to_head_has_the_length_and_no_body() -> None:
    start, body = sent_by(lambda send: asgi.respond(send, 200, ((b"a", b"b"),), b"abc", has_body=False))
    assert (start["headers"], body["body"]) == ([(b"a", b"b"), (b"content-length", b"3")], b"")


def test_a_streamed_response_ends_when_its_body_does_and_not_before() -> None:
    async def body(breaks: bool) -> AsyncIterator[bytes]:
        yield b"ab"
        if breaks:
            raise OSError
        yield b"cd"

    whole = sent_by(lambda send: asgi.stream(send, 200, (), body(False)))
    assert [(one.get("body"), one.get("more_body")) for one in whole[1:]] == [
        (b"ab", True),
        (b"cd", True),
        (b"", False),
    ]

    async def broken(send: Send) -> None:
        with pytest.raises(OSError):
            await asgi.stream(send, 200, (), body(True))

    assert [one.get("more_body") for one in sent_by(broken)[1:]] == [True]
