"""A wait for a server ends when two pings are good, when none will be, and when its time is over."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from samebox.check.serving.waiting import PING_SECONDS, Wait, Waited
from samebox.containers.engine import ContainerState, Engine, LogLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECOND = 1_000_000_000


class FakeLog:
    def __init__(self, lines: tuple[LogLine, ...]) -> None:
        self._lines = iter(lines)

    def __iter__(self) -> Iterator[LogLine]:
        return self._lines

    def close(self) -> None:
        """Nothing is held."""


class OneContainer:
    """As much of an engine as a wait asks."""

    def __init__(self, log: tuple[LogLine, ...] = (), exit_code: int | None = None) -> None:
        self._log, self._exit_code = log, exit_code

    def inspect(self, container: str) -> ContainerState:
        status: Any = "running" if self._exit_code is None else "exited"
        return ContainerState(container, "server", status, exit_code=self._exit_code)

    def logs(self, _: str, since: int | None = None) -> FakeLog:
        return FakeLog(tuple(line for line in self._log if since is None or line.time > since))

    def wait(self, container: str, _: float) -> ContainerState | None:
        return None if self._exit_code is None else self.inspect(container)


@contextmanager
def serving(answer: Callable[[int], int]) -> Iterator[int]:
    """The port of a server that answers its n-th ping with the status that `answer` gives."""
    count = iter(range(10_000))

    class PingHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer(next(count)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), PingHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait(port: int, engine: OneContainer, window: float = 60.0) -> Waited:
    return Wait(cast("Engine", engine), "c0ffee" * 10, ("127.0.0.1", port), port, window, {}).result()


def test_it_ends_with_the_second_good_ping() -> None:
    with serving(lambda number: 503 if number < 3 else 200) as port:
        waited = wait(port, OneContainer())
    assert (waited.how, waited.words, waited.late) == ("ready", "GET /ping answers 200", 0)


def test_a_container_that_has_ended_is_not_waited_for() -> None:
    with serving(lambda _: 503) as port:
        waited = wait(port, OneContainer(exit_code=3))
    assert (waited.how, waited.words) == ("exited", "it ended with exit code 3 before it answered /ping with 200")


def test_a_cause_that_stays_ends_it_long_before_its_time() -> None:
    lines = tuple(
        LogLine(1 + number * 5 * SECOND, "stderr", "[CRITICAL] WORKER TIMEOUT (pid:7)") for number in range(3)
    )
    with serving(lambda _: 503) as port:
        waited = wait(port, OneContainer(lines), window=3600.0)
    assert waited.how == "not ready"
    assert "WORKER TIMEOUT, 3 times" in waited.words
    assert waited.cause is not None
    assert "--timeout" in waited.cause.remedy


def test_the_log_of_a_healthy_server_is_no_reason() -> None:
    lines = tuple(LogLine(1 + n * 5 * SECOND, "stderr", "[CRITICAL] WORKER TIMEOUT (pid:7)") for n in range(3))
    with serving(lambda number: 503 if number < 2 else 200) as port:
        assert wait(port, OneContainer(lines)).how == "ready"


def test_a_cause_that_may_pass_is_reported_at_the_end() -> None:
    line = LogLine(1, "stderr", "[CRITICAL] WORKER TIMEOUT (pid:7)")
    with serving(lambda _: 503) as port:
        waited = wait(port, OneContainer((line,)), window=0.5)
    assert waited.words.startswith("not ready within 0 s; GET /ping answers 503; gunicorn ended its workers")


def test_pings_that_are_taken_and_answered_late_are_counted() -> None:
    held = threading.Event()

    def answer(number: int) -> int:
        if number == 0:
            held.wait(PING_SECONDS + 0.2)
        return 200

    with serving(answer) as port:
        waited = wait(port, OneContainer())
    assert (waited.how, waited.late) == ("ready", 1)
