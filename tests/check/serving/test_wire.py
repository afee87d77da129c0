"""The raw client says what came over the wire, or how it did not come."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from samebox.check.serving.wire import NoResponse, RawConnection, ask, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from samebox.check.serving.wire import Address


@contextlib.contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[Address]:
    """A server that handles one connection with a given function."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            thread.join(60)


def replying(*pieces: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)

    return answer


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",), b"hello"),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", b"\r\nhe", b"llo"), b"hello"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",), b"hello"),
        ((b"HTTP/1.0 200 OK\r\n\r\nhello",), b"hello"),
        ((b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n",), b""),
    ],
)
def test_a_response_is_read_with_any_framing(pieces: tuple[bytes, ...], body: bytes) -> None:
    with serving(replying(*pieces)) as address:
        answer = ask(address, "GET", "/ping")
    assert answer.is_good
    assert answer.body == body


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ((), "closed"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",), "closed"),
        ((b"SSH-2.0-OpenSSH\r\n",), "not http"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",), "not http"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",), "not http"),
        ((b"HTTP/2 200\r\n\r\n",), "not http"),
    ],
)
def test_what_is_no_whole_answer_is_none(pieces: tuple[bytes, ...], why: str) -> None:
    with serving(replying(*pieces)) as address, pytest.raises(NoResponse) as raised:
        ask(address, "GET", "/ping")
    assert raised.value.why == why


def test_a_truncated_response_has_what_had_come() -> None:
    pieces = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n",
    )
    with (
        serving(replying(*pieces)) as address,
        pytest.raises(NoResponse, match="within its answer, after 1 of its parts") as raised,
    ):
        ask(address, "GET", "/ping")
    begun = raised.value.begun
    assert begun is not None
    assert (begun.status, begun.is_chunked, [part.size for part in begun.parts]) == (200, True, [2])


def test_the_parts_of_a_response_are_separated_by_when_they_came() -> None:
    read = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n")
        read.wait(0.2)  # for the clock to go on
        connection.sendall(b"3\r\nllo\r\n0\r\n\r\n")

    with serving(answer) as address:
        found = ask(address, "GET", "/ping")
    assert [part.size for part in found.parts] == [2, 3]
    assert found.parts[0].seconds < found.parts[1].seconds <= found.seconds


def test_a_port_without_a_listener_is_a_refusal() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(NoResponse, match="refused"):
            ask(bound.getsockname(), "GET", "/ping")


def test_a_time_limit_covers_the_whole_answer_however_it_trickles() -> None:
    over = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.01):
            connection.sendall(b"X: y\r\n")

    with serving(trickle) as address:
        try:
            with pytest.raises(NoResponse) as raised:
                ask(address, "GET", "/ping", seconds=0.2)
        finally:
            over.set()
    assert raised.value.why == "timeout"


def test_an_answer_before_the_end_of_a_large_body_is_read() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while connection.recv(1 << 20):
            continue

    with serving(refuse) as address, RawConnection(address) as connection:
        answer = connection.ask("POST", "/invocations", bytes(30 << 20))
    assert (answer.status, answer.closes) == (413, True)


def test_two_answers_in_one_piece_are_two() -> None:
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    with serving(replying(one + b"a" + one + b"b")) as address, RawConnection(address) as connection:
        connection.send(request("GET", "/ping")[0] * 2)
        assert [connection.receive(5).body, connection.receive(5).body] == [b"a", b"b"]


def test_a_body_goes_out_in_chunks_that_give_it_back() -> None:
    head, body = request("POST", "/invocations", b"0123456789", {"Content-Type": "text/csv"}, chunked=True)
    assert b"Transfer-Encoding: chunked\r\n" in head
    assert b"Content-Length" not in head
    assert body == b"4\r\n0123\r\n4\r\n4567\r\n2\r\n89\r\n0\r\n\r\n"
