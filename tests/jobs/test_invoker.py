"""Requests to a container of a transform job, over real sockets: time limits, retries, and streams."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from samebox.jobs import invoker
from samebox.jobs.invoker import InvocationFailed, InvocationRules, Invoker

Respond = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(respond: Respond) -> Iterator[tuple[str, int]]:
    class InvokerHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            respond(self)

        def do_POST(self) -> None:
            respond(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as it is called there)
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), InvokerHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield ("127.0.0.1", server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"") -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def read(handler: BaseHTTPRequestHandler) -> bytes:
    """The body of a request, sent with its length or in chunks."""
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
    parts = []
    while size := int(handler.rfile.readline(), 16):
        parts.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(parts)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoker, "PAUSE_SECONDS", 0.0)


@contextmanager
def of(
    address: tuple[str, int], retries: int = 3, client_errors: bool = False, seconds: float = 60.0
) -> Iterator[Invoker]:
    how = InvocationRules({"Content-Type": "text/csv"}, seconds, retries, client_errors)
    one = Invoker(address, how, threading.Event())
    yield one
    one.finish()


@pytest.mark.parametrize(
    ("status", "retries_client_errors", "asked"), [(500, False, 3), (400, False, 1), (400, True, 3)]
)
def test_errors_are_retried_so_often(status: int, retries_client_errors: bool, asked: int) -> None:
    bodies = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        bodies.append(read(handler))
        answer(handler, status, b"why\nnot")

    with (
        serving(respond) as address,
        of(address, retries=2, client_errors=retries_client_errors) as one,
        pytest.raises(InvocationFailed) as failed,
    ):
        one.invoke([b"1,2"])
    assert bodies == [b"1,2"] * asked
    kind = "ServerError" if status == 500 else "ClientError"
    assert failed.value.lines == (f"{kind}: {status}", "", "Message:", "why", "not")


def test_a_response_that_takes_too_long_is_none() -> None:
    over = threading.Event()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        over.wait(60)

    with serving(respond) as address, of(address, retries=0, seconds=0.05) as one:
        with pytest.raises(InvocationFailed) as failed:
            one.invoke([b"1"])
        over.set()
    assert failed.value.lines == ("Unable to get response from algorithm",)


def test_a_body_of_any_length_is_sent_in_chunks() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        answer(handler, 200, read(handler).upper())

    with serving(respond) as address, of(address) as one, one.stream(lambda: iter([b"one ", b"two"])) as response:
        assert b"".join(response.pieces) == b"ONE TWO"


@pytest.mark.parametrize("body", [b"[1]", b"no JSON", b""])
def test_parameters_that_are_no_object_are_none(body: bytes) -> None:
    with serving(lambda handler: answer(handler, 200, body)) as address, of(address) as one:
        assert one.parameters() == {}


def test_a_connection_is_used_again() -> None:
    clients = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        clients.append(handler.client_address)
        answer(handler, 200, read(handler))

    with serving(respond) as address, of(address) as one:
        assert [list(one.invoke([body]).pieces) for body in (b"1", b"2")] == [[b"1"], [b"2"]]
    assert len(set(clients)) == 1


def test_a_connection_that_the_server_closed_meanwhile_is_no_attempt() -> None:
    bodies = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        bodies.append(read(handler))
        answer(handler, 200)
        handler.close_connection = True  # without a word to the client

    with serving(respond) as address, of(address, retries=0) as one:
        for body in (b"1", b"2", b"3"):
            assert list(one.invoke([body]).pieces) == []
    assert bodies == [b"1", b"2", b"3"]


def test_a_response_may_come_before_the_whole_request_is_read() -> None:
    piece = b"x" * 65536

    def respond(handler: BaseHTTPRequestHandler) -> None:
        """Send back each chunk as it comes."""
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        while size := int(handler.rfile.readline(), 16):
            handler.wfile.write(handler.rfile.read(size))
            handler.rfile.readline()
        handler.close_connection = True

    with (
        serving(respond) as address,
        of(address, retries=0) as one,
        one.stream(lambda: (piece for _ in range(512))) as response,
    ):
        assert sum(len(found) for found in response.pieces) == 512 * len(piece)


def test_a_large_response_that_trickles_is_whole_and_the_next_small_one_comes_on_the_same_connection() -> None:
    large, clients = bytes(range(256)) * 12_000 + b"end", []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        clients.append(handler.client_address)
        if read(handler) == b"small":
            answer(handler, 200, b"1")
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(large)))
        handler.end_headers()
        for start in range(0, len(large), 100_000):
            handler.wfile.write(large[start : start + 100_000])
            handler.wfile.flush()
            time.sleep(0.001)

    with serving(respond) as address, of(address, retries=0) as one:
        for body, expected in ((b"large", large), (b"small", b"1"), (b"large", large), (b"small", b"1")):
            assert b"".join(one.invoke([body]).pieces) == expected
    assert len(set(clients)) == 1


def test_a_response_that_ends_before_its_length_is_none() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        read(handler)
        handler.send_response(200)
        handler.send_header("Content-Length", str(4 << 20))
        handler.end_headers()
        handler.wfile.write(b"x" * (3 << 20))
        handler.close_connection = True

    with serving(respond) as address, of(address, retries=0) as one, pytest.raises(InvocationFailed) as failed:
        one.invoke([b"1"])
    assert failed.value.lines == ("Unable to get response from algorithm: the connection was closed",)


def test_a_response_of_known_length_may_come_while_the_request_is_sent() -> None:
    size = 32 << 20

    def respond(handler: BaseHTTPRequestHandler) -> None:
        """Send back each piece as it comes."""
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        for _ in range(size >> 16):
            handler.wfile.write(handler.rfile.read(1 << 16))

    with serving(respond) as address, of(address, retries=0) as one:
        assert sum(len(piece) for piece in one.invoke([b"x" * size]).pieces) == size


def test_what_comes_after_a_response_ends_its_connection() -> None:
    clients = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        clients.append(handler.client_address)
        read(handler)
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 20))
        handler.end_headers()
        handler.wfile.write(b"x" * (1 << 20) + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(respond) as address, of(address, retries=0) as one:
        assert [sum(map(len, one.invoke([b"1"]).pieces)) for _ in range(2)] == [1 << 20] * 2
    assert len(set(clients)) == 2


def test_a_refusal_is_read_though_the_request_was_not() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        answer(handler, 413, b"too large")
        handler.close_connection = True
        handler.rfile.read(32 << 20)  # or the kernel would reset the connection

    with serving(respond) as address, of(address) as one, pytest.raises(InvocationFailed) as failed:
        one.invoke([b"x" * (32 << 20)])
    assert failed.value.lines == ("ClientError: 413", "", "Message:", "too large")
