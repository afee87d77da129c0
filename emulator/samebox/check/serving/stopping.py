"""The end of the server: at SIGTERM, within 30 s, with a response to the request in progress. Contract §2.1."""

from __future__ import annotations

import time
from dataclasses import dataclass

from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving.served import ENGINE, SERVED, first_answers, must_be_of_use, payload
from samebox.check.serving.server import first_boot, running, used_up
from samebox.check.serving.wire import HttpResponse, NoResponse, RawConnection, request

GRACE_SECONDS = 30.0
FAST_SECONDS = 10.0
_PAUSE = 0.5  # for the rest of a request to come after the signal
_LONG_SECONDS = 0.5  # an answer that takes so long is under way when the signal comes

STOPS = Rule(
    "serve-stops",
    "The server ends within 30 s of SIGTERM",
    "contract §2.1",
    "warn",
    "serving",
    "exec the server, so that it is process 1 and not a child of a shell, and handle SIGTERM: as process 1, a program "
    "without a handler ignores it.",
)
DRAINS = Rule(
    "serve-drains",
    "A request in progress at SIGTERM is answered",
    "contract §2.1",
    "fail",
    "serving",
    "At SIGTERM stop accepting, answer what has been accepted, then end; gunicorn and uvicorn do when they get the "
    "signal themselves.",
)


@dataclass(frozen=True)
class ServerStop:
    """`whole`: the request had come as a whole before the signal; else half of it came after."""

    answer: HttpResponse | NoResponse
    whole: bool
    seconds: float | None  # None: it had to be killed
    limit: float
    exit_code: int | None


def grace(boot_seconds: float, is_fast: bool) -> float:
    """Seconds for the end; with --fast fewer, but not where its start took long too, as on a busy machine."""
    return min(GRACE_SECONDS, max(FAST_SECONDS, 2 * boot_seconds)) if is_fast else GRACE_SECONDS


def stops(context: Context) -> Finding:
    ending = _ending(context)
    if ending.seconds is None:
        seen = f"it still ran {ending.limit:.0f} s after SIGTERM"
        return STOPS.broken(f"{seen} (shortened by --fast from 30 s)" if ending.limit < GRACE_SECONDS else seen)
    return STOPS.passed(f"after {ending.seconds:.1f} s, with exit code {ending.exit_code}")


def drains(context: Context) -> Finding:
    must_be_of_use(context)
    ending = _ending(context)
    if isinstance(ending.answer, NoResponse) and ending.whole:
        return DRAINS.broken(f"a request that had come before SIGTERM: {ending.answer}")
    if isinstance(ending.answer, NoResponse):
        # It stands in for one that takes longer; the platform itself sends a request as a whole.
        return DRAINS.warned(f"a request of which one half came before SIGTERM and one after: {ending.answer}")
    if ending.answer.status == 503:
        return DRAINS.warned(f"a request that had begun before SIGTERM is refused: {ending.answer.words}")
    return DRAINS.passed(f"a request that had begun before SIGTERM was answered {ending.answer.status}")


def _ending(context: Context) -> ServerStop:
    return context.shared.get("ending", lambda: _end(context))


def _end(context: Context) -> ServerStop:
    server, one = running(context), payload(context)
    limit = min(grace(first_boot(context).seconds, context.options.fast), context.deadline.left - 5)
    head, body = request("POST", "/invocations", one.body or b" ", one.headers)
    whole = any(
        asked == one and isinstance(answer, HttpResponse) and answer.seconds > _LONG_SECONDS
        for asked, answer in first_answers(context)
    )
    before = len(body) if whole else len(body) // 2
    try:
        with RawConnection(server.address) as connection:
            # Where the model is fast, half a request is under way for as long as we like.
            connection.send(head + body[:before])
            server.engine.wait(server.container, 0.2)  # for it to have been taken
            began = time.monotonic()
            server.engine.kill(server.container, "SIGTERM")
            server.engine.wait(server.container, _PAUSE)
            answer = _rest(connection, body[before:], limit)
        state = server.engine.wait(server.container, max(limit - (time.monotonic() - began), 0.1))
        seconds = time.monotonic() - began
    except NoResponse as error:
        raise CannotCheck(f"no request could be begun: {error}") from None
    finally:
        used_up(context)
    return ServerStop(answer, whole, seconds if state is not None else None, limit, state.exit_code if state else None)


def _rest(connection: RawConnection, body: bytes, seconds: float) -> HttpResponse | NoResponse:
    try:
        connection.send(body, seconds)
        return connection.receive(seconds)
    except NoResponse as error:
        return error


CHECKS = (
    Check(DRAINS, drains, ENGINE, SERVED, seconds=GRACE_SECONDS + 30),
    Check(STOPS, stops, ENGINE, SERVED, seconds=GRACE_SECONDS + 30),
)
