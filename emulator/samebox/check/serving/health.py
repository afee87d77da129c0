"""/ping while the server serves, and how fast it accepts connections. Contract §2.2."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from samebox.check.checks import Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving.served import ENGINE, GIVE_MODEL, SERVED, in_vain, patience, payload
from samebox.check.serving.server import Setup, first_boot, has_model, running, start
from samebox.check.serving.waiting import PING_SECONDS
from samebox.check.serving.wire import NoResponse, RawConnection

if TYPE_CHECKING:
    from samebox.check.serving.server import Boot, RunningServer

CONNECT_SECONDS = 0.25
LOAD_SECONDS = 2.0
FAST_LOAD_SECONDS = 1.0
_WARM_SECONDS = 60.0
_LONGEST_START = 45.0  # seconds: what takes longer is not started a second time, to be left alone
CLIENTS = 4
CONNECTIONS = 20

PING_TIME = Rule(
    "serve-ping-time",
    "/ping answers within 2 s",
    "contract §2.2",
    "fail",
    "serving",
    "Answer /ping from memory; without a prediction and without reading the model folder.",
)
PING_MEANS = Rule(
    "serve-ping-means-ready",
    "/ping answers 200 only when requests can be answered",
    "contract §2.2; aws/deep-learning-containers#2917, aws/sagemaker-inference-toolkit#138",
    "fail",
    "serving",
    "Answer 503 from /ping until the model is loaded, and when it could not be: SageMaker looks at the status alone, "
    "and sends requests to a server that answers 200.",
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
        except NoResponse as error:
            if error.why == "timeout" and _loads_when_asked(context, boot):
                return _of_loading(server, boot)
            return PING_TIME.broken(f"{error} ({PING_SECONDS:g} s)")
        if answer.status != 200:
            return PING_TIME.broken(f"once ready, it answers {answer.words}")
        times.append(answer.seconds)
    if _loads_when_asked(context, boot):
        return _of_loading(server, boot)
    if max(times) > PING_SECONDS / 2:
        return PING_TIME.warned(f"up to {max(times):.1f} s, when nothing else is asked")
    return PING_TIME.passed(f"{statistics.median(times) * 1000:.1f} ms, at most {max(times) * 1000:.1f} ms")


def _of_loading(server: RunningServer, boot: Boot) -> Finding:
    # The other checks must not run while workers still load.
    quick, end = 0, time.monotonic() + _WARM_SECONDS
    while quick < 2 * CLIENTS and time.monotonic() < end:
        with contextlib.suppress(NoResponse):
            quick = quick + 1 if server.ask("GET", "/ping").seconds < PING_SECONDS else 0
    return PING_TIME.warned(
        f"while it started it took {boot.late} of the pings and did not answer them within {PING_SECONDS:g} s, and "
        "when it was started again and left alone, its first ping took as long: /ping loads the model",
        "Load the model before the server listens (gunicorn --preload), and answer /ping without it: a worker that "
        "is new, or was not asked yet, fails the health check of an endpoint in service.",
    )


def _loads_when_asked(context: Context, boot: Boot) -> bool:
    """Whether it is a ping that makes it load, and not the start: one that is left alone has loaded nothing by then."""
    if not boot.late or boot.seconds > _LONGEST_START:
        return False
    quiet = boot.seconds + 1
    again = start(context, Setup(quiet=quiet, window=3 * quiet + 20))
    if again.server is not None:
        again.server.remove()
    return again.how in ("ready", "slow") and again.late > 0


def ping_means_ready(context: Context) -> Finding:
    found = in_vain(context)
    if found is None or found.rule_id != PING_MEANS.id:
        return PING_MEANS.passed("it answers 200, and /invocations answers, too")
    if has_model(context):
        return found.quoted_in(PING_MEANS.broken(found.words))
    return found.quoted_in(replace(PING_MEANS.unknown(f"without a model, {found.words}"), remedy=GIVE_MODEL))


def ping_under_load(context: Context) -> Finding:
    server, asked = running(context), payload(context)
    longest = min(patience(context), 30.0)
    over = threading.Event()
    answered: list[float] = []

    def invoke() -> None:
        while not over.is_set():
            try:
                answer = server.ask("POST", "/invocations", asked.body, asked.headers, seconds=longest)
            except NoResponse:
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


def _pings(server: RunningServer, over: threading.Event, seconds: float) -> tuple[float, list[str], bool]:
    """The slowest good one, and what was wrong with others, and whether that counts."""
    slowest, problems, began = 0.0, list[str](), time.monotonic()
    over.wait(0.2)  # for the load to begin
    # One that took too long counts; one that was lost is looked at again.
    while len(problems) < 2 and time.monotonic() - began < seconds * (1 + len(problems)):
        try:
            answer = server.ask("GET", "/ping", seconds=PING_SECONDS)
        except NoResponse as error:
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
            connection = RawConnection(server.address, 3.0)
        except NoResponse as error:
            return CONNECT.broken(f"connection {number} of {CONNECTIONS}, one after another: {error}")
        # With a request, as the platform makes one: connections that bring none fill a queue that it never would.
        # serve-ping-time judges the response.
        with connection, contextlib.suppress(NoResponse):
            connection.ask("GET", "/ping", headers={"Connection": "close"}, seconds=PING_SECONDS)
        times.append(connection.connect_seconds)
        if times[-1] > CONNECT_SECONDS:
            late.append(f"{times[-1] * 1000:.0f} ms, for connection {number} of {CONNECTIONS}, one after another")
        # A machine that is busy loses one, too; one of its own is not a server's fault.
        if len(late) > 1:
            return CONNECT.broken("; ".join(late))
    seen = f"at most {max(times) * 1000:.1f} ms, {CONNECTIONS} times"
    return CONNECT.passed(f"{seen} (one lost and sent again, as on a busy machine)" if late else seen)


CHECKS = (
    Check(PING_TIME, ping_time, ENGINE, SERVED, seconds=240),
    Check(CONNECT, connect_time, ENGINE, SERVED),
    Check(PING_LOAD, ping_under_load, ENGINE, SERVED),
    Check(PING_MEANS, ping_means_ready, ENGINE, SERVED, seconds=300),
)
