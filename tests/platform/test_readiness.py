"""Readiness against real sockets: what passes, what does not and why, and what ends the wait at once."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import ContainerState
from samebox.platform.readiness import PingRules, Readiness, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Over after the pings of 0.3 s, each of which may take its time: what answers does so on a busy machine, too.
SHORT = PingRules(window_seconds=0.3, ping_seconds=60, first_interval_seconds=0.001, interval_seconds=0.01)
# For servers that never answer in time.
HASTY = PingRules(window_seconds=0.3, ping_seconds=0.1, first_interval_seconds=0.001, interval_seconds=0.01)
LONG = PingRules(window_seconds=60, ping_seconds=30)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@contextlib.contextmanager
def server(answer: Callable[[socket.socket, int, bytes], None]) -> Iterator[tuple[str, int]]:
    """Calls `answer` with each connection, its number from 1, and the request that came."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            number = 0
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                number += 1
                with connection, contextlib.suppress(OSError):
                    answer(connection, number, connection.recv(65_536))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def sends(*answers: bytes) -> Callable[[socket.socket, int, bytes], None]:
    """Each in turn, the last for ever."""
    return lambda connection, number, _request: connection.sendall(answers[min(number, len(answers)) - 1])


def test_a_server_that_answers_200_is_ready() -> None:
    with server(sends(OK)) as address:
        verdict = Readiness(address, SHORT).wait()
    assert (verdict.is_ready, verdict.pings) == (True, 2)


def test_every_ping_is_heard_with_its_answer() -> None:
    heard: list[tuple[Reason, bytes]] = []
    bad = b"HTTP/1.1 503 Busy\r\nContent-Length: 7\r\n\r\nnot yet"
    with server(sends(bad, OK)) as address:
        Readiness(address, LONG, heard=lambda ping: heard.append((ping.reason, ping.body))).wait()
    assert heard == [("status", b"not yet"), ("ready", b""), ("ready", b"")]


def test_the_ping_is_a_get_of_exactly_ping() -> None:
    requests: list[bytes] = []

    def answer(connection: socket.socket, _number: int, request: bytes) -> None:
        requests.append(request)
        connection.sendall(OK)

    with server(answer) as address:
        Readiness(address, SHORT).wait()
    assert requests[0].startswith(b"GET /ping HTTP/1.1\r\n")


def test_a_server_that_listens_late_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        address = placeholder.getsockname()
    readiness = Readiness(address, LONG)
    verdicts = []
    waiter = threading.Thread(target=lambda: verdicts.append(readiness.wait()))
    waiter.start()
    with socket.create_server(address) as listener:
        for _ in range(2):
            connection, _peer = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(OK)
        waiter.join()
    assert verdicts[0].is_ready


def test_a_good_answer_between_bad_ones_is_not_consistent() -> None:
    bad = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    with server(lambda connection, number, _: connection.sendall(OK if number % 2 else bad)) as address:
        assert not Readiness(address, SHORT).wait().is_ready


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status", "GET /ping answered 500, not 200"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "status", "GET /ping answered 204, not 200"),
        (
            b"HTTP/1.1 308 Go\r\nLocation: /ping/\r\nContent-Length: 0\r\n\r\n",
            "redirect",
            "GET /ping answered 308, and a redirect does not pass",
        ),
        (b"", "no answer", "GET /ping was not answered: Remote end closed connection without response"),
        (b"SSH-2.0-OpenSSH\r\n", "no answer", "GET /ping was not answered: SSH-2.0-OpenSSH\r\n"),
    ],
)
def test_a_server_that_does_not_become_ready_has_a_reason(answer: bytes, reason: Reason, detail: str) -> None:
    with server(sends(answer)) as address:
        verdict = Readiness(address, SHORT).wait()
    assert (verdict.reason, verdict.detail) == (reason, detail)


def test_nothing_that_listens_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        address = placeholder.getsockname()
    verdict = Readiness(address, SHORT).wait()
    assert verdict.reason == "no answer"
    assert "Connection refused" in verdict.detail


def test_a_slow_answer_does_not_pass() -> None:
    with server(lambda connection, *_: connection.recv(1)) as address:
        verdict = Readiness(address, HASTY).wait()
    assert (verdict.reason, verdict.detail) == ("slow", "GET /ping took more than 0.1 seconds")


def test_a_trickle_of_bytes_is_a_slow_answer_too() -> None:
    def trickle(connection: socket.socket, _number: int, _request: bytes) -> None:
        connection.settimeout(0.02)
        for byte in OK[:-2] + b"X-Pad: " + b"x" * 100:
            connection.sendall(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return

    with server(trickle) as address:
        assert Readiness(address, HASTY).wait().reason == "slow"


@pytest.mark.parametrize("while_asking", [True, False])
def test_an_exit_of_the_container_ends_the_wait_at_once(while_asking: bool) -> None:
    asked = threading.Event()
    readiness: list[Readiness] = []

    def answer(connection: socket.socket, _number: int, _request: bytes) -> None:
        if while_asking:
            asked.set()
            connection.recv(1)  # until the other side gives up
        else:
            asked.set()

    with server(answer) as address:
        readiness.append(Readiness(address, LONG))

        def exit_when_asked() -> None:
            asked.wait()
            readiness[0].container_exited(ContainerState("c", "c", "exited", exit_code=3))

        thread = threading.Thread(target=exit_when_asked)
        thread.start()
        verdict = readiness[0].wait()
        thread.join()
    assert (verdict.reason, verdict.exit_code, verdict.detail) == ("exited", 3, "the container exited with code 3")


def test_cancelling_ends_the_wait() -> None:
    with server(lambda connection, *_: connection.recv(1)) as address:
        readiness = Readiness(address, LONG)
        thread = threading.Thread(target=readiness.cancel)
        thread.start()
        assert readiness.wait().reason == "cancelled"
        thread.join()


def test_what_does_not_listen_yet_is_asked_often_whatever_the_interval() -> None:
    with contextlib.ExitStack() as stack:
        closed = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        address = closed.getsockname()
        closed.close()

        def listen(_: object) -> None:
            if not servers:
                servers.append(stack.enter_context(socket.create_server(address)))
                threading.Thread(target=answer_once, args=(servers[0],)).start()

        def answer_once(listener: socket.socket) -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(OK)

        servers: list[socket.socket] = []
        never_again = PingRules(window_seconds=60, in_a_row=1, first_interval_seconds=90, interval_seconds=90)
        verdict = Readiness(address, never_again, heard=listen).wait()
    assert (verdict.reason, verdict.pings) == ("ready", 2)
