"""Waits for a server until it answers /ping consistently, or it is certain that it never will. Contract §2.2."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from samebox.check.serving import causes, processes
from samebox.check.serving.causes import Cause, Signs
from samebox.check.serving.wire import HttpResponse, NoResponse, ask
from samebox.platform.readiness import PingRules, answers_consistently

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.serving.wire import Address
    from samebox.containers.engine import ContainerApi, LogLine

PING_SECONDS = 2.0
_PATIENCE_SECONDS = 10.0  # a ping that takes longer than it may: how long it takes is worth knowing
_DECISIVE_SECONDS = 5.0  # /ping has answered 404 that long, or the server has listened at a wrong place
_LOOK_SECONDS = 1.0  # between looks at its log and its processes
_MOST_LINES = 2_000
_LITTLE = 0.06  # of a processor: what pings and a server that waits take
_MOST_SLOW = 16  # pings that as many workers may each answer slowly once

How = Literal["ready", "cannot start", "exited", "wrong place", "wrong answer", "slow", "not ready", "broken answer"]

_NOT_HTTP = (
    (
        b"\x15\x03",
        Cause("it speaks TLS", "Speak plain HTTP on port 8080: SageMaker itself ends TLS, and brings no certificate."),
    ),
    (
        b"\x00\x00",
        Cause("it speaks HTTP/2, as gRPC does", "Speak HTTP/1.1 on port 8080, with the routes /ping and /invocations."),
    ),
)
_BY_IPV4 = "Bind to 0.0.0.0:8080, or to [::]:8080 without IPV6_V6ONLY: SageMaker comes by IPv4."
_Verdict = tuple[How, str, Cause | None]


@dataclass(frozen=True)
class Waited:
    """How a wait ended. `late`: pings that the server took, and did not answer within 2 s."""

    how: How
    words: str
    cause: Cause | None = None
    late: int = 0


class Wait:
    """One wait for one server.

    `quiet`: seconds without a request at the beginning; such a wait ends with the first ping that is answered late.
    """

    def __init__(
        self,
        engine: ContainerApi,
        container: str,
        address: Address,
        port: int,
        window: float,
        environment: Mapping[str, str],
        quiet: float = 0.0,
    ) -> None:
        self._engine, self._container, self._address = engine, container, address
        self._port, self._window, self._environment = port, window, environment
        self._is_direct = is_direct(address, port)
        self._began = time.monotonic()
        self._since: dict[str, float] = {}  # when a fault that may be for good was first seen, without a break since
        self._same: dict[str, float] = {}  # when /ping was first answered as it is now
        self._work = _CpuWatch(container)
        self._log: list[LogLine] = []
        self._looked = self._began
        self._late = 0
        self._quiet = quiet
        self._answer: HttpResponse | None = None  # the last one, and what there was in its place
        self._silence: NoResponse | None = None
        self._words = "nothing was asked yet"
        self._slow: list[float] = []  # seconds of the last answers, as long as all of them were late
        self._signs = Signs()
        self._verdict: _Verdict | None = None

    def result(self) -> Waited:
        how, words, cause = self._result()
        return Waited(how, words, cause, self._late)

    def _result(self) -> _Verdict:
        self._keep_quiet()
        rules = PingRules(window_seconds=self._window - (time.monotonic() - self._began), ping_seconds=PING_SECONDS)
        if answers_consistently(rules, self._ask, threading.Event().wait, self._is_decided):
            return "ready", self._words, None
        if self._verdict is not None:
            return self._verdict
        self._read_log()
        cause = causes.of(self._with_sight(self._signs))
        seen = f"not ready within {self._window:.0f} s; {self._words}"
        return "not ready", f"{seen}; {cause.words}" if cause else seen, cause

    def _ask(self) -> bool:
        """One ping; whether it was good."""
        self._answer, self._silence = answer, silence = self._ping()
        self._words = f"GET /ping answers {answer.words}" if answer is not None else f"GET /ping: {silence}"
        is_good = answer is not None and answer.status == 200 and answer.seconds < PING_SECONDS
        if answer is not None:
            self._slow = [*self._slow, answer.seconds] if answer.status == 200 and not is_good else []
        return is_good

    def _is_decided(self) -> bool:
        """Whether the last answer, the container's end or its log show that it will never be ready."""
        self._verdict = self._decide()
        return self._verdict is not None

    def _decide(self) -> _Verdict | None:
        answer = self._answer
        if answer is not None:
            # One late ping is all that is asked of a server that was left alone.
            if len(self._slow) > (0 if self._quiet else self._workers()):
                return "slow", f"GET /ping answers 200 after {max(self._slow):.1f} s", None
            verdict = self._of_status(answer)
        else:
            assert self._silence is not None
            verdict = self._of_silence(self._silence)
        if verdict is not None:
            return verdict
        if not self._engine.inspect(self._container).running:
            return (*exited(self._engine, self._container), None)
        self._signs = self._signs_of(answer, self._words)
        cause = self._look(self._signs)
        is_well = answer is not None and answer.status == 200
        if cause is not None and cause.is_certain and not is_well:
            return "not ready", f"{self._words}; {cause.words}", cause
        return None

    def _keep_quiet(self) -> None:
        """Send nothing for `quiet` seconds, and longer while the server is still busy."""
        end = self._began + 2 * self._quiet + 5 if self._quiet else 0.0
        while (now := time.monotonic()) < end:
            if now - self._began >= self._quiet and self._work.idle_seconds() >= _LOOK_SECONDS:
                return
            if self._engine.wait(self._container, 0.25) is not None:
                return

    def _ping(self) -> tuple[HttpResponse | None, NoResponse | None]:
        try:
            answer = ask(self._address, "GET", "/ping", seconds=_PATIENCE_SECONDS)
        except NoResponse as error:
            self._late += error.why == "timeout"
            return None, error
        self._late += answer.seconds > PING_SECONDS
        return answer, None

    def _workers(self) -> int:
        """Processes of the container, each of which may answer slowly once."""
        return min(max(len(self._work.programs()), 1), _MOST_SLOW)

    def _of_silence(self, error: NoResponse) -> _Verdict | None:
        if error.why == "not http":
            cause = next((cause for begins, cause in _NOT_HTTP if error.received.startswith(begins)), None)
            said = f"GET /ping: {error}"
            if not self._lasts("not http"):
                return None
            return "broken answer", f"{said}; {cause.words}" if cause else said, cause
        # What publishes a port accepts connections itself, and closes them where nothing listens behind it.
        if error.why != "refused" and (self._is_direct or error.why == "timeout"):
            return None
        found = processes.listeners(self._container)
        here = [one for one in found or () if one.port == self._port and not one.is_loopback]
        if not found or any(not one.is_ipv6 for one in here):
            self._since.clear()
            return None
        where = ", ".join(str(one) for one in found)
        # A server that listens on all of IPv6 also accepts IPv4 connections, unless it sets IPV6_V6ONLY.
        words = f"it listens on {where} only{', which takes no connection by IPv4' if here else ''}"
        # It may yet begin to listen elsewhere, too: some servers' first port is for their own workers.
        at_port = any(one.port == self._port for one in found)
        if not self._lasts(where, 1.0 if at_port else _DECISIVE_SECONDS):
            return None
        return "wrong place", words, Cause(words, _BY_IPV4) if here else None

    def _of_status(self, answer: HttpResponse) -> _Verdict | None:
        # A server that still loads its model answers 5xx; these are the answers of one that has no /ping.
        if answer.status < 500 and answer.status != 200 and self._lasts(f"status {answer.status}"):
            if 300 <= answer.status < 400:
                where = answer.headers.get("location", "elsewhere")
                return "wrong answer", f"GET /ping answers {answer.status}, a redirect to {where}", None
            return "wrong answer", f"GET /ping answers {answer.words}", None
        return None

    def _lasts(self, fault: str, seconds: float = _DECISIVE_SECONDS) -> bool:
        now = time.monotonic()
        self._since = {fault: self._since.get(fault, now)}
        return now - self._since[fault] >= seconds

    def _signs_of(self, answer: HttpResponse | None, words: str) -> Signs:
        now = time.monotonic()
        self._same = {words: self._same.get(words, now)}
        return Signs(answer, now - self._same[words], environment=self._environment)

    def _look(self, signs: Signs) -> Cause | None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return None
        self._looked = now
        self._read_log()
        return causes.of(self._with_sight(signs))

    def _with_sight(self, signs: Signs) -> Signs:
        return Signs(
            signs.answer,
            signs.lasted,
            self._work.idle_seconds(),
            self._log,
            self._work.programs() or None,
            processes.listeners(self._container),
            signs.environment,
        )

    def _read_log(self) -> None:
        since = self._log[-1].time if self._log else None
        with contextlib.closing(self._engine.logs(self._container, since)) as stream:
            for line in stream:
                self._log.append(line)
                if len(self._log) > 2 * _MOST_LINES:
                    del self._log[:_MOST_LINES]


class _CpuWatch:
    """Whether the processes of a container are at work."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._before: Mapping[int, processes.CpuUse] | None = None
        self._at = self._idle_since = time.monotonic()

    def programs(self) -> list[str]:
        """Their names; empty where they cannot be seen."""
        return processes.programs(self._container)

    def idle_seconds(self) -> float:
        """How long the processes have been idle, as far as sampling shows; 0 where they cannot be seen."""
        now, seen = time.monotonic(), processes.work(self._container)
        before, seconds = self._before, now - self._at
        if before is not None and seconds < _LOOK_SECONDS:
            return self._at - self._idle_since
        self._before, self._at = seen, now
        if before is None or _is_busy(before, seen, seconds):
            self._idle_since = now
        return now - self._idle_since


def _is_busy(before: Mapping[int, processes.CpuUse], after: Mapping[int, processes.CpuUse], seconds: float) -> bool:
    if not after or set(before) != set(after) or any(one.waits_for_disk for one in after.values()):
        return True
    return sum(after[process].seconds - before[process].seconds for process in after) > _LITTLE * seconds


def exited(engine: ContainerApi, container: str) -> tuple[How, str]:
    state = engine.inspect(container)
    if state.oom_killed:
        return "exited", "it ran out of memory before it answered /ping"
    return "exited", f"it ended with exit code {state.exit_code} before it answered /ping with 200"


def is_direct(address: Address, port: int) -> bool:
    """Whether requests reach the container with nothing between, such as a proxy for its port."""
    return address[1] == port and not address[0].startswith("127.")
