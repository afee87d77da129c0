"""Whether a server is ready: GET /ping until it answers 200 consistently, as contract §2.2 says; else why not.

One rule for endpoints and for checks: two good answers in a row, each whole within 2 seconds (a server that trickles
bytes has not answered). Only 200 passes, at exactly this path; a redirect does not. How often SageMaker asks, and how
many good answers it wants, is not known beyond "consistently". We ask every few milliseconds at first, so that a server
that starts at once serves at once, and more rarely the longer it takes, because every ping is a line in its access log.
One that does not listen yet has no such line, so it is asked often for longer.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.engine import ContainerState

Reason = Literal["ready", "no answer", "status", "redirect", "slow", "exited", "cancelled"]

_BODY_BYTES = 1 << 20  # that are read of an answer; more are left to the closing connection


@dataclass(frozen=True)
class PingRules:
    window_seconds: float = 480.0  # ContainerStartupHealthCheckTimeoutInSeconds overrides it, 60 to 3600
    ping_seconds: float = 2.0
    in_a_row: int = 2
    first_interval_seconds: float = 0.01  # between pings; grows by half each time …
    interval_seconds: float = 0.25  # … up to this …
    late_interval_seconds: float = 1.0  # … and once the server has taken `late_seconds`, up to this
    late_seconds: float = 8.0
    silent_interval_seconds: float = 0.025  # the longest before `late_seconds`, while nothing answers

    def interval(self, last: float, taken: float) -> float:
        """The pause before the next ping, after one of `last` seconds, when the start has taken so many."""
        most = self.interval_seconds if taken < self.late_seconds else self.late_interval_seconds
        return min(last * 1.5, max(most, self.interval_seconds))


def answers_consistently(
    rules: PingRules,
    ping: Callable[[], bool],
    pause: Callable[[float], bool],
    is_decided: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Whether enough pings in a row were good within the window.

    `ping` asks once, and gives whether the answer was good. `is_decided` is asked after each ping that was not the last
    one needed, and ends the wait with True, as does `pause` that returns True.
    """
    began = clock()
    interval = rules.first_interval_seconds
    good = 0
    while (taken := clock() - began) < rules.window_seconds:
        good = good + 1 if ping() else 0
        if good >= rules.in_a_row:
            return True
        if is_decided() or pause(rules.first_interval_seconds if good else interval):
            return False
        interval = rules.interval(interval, taken)
    return False


@dataclass(frozen=True)
class Ping:
    """The result of one ping: `detail` is the message for a person, `body` the body of the response."""

    reason: Reason
    detail: str
    body: bytes = b""


@dataclass(frozen=True)
class Verdict:
    """`reason` is how it ended: "ready", or what was wrong with the last ping; `detail` is the message for a person."""

    reason: Reason
    detail: str
    pings: int
    seconds: float
    exit_code: int | None = None

    @property
    def is_ready(self) -> bool:
        return self.reason == "ready"


class Readiness:
    """One wait for one server. Call `wait` once; `container_exited` and `cancel` end it at once, from any thread.

    `heard` gets every ping, in the thread that waits. `late` gives the seconds by which the next answer is held back.
    """

    def __init__(
        self,
        address: tuple[str, int],
        rules: PingRules | None = None,
        path: str = "/ping",
        clock: Callable[[], float] = time.monotonic,
        heard: Callable[[Ping], None] | None = None,
        late: Callable[[], float] | None = None,
    ) -> None:
        self._address = address
        self._late = late
        self._heard = heard
        self._path = path
        self._rules = rules or PingRules()
        self._clock = clock
        self._interrupted = threading.Event()
        self._lock = threading.Lock()
        self._interruption: tuple[Reason, str, int | None] | None = None
        self._connection: socket.socket | None = None

    def wait(self) -> Verdict:
        began = self._clock()
        pings, last = 0, Ping("no answer", "nothing was asked yet")

        def ask() -> bool:
            nonlocal pings, last
            pings, last = pings + 1, self._ping()
            if self._heard is not None and not self._interrupted.is_set():
                self._heard(last)
            return last.reason == "ready"

        def pause(seconds: float) -> bool:
            if last.reason == "no answer" and self._clock() - began < self._rules.late_seconds:
                seconds = min(seconds, self._rules.silent_interval_seconds)
            return self._interrupted.wait(seconds)

        is_ready = not self._interrupted.is_set() and answers_consistently(
            self._rules, ask, pause, self._interrupted.is_set, self._clock
        )
        seconds = self._clock() - began
        with self._lock:
            if self._interruption is not None:
                return Verdict(self._interruption[0], self._interruption[1], pings, seconds, self._interruption[2])
        if last.reason == "ready" and not is_ready:
            last = Ping("no answer", "it answered 200, but not consistently")
        return Verdict(last.reason, last.detail, pings, seconds)

    def ping(self) -> Ping:
        """One ping, of a server in service."""
        return self._ping()

    def container_exited(self, state: ContainerState | None) -> None:
        """None: the container is gone."""
        code = state.exit_code if state else None
        self._interrupt("exited", f"the container exited with code {code}" if state else "the container is gone", code)

    def cancel(self) -> None:
        self._interrupt("cancelled", "the wait was cancelled", None)

    def _interrupt(self, reason: Reason, detail: str, exit_code: int | None) -> None:
        with self._lock:
            if self._interruption is None:
                self._interruption = (reason, detail, exit_code)
            self._interrupted.set()
            if self._connection is not None:
                with contextlib.suppress(OSError):  # it has ended by itself
                    self._connection.shutdown(socket.SHUT_RDWR)

    def _ping(self) -> Ping:
        late = self._late() if self._late is not None else 0.0
        if late:
            self._interrupted.wait(min(late, self._rules.ping_seconds))
        if late >= self._rules.ping_seconds:
            return Ping("slow", f"GET {self._path} took more than {self._rules.ping_seconds:g} seconds")
        deadline = time.monotonic() + self._rules.ping_seconds
        try:
            with socket.create_connection(self._address, timeout=self._rules.ping_seconds) as connection:
                with self._lock:
                    self._connection = connection
                try:
                    status, body = self._ask(connection, deadline)
                finally:
                    with self._lock:
                        self._connection = None
        except TimeoutError:
            return Ping("slow", f"GET {self._path} took more than {self._rules.ping_seconds:g} seconds")
        except (OSError, http.client.HTTPException) as error:
            return Ping("no answer", f"GET {self._path} was not answered: {error}")
        if status == 200:
            return Ping("ready", "200", body)
        if 300 <= status < 400:
            return Ping("redirect", f"GET {self._path} answered {status}, and a redirect does not pass", body)
        return Ping("status", f"GET {self._path} answered {status}, not 200", body)

    def _ask(self, connection: socket.socket, deadline: float) -> tuple[int, bytes]:
        host = f"{self._address[0]}:{self._address[1]}"
        request = f"GET {self._path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: AHC/2.0\r\nAccept: */*\r\n"
        connection.sendall((request + "Connection: close\r\n\r\n").encode())
        answer = http.client.HTTPResponse(_Deadline(connection, deadline), method="GET")  # type: ignore[arg-type]
        with contextlib.closing(answer):
            answer.begin()
            body = answer.read(_BODY_BYTES)
            return answer.status, body


class _Deadline(io.RawIOBase):
    """A socket to read from until a moment, however the bytes come. `makefile` is all that HTTPResponse asks of one."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
