"""WebSockets, as InvokeEndpointWithBidirectionalStream opens them to a container. Contract §2.6."""

from __future__ import annotations

import time
from dataclasses import dataclass

from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving.served import ENGINE, FAST_SECONDS, SERVED, Payload, patience, payload
from samebox.check.serving.server import label, running
from samebox.check.serving.waiting import PING_SECONDS
from samebox.check.serving.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, UpgradeRefused, WebSocket
from samebox.check.serving.wire import NoResponse
from samebox.check.static.places import line_of

LABEL = "com.amazonaws.sagemaker.capabilities.bidirectional-streaming"
PATH = "/invocations-bidirectional-stream"
_PAGE = "contract §2.6; AWS: Container Contract to Support Bidirectional Streaming Capabilities"
_MARK = b"samebox"
_NONE = "no label claims bidirectional-streaming, and no WebSocket opens"

OPENS = Rule(
    "serve-bidirectional",
    "A WebSocket opens at /invocations-bidirectional-stream, as the image's label declares",
    _PAGE,
    "fail",
    "serving",
    f"Answer the upgrade of GET {PATH} on port 8080 with 101, and set LABEL {LABEL}=true; leave the label out where "
    "there is none.",
)
PONGS = Rule(
    "serve-bidirectional-pong",
    "A WebSocket's Ping frames are answered with Pong frames",
    _PAGE,
    "fail",
    "serving",
    "Answer each Ping with a Pong of the same content, also while a prediction runs; after 5 without one SageMaker "
    "closes the connection.",
)
FRAMES = Rule(
    "serve-bidirectional-frames",
    "Messages in one frame or in several leave the WebSocket open",
    _PAGE,
    "fail",
    "serving",
    "Join the frames of a message until its last one, take Pings between them, and answer invalid ones with a message "
    "instead of closing.",
)
CLOSES = Rule(
    "serve-bidirectional-close",
    "A WebSocket that its client closes or abandons does no harm",
    _PAGE,
    "warn",
    "serving",
    "Answer a Close frame with one, and end the work for a client that has disconnected.",
)


@dataclass(frozen=True)
class Sent:
    """One way to send a message, and what became of the connection; `fault` where that was not as it should be."""

    name: str
    is_open: bool
    words: str = ""
    is_lost: bool = False  # without a Close frame


def opens(context: Context) -> Finding:
    server, claimed = running(context), label(context, LABEL) == "true"
    line = line_of(context, "LABEL", LABEL) if claimed else None
    try:
        with WebSocket(server.address, PATH, _limit(context)) as socket:
            socket.close()
    except UpgradeRefused as refused:
        if not claimed:
            raise CannotCheck(_NONE) from None
        return OPENS.broken(f"GET {PATH} with Upgrade: websocket is answered {refused}", line=line)
    except NoResponse as error:
        if not claimed:
            raise CannotCheck(_NONE) from None
        return OPENS.broken(f"GET {PATH} with Upgrade: websocket: {error}", line=line)
    if not claimed:
        return OPENS.warned(
            "it opens, but no label declares it to SageMaker", f"LABEL {LABEL}=true, if it is meant for SageMaker."
        )
    return OPENS.passed(f"GET {PATH}: 101")


def pongs(context: Context) -> Finding:
    return context.shared.get("pongs", lambda: _ping(context))


def _ping(context: Context) -> Finding:
    slowest = 0.0
    with _open(context) as socket:
        for number in range(3):
            mark = b"%s %d" % (_MARK, number)
            began = time.monotonic()
            try:
                socket.send(PING, mark)
                _await_pong(socket, mark, _limit(context))
            except (NoResponse, _Closed) as error:
                return PONGS.broken(f"Ping {number + 1}: {_silence(error)}")
            slowest = max(slowest, time.monotonic() - began)
    return PONGS.passed(f"3 of 3, within {slowest * 1000:.0f} ms")


def frames(context: Context) -> Finding:
    if pongs(context).status != "pass":
        raise CannotCheck(f"whether the WebSocket is still open shows in its Pong: see {PONGS.id}")
    one = payload(context)
    half = max(1, len(one.body) // 2)
    # Not in the middle of a letter: each frame of a text is checked by some as it comes.
    while half < len(one.body) and one.body[half] & 0xC0 == 0x80:
        half += 1
    binary = _send(context, "a binary message", ((BINARY, one.body, True),))
    whole = [binary]
    if _is_text(one):
        whole.append(_send(context, "a text message", ((TEXT, one.body, True),)))
    taken = [sent for sent in whole if sent.is_open]
    lost = [sent for sent in whole if sent.is_lost]
    if lost or not taken:
        words = f"{one.name}: {_words(lost or whole)}"
        return FRAMES.broken(words) if one.is_given else FRAMES.warned(f"{words}; --payload gives one that it takes")
    opcode = BINARY if taken[0] is binary else TEXT
    parts = ((opcode, one.body[:half], False), (PING, _MARK, True), (CONTINUATION, one.body[half:], True))
    split = _send(context, f"{taken[0].name} in two frames, a Ping between them", parts)
    if not split.is_open:
        return FRAMES.broken(f"{one.name}: {_words([split])}")
    return FRAMES.passed(f"{one.name}: " + ", ".join([sent.name for sent in taken] + ["and in two frames"]))


def closes(context: Context) -> Finding:
    server = running(context)
    with _open(context) as socket:
        try:
            socket.close()
            while socket.receive(_limit(context)).opcode != CLOSE:
                continue
        except NoResponse as error:
            how = "nothing" if error.why == "timeout" else "the end of the connection"
            return CLOSES.broken(f"a Close frame is answered with {how}, and not with a Close frame")
    with _open(context) as socket:
        socket.send(BINARY, payload(context).body)
        socket.abandon()
    state = server.engine.wait(server.container, 0.5)
    if state is not None:
        return CLOSES.broken(f"a caller left without a word: the server ended, with exit code {state.exit_code}")
    try:
        ping = server.ask("GET", "/ping", seconds=PING_SECONDS)
    except NoResponse as error:
        return CLOSES.broken(f"a caller left without a word: then GET /ping: {error}")
    if ping.status != 200:
        return CLOSES.broken(f"a caller left without a word: then /ping answers {ping.words}")
    return CLOSES.passed("answered with a Close frame; and when a caller left, /ping still answered 200")


class _Closed(Exception):
    """A Close frame came in place of the expected one; the message has its code and reason."""


def _open(context: Context) -> WebSocket:
    """Raises CannotCheck where there is none."""
    try:
        return WebSocket(running(context).address, PATH, _limit(context))
    except (UpgradeRefused, NoResponse):
        claimed = label(context, LABEL) == "true"
        raise CannotCheck(f"no WebSocket opens: see {OPENS.id}" if claimed else _NONE) from None


def _send(context: Context, name: str, parts: tuple[tuple[int, bytes, bool], ...]) -> Sent:
    """Send it on a connection of its own, and see whether that lives: whatever the answer is, a Ping is answered."""
    mark = _MARK + b" after it"
    with _open(context) as socket:
        try:
            for opcode, body, final in parts:
                socket.send(opcode, body, final)
            socket.send(PING, mark)
            _await_pong(socket, mark, _limit(context))
        except _Closed as error:
            return Sent(name, False, _silence(error), "1011" in str(error))
        except NoResponse as error:
            return Sent(name, False, _silence(error), True)
    return Sent(name, True)


def _await_pong(socket: WebSocket, mark: bytes, seconds: float) -> None:
    """Raises NoResponse, _Closed. What else comes is an answer, or a greeting."""
    end = time.monotonic() + seconds
    while True:
        frame = socket.receive(max(end - time.monotonic(), 0))
        if frame.opcode == PONG and frame.payload == mark:
            return
        if frame.opcode == PING:
            socket.send(PONG, frame.payload)
        if frame.opcode == CLOSE:
            raise _Closed(frame.closing)


def _silence(error: Exception) -> str:
    if isinstance(error, _Closed):
        return f"it closed the connection ({error})"
    if isinstance(error, NoResponse) and error.why == "timeout":
        return "no Pong came in time"
    if isinstance(error, NoResponse) and error.why in ("closed", "reset"):
        return "the connection ended without a Close frame"
    return str(error)


def _limit(context: Context) -> float:
    return min(FAST_SECONDS, patience(context))


def _words(sent: list[Sent]) -> str:
    return "; ".join(f"after {one.name}, {one.words}" for one in sent)


def _is_text(one: Payload) -> bool:
    try:
        one.body.decode()
    except UnicodeDecodeError:
        return False
    return True


CHECKS = (
    Check(OPENS, opens, ENGINE, SERVED),
    Check(PONGS, pongs, ENGINE, SERVED, seconds=120),
    Check(FRAMES, frames, ENGINE, SERVED, seconds=120),
    Check(CLOSES, closes, ENGINE, SERVED, seconds=120),
)
