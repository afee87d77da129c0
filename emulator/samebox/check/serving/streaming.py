"""Streamed responses, as InvokeEndpointWithResponseStream forwards them. Contract §2.6.

No label marks an image that streams, and many servers send ordinary responses in chunks. A response counts as a stream
with --streaming, or if its Content-Type is text/event-stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving.served import (
    ENGINE,
    FAST_SECONDS,
    INVOCATION_SECONDS,
    SERVED,
    Payload,
    first_answers,
    patience,
    payload,
)
from samebox.check.serving.server import running
from samebox.check.serving.waiting import PING_SECONDS
from samebox.check.serving.wire import HttpResponse, NoResponse, RawConnection, request

if TYPE_CHECKING:
    from samebox.check.serving.server import RunningServer

STREAM_SECONDS = 480.0
CALLERS = 4  # that disconnect in the middle of their streams
# A response that took less does not show when its parts were sent; parts closer together arrived at once.
_TELLING_SECONDS = 0.5
_SPREAD = 0.1  # of the whole
_TRIES = 3
_TYPES = ("text/event-stream",)
_NONE = "no answer is text/event-stream; --streaming, if one is to be a stream"

STREAMS = Rule(
    "serve-stream",
    "A response that is to be streamed comes in chunks",
    "contract §2.6; AWS: Custom Inference Code with Hosting Services (streaming requests)",
    "fail",
    "serving",
    "Answer from a generator, with Transfer-Encoding: chunked and no Content-Length: StreamingResponse in FastAPI, "
    "stream_with_context in Flask.",
)
ARRIVES = Rule(
    "serve-stream-arrives",
    "The parts of a streamed response are sent as they are made, not at its end",
    "contract §2.6; AWS: Custom Inference Code with Hosting Services (streaming requests)",
    "warn",
    "serving",
    "Turn off buffering: nginx proxy_buffering off (or X-Accel-Buffering: no), no compression, and flush after "
    "each part.",
)
ENDS = Rule(
    "serve-stream-ends",
    "A streamed response ends with its last chunk",
    "contract §2.6 (ModelStreamError StreamBroken), RFC 9112 §7.1",
    "fail",
    "serving",
    "Catch exceptions while parts are made, send them as a last part that clients understand, and end the response; "
    "the log has the exception.",
)
ABANDONED = Rule(
    "serve-stream-abandoned",
    "A client that disconnects during a stream does no harm",
    "contract §2.6 (ModelStreamError StreamBroken)",
    "fail",
    "serving",
    "Stop the generation when a write fails (BrokenPipeError, GeneratorExit, CancelledError), and free what it held.",
)
TIME = Rule(
    "serve-stream-time",
    "A streamed response ends within 8 minutes",
    "contract §2.3, §2.6 (ModelStreamError ModelInvocationTimeExceeded)",
    "fail",
    "serving",
    "Limit the length of a response, such as the number of tokens, or deploy it as an asynchronous endpoint.",
)


def is_stream(context: Context, answer: HttpResponse) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return answer.is_chunked and answer.is_good and (kind in _TYPES or "streaming" in context.claims)


def streams(context: Context) -> Finding:
    found = first_answers(context)
    for one, answer in found:
        begun = answer.begun if isinstance(answer, NoResponse) else answer
        if begun is not None and is_stream(context, begun):
            return STREAMS.passed(f"{one.name}: {begun.status}, in {_many(begun)}")
    if "streaming" not in context.claims:
        raise CannotCheck(_NONE)
    # Many servers stream only when the request asks for it, which the probe does not.
    good = [
        (one, answer) for one, answer in found if one.is_given and isinstance(answer, HttpResponse) and answer.is_good
    ]
    if not good:
        raise CannotCheck("--payload gives a request for a stream; no given one was answered well")
    return STREAMS.broken("; ".join(f"{one.name}: {answer.status}, {_one_piece(answer)}" for one, answer in good))


def arrives(context: Context) -> Finding:
    one, answer = _whole(context)
    server, words = running(context), ""
    for _ in range(_TRIES):
        if answer.seconds < _TELLING_SECONDS:
            return ARRIVES.skipped(
                f"{one.name}: all of it came within {answer.seconds * 1000:.0f} ms, too fast to distinguish its parts; "
                "give a request for a longer answer with --payload"
            )
        times = [part.seconds for part in answer.parts] or [answer.seconds]
        if times[-1] - times[0] > _SPREAD * answer.seconds:
            return ARRIVES.passed(f"{one.name}: {_many(answer)}, from {times[0]:.2f} s to {times[-1]:.2f} s")
        words = f"{one.name}: nothing for {times[0]:.2f} s, then all of it at once ({_many(answer)})"
        try:
            answer = server.ask("POST", "/invocations", one.body, one.headers, seconds=patience(context))
        except NoResponse:
            break
    return ARRIVES.broken(words)


def ends(context: Context) -> Finding:
    faults, whole = [], 0
    for one, answer in _streams(context):
        if isinstance(answer, HttpResponse):
            whole += 1
        elif answer.why != "timeout":  # serve-stream-time judges it
            faults.append(f"{one.name}: {answer}")
    if faults:
        return ENDS.broken("; ".join(faults))
    if not whole:
        raise CannotCheck(f"no stream ended in time: see {TIME.id}")
    return ENDS.passed("it does" if whole == 1 else f"all {whole} do")


def abandoned(context: Context) -> Finding:
    one, _ = _streams(context)[0]
    server, limit = running(context), min(FAST_SECONDS, patience(context))
    for _ in range(CALLERS):
        _go_in_the_middle(server, one, limit)
    # The server notices when it sends the next part.
    state = server.engine.wait(server.container, 1.0)
    words = f"{CALLERS} callers went after the first part"
    if state is not None:
        return ABANDONED.broken(f"{words}: the server ended, with exit code {state.exit_code}")
    other = payload(context)
    try:
        ping = server.ask("GET", "/ping", seconds=PING_SECONDS)
        with RawConnection(server.address, limit) as connection:
            head, body = request("POST", "/invocations", other.body, other.headers)
            connection.send(head + body, limit)
            answer = connection.receive_head(limit)
    except NoResponse as error:
        return ABANDONED.broken(f"{words}: then {error}")
    if ping.status != 200:
        return ABANDONED.broken(f"{words}: then /ping answers {ping.words}")
    return ABANDONED.passed(f"{words}; then /ping answers {ping.status}, /invocations {answer.status}")


def time(context: Context) -> Finding:
    slowest, name = 0.0, ""
    for one, first in _streams(context):
        answer = first
        if isinstance(answer, NoResponse) and answer.why == "timeout":
            if patience(context) < INVOCATION_SECONDS:
                return TIME.warned(f"{one.name}: no end within {patience(context):.0f} s; --fast waits no longer")
            limit = min(STREAM_SECONDS, context.deadline.left - 5)
            try:
                answer = running(context).ask("POST", "/invocations", one.body, one.headers, seconds=limit)
            except NoResponse as error:
                if error.why == "timeout":
                    return TIME.broken(f"{one.name}: no end within {limit:.0f} s")
                answer = error
        if isinstance(answer, NoResponse):
            continue  # serve-stream-ends judges it
        if answer.seconds >= slowest:
            slowest, name = answer.seconds, one.name
    if not name:
        raise CannotCheck(f"no stream had an end: see {ENDS.id}")
    words = f"{name}: {slowest:.1f} s"
    if slowest > STREAM_SECONDS / 2:
        return TIME.warned(f"{words} of {STREAM_SECONDS:.0f} s")
    if slowest > INVOCATION_SECONDS:
        words += "; InvokeEndpoint, which waits 60 s for all of it, would give up"
    return TIME.passed(words)


def _streams(context: Context) -> list[tuple[Payload, HttpResponse | NoResponse]]:
    """The first answers that are streams, whole or not. Raises CannotCheck where none is."""
    found = []
    for one, answer in first_answers(context):
        begun = answer.begun if isinstance(answer, NoResponse) else answer
        if begun is not None and is_stream(context, begun):
            found.append((one, answer))
    if not found:
        raise CannotCheck(f"no answer is a stream: see {STREAMS.id}" if "streaming" in context.claims else _NONE)
    return found


def _whole(context: Context) -> tuple[Payload, HttpResponse]:
    """The longest stream that ended."""
    whole = [(one, answer) for one, answer in _streams(context) if isinstance(answer, HttpResponse)]
    if not whole:
        raise CannotCheck(f"no stream had an end: see {ENDS.id}")
    return max(whole, key=lambda pair: pair[1].seconds)


def _go_in_the_middle(server: RunningServer, one: Payload, seconds: float) -> None:
    head, body = request("POST", "/invocations", one.body, one.headers)
    try:
        with RawConnection(server.address, seconds) as connection:
            connection.send(head + body, seconds)
            connection.receive_head(seconds)
            connection.take(1, seconds)
            connection.reset()
    except NoResponse as error:
        raise CannotCheck(f"no stream could be begun: {error}") from None


def _one_piece(answer: HttpResponse) -> str:
    length = answer.headers.get("content-length")
    return f"in one piece of {length} bytes" if length else "and it ends only with the connection"


def _many(answer: HttpResponse) -> str:
    return "1 part" if len(answer.parts) == 1 else f"{len(answer.parts)} parts"


CHECKS = (
    Check(STREAMS, streams, ENGINE, SERVED, seconds=300),
    Check(ARRIVES, arrives, ENGINE, SERVED, seconds=300),
    Check(ENDS, ends, ENGINE, SERVED, seconds=300),
    Check(ABANDONED, abandoned, ENGINE, SERVED, seconds=120),
    Check(TIME, time, ENGINE, SERVED, seconds=STREAM_SECONDS + 60),
)
