"""How the server answers /ping while it serves, and how fast it accepts connections. Contract §2.2."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from typing import TYPE_CHECKING

from emulator.check.checks import Check, Context
from emulator.check.findings import Finding, Rule
from emulator.check.serving.served import ENGINE, SERVED, patience, payload
from emulator.check.serving.server import PING_SECONDS, first_boot, running
from emulator.check.serving.wire import Connection, NoAnswer

if TYPE_CHECKING:
    from emulator.check.serving.server import Server

CONNECT_SECONDS = 0.25
LOAD_SECONDS = 2.0
FAST_LOAD_SECONDS = 1.0
CLIENTS = 4
CONNECTIONS = 20

PING_TIME = Rule(
    "serve-ping-time",
    "/ping answers within 2 s",
    "contract §2.2",
    "fail",
    "serving",
    "Answer /ping from what is known already; no prediction, no look into the model folder.",
)
PING_LOAD = Rule(
    "serve-ping-under-load",
    "/ping answers within 2 s while predictions run",
    "contract §2.2",
    "fail",
    "serving",
    "Let a thread or process be free for /ping: one that is busy with a prediction leaves the instance unhealthy, and "
    "it is replaced.",
)
CONNECT = Rule(
    "serve-connect-time",
    "Connections are accepted within 250 ms",
    "contract §2.2",
    "fail",
    "serving",
    "Listen for as long as the server runs, and accept in a thread of its own, with a backlog of 128 or more.",
)


def ping_time(context: Context) -> Finding:
    boot = first_boot(context)
    if boot.how == "slow":
        return PING_TIME.broken(boot.words)
    server = running(context)
    times = []
    for _ in range(5):
        try:
            answer = server.ask("GET", "/ping", seconds=PING_SECONDS)
        except NoAnswer as error:
            return PING_TIME.broken(f"{error} ({PING_SECONDS:g} s)")
        if answer.status != 200:
            return PING_TIME.broken(f"once ready, it answers {answer.words}")
        times.append(answer.seconds)
    if max(times) > PING_SECONDS / 2:
        return PING_TIME.warned(f"up to {max(times):.1f} s, when nothing else is asked")
    return PING_TIME.passed(f"{statistics.median(times) * 1000:.1f} ms, at most {max(times) * 1000:.1f} ms")


def ping_under_load(context: Context) -> Finding:
    server, asked = running(context), payload(context)
    longest = min(patience(context), 30.0)
    over = threading.Event()
    answered: list[float] = []

    def invoke() -> None:
        while not over.is_set():
            try:
                answer = server.ask("POST", "/invocations", asked.body, asked.headers, seconds=longest)
            except NoAnswer:
                over.wait(0.05)  # what becomes of invocations is another rule's
            else:
                answered.append(answer.seconds)

    clients = [threading.Thread(target=invoke, name="invocations", daemon=True) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        seconds = FAST_LOAD_SECONDS if context.options.fast else LOAD_SECONDS
        slowest, problems, is_broken = _pings(server, over, seconds)
    finally:
        over.set()
    for client in clients:
        client.join(max(min(context.deadline.left, longest + 1), 0.1))
    load = f"{CLIENTS} clients that sent {asked.name}"
    if is_broken:
        return PING_LOAD.broken(f"{problems[-1]}, beside {load}")
    seen = f"at most {slowest * 1000:.0f} ms beside {load} ({len(answered)} answers)"
    seen = "; ".join([seen, *(f"once, {problem}" for problem in problems)])
    return PING_LOAD.warned(seen) if slowest > PING_SECONDS / 2 else PING_LOAD.passed(seen)


def _pings(server: Server, over: threading.Event, seconds: float) -> tuple[float, list[str], bool]:
    """The slowest good one, and what was wrong with others, and whether that counts."""
    slowest, problems, began = 0.0, list[str](), time.monotonic()
    over.wait(0.2)  # for the load to begin
    # One that took too long counts; one that was lost is looked at again.
    while len(problems) < 2 and time.monotonic() - began < seconds * (1 + len(problems)):
        try:
            answer = server.ask("GET", "/ping", seconds=PING_SECONDS)
        except NoAnswer as error:
            problems.append(f"GET /ping: {error} ({PING_SECONDS:g} s)")
            if error.why == "timeout":
                return slowest, problems, True
        else:
            if answer.status == 200:
                slowest = max(slowest, answer.seconds)
            else:
                problems.append(f"GET /ping answers {answer.words}")
        over.wait(0.1)
    return slowest, problems, len(problems) > 1


def connect_time(context: Context) -> Finding:
    server = running(context)
    if not server.is_direct:
        return CONNECT.skipped("between this process and the container, something else accepts connections")
    times, late = [], list[str]()
    for number in range(1, CONNECTIONS + 1):
        try:
            connection = Connection(server.address, 3.0)
        except NoAnswer as error:
            return CONNECT.broken(f"connection {number} of {CONNECTIONS}, one after another: {error}")
        # With a request, as the platform makes one: connections that bring none fill a queue that it never would.
        # Of the answer serve-ping-time tells.
        with connection, contextlib.suppress(NoAnswer):
            connection.ask("GET", "/ping", headers={"Connection": "close"}, seconds=PING_SECONDS)
        times.append(connection.connect_seconds)
        if times[-1] > CONNECT_SECONDS:
            late.append(f"{times[-1] * 1000:.0f} ms, for connection {number} of {CONNECTIONS}, one after another")
        # A machine that is busy loses one, too; one of its own is no server's fault.
        if len(late) > 1:
            return CONNECT.broken("; ".join(late))
    seen = f"at most {max(times) * 1000:.1f} ms, {CONNECTIONS} times"
    return CONNECT.passed(f"{seen} (one lost and sent again, as on a busy machine)" if late else seen)


CHECKS = (
    Check(PING_TIME, ping_time, ENGINE, SERVED),
    Check(CONNECT, connect_time, ENGINE, SERVED),
    Check(PING_LOAD, ping_under_load, ENGINE, SERVED),
)
