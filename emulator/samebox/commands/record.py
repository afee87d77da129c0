"""`samebox record`: records calls of an endpoint, its own or an application's, in a transcript. Emulator or AWS."""

import argparse
import contextlib
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from rich.markup import escape

from samebox.check.findings import harmless
from samebox.check.serving.served import content_type
from samebox.cli import VERSION
from samebox.commands import aws, consent
from samebox.commands.forwarder import BODY_MOST, LOOPBACK, Forwarder
from samebox.commands.outcome import Stop
from samebox.commands.runtime import Exchange, Runtime
from samebox.parity.transcript import Header, Occupied, RecordedCall, Writer, now

if TYPE_CHECKING:
    from rich.status import Status

LAST_CALLS_SECONDS = 90.0  # after Ctrl-C, for calls that are on their way; a second one does not wait
UNUSABLE = 2
_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@dataclass(frozen=True)
class RecordPayload:
    """A body, and the members that go with it."""

    name: str
    body: bytes
    request: dict[str, str]


def run(given: argparse.Namespace) -> int:
    address = _address(given.listen) if given.listen else None
    payloads = [] if address else [_payload(path, given) for path in given.payload]
    _look_over(given, payloads)
    notes = Console(stderr=True, soft_wrap=True, highlight=False)
    with aws.spoken():
        session = aws.of_environment(given.region)
        runtime = Runtime(session)
        there = consent.place(runtime.url, session.account, session.region)
        notes.print(f"With {escape(there.name)}")
        if there.costs:
            what = "Every call that it passes on is" if address else f"These {len(payloads) * given.times} calls are"
            consent.ask(f"{what} made to endpoint {given.endpoint}, and AWS may bill them.", given.yes)
    header = Header(given.endpoint, session.region, now(), runtime.url, VERSION)
    if address:
        # What listens is there before the file is: an address that is taken leaves nothing behind.
        with _recorder(given, runtime, address) as (recorder, forwarder), _writer(given, header) as writer:
            recorder.writer = writer
            return _listen(given, recorder, forwarder, notes)
    with _writer(given, header) as writer:
        return _invoke(given, runtime, payloads, writer, notes)


# Its own calls


def _invoke(
    given: argparse.Namespace, runtime: Runtime, payloads: list[RecordPayload], writer: Writer, notes: Console
) -> int:
    errors = 0
    with notes.status(f"invoking {given.endpoint}") as status, _said_at_the_end(given, writer, notes):
        for _ in range(given.times):
            for payload in payloads:
                call = runtime.invoke(given.endpoint, payload.request, payload.body).call
                if call.error is not None and call.error.code != "ModelError":
                    # No container had a part in it, and the next call will fare no better.
                    raise Stop(f"{payload.name}: {_words(call)}")
                if call.error is not None:
                    errors += 1
                    notes.print(f"{escape(payload.name)}: {escape(_words(call))}")
                _write(writer, call)
                status.update(f"invoking {given.endpoint}: {writer.count} of {given.times * len(payloads)}")
    return 0


@contextlib.contextmanager
def _said_at_the_end(given: argparse.Namespace, writer: Writer, notes: Console) -> Iterator[None]:
    """How many there are, also when it ends before its time; a file that came to nothing goes."""
    try:
        yield
    finally:
        if writer.count:
            notes.print(f"{_counted(writer.count)} recorded in {escape(str(given.output))}")
        elif writer.is_new:
            given.output.unlink(missing_ok=True)


# An application's calls


class _Recorder:
    """Keeps what belongs to one endpoint, and counts what does not."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.writer: Writer | None = None
        self.status: Status | None = None
        self.others = 0

    def keep(self, endpoint: str, exchange: Exchange) -> None:
        """Raises OSError."""
        if endpoint != self._endpoint or self.writer is None:
            self.others += 1
            return
        self.writer.write(exchange.call)
        if self.status is not None:
            self.status.update(f"{_counted(self.writer.count)}; Ctrl-C ends it")


@contextlib.contextmanager
def _recorder(
    given: argparse.Namespace, runtime: Runtime, address: tuple[str, int]
) -> Iterator[tuple[_Recorder, Forwarder]]:
    recorder = _Recorder(given.endpoint)
    try:
        forwarder = Forwarder(address, runtime, recorder.keep)
    except OSError as error:
        raise Stop(f"--listen {given.listen}: {error.strerror or error}.", status=UNUSABLE) from None
    with forwarder:
        if runtime.url.rstrip("/") in (forwarder.url, forwarder.url.replace("127.0.0.1", "localhost")):
            raise Stop(
                f"{forwarder.url} is where this shell's own AWS clients are sent: it would call itself. Unset "
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME here; it is for the application's shell.",
                status=UNUSABLE,
            )
        yield recorder, forwarder


def _listen(given: argparse.Namespace, recorder: _Recorder, forwarder: Forwarder, notes: Console) -> int:
    writer = recorder.writer
    assert writer is not None  # it has just been given one
    where = f"endpoint {given.endpoint} in {given.output}"
    before = signal.signal(signal.SIGTERM, _interrupted)
    try:
        with notes.status("no call yet; Ctrl-C ends it") as recorder.status:
            with contextlib.suppress(KeyboardInterrupt):
                notes.print(escape(f"Recording {where}. In the application's shell:"))
                notes.print(f"  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={forwarder.url}")
                forwarder.serve_forever(poll_interval=0.2)
            recorder.status.update("waiting for calls that are on their way")
            with contextlib.suppress(KeyboardInterrupt):
                forwarder.wait_until_idle(LAST_CALLS_SECONDS)
    finally:
        signal.signal(signal.SIGTERM, before)
        if not writer.count and writer.is_new:
            given.output.unlink(missing_ok=True)
    others = f"; {_counted(recorder.others)} of other endpoints passed on, not recorded" if recorder.others else ""
    where = f" in {given.output}" if writer.count else ""
    notes.print(escape(f"{_counted(writer.count)} recorded{where}{others}"))
    if forwarder.troubles:
        raise Stop(f"{_counted(len(forwarder.troubles))} went wrong here: {harmless(forwarder.troubles[0])}")
    return 0


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


# What is given


def _look_over(given: argparse.Namespace, payloads: list[RecordPayload]) -> None:
    """Raises Stop for invalid arguments, before any request is sent."""
    if not _ENDPOINT.fullmatch(given.endpoint):
        raise Stop(f"{given.endpoint!r} is not an endpoint's name: letters, digits and hyphens.", status=UNUSABLE)
    if not given.listen and not payloads:
        raise Stop("nothing to record: give --payload FILE …, or --listen PORT for an application's calls.", UNUSABLE)
    if given.listen and (given.payload or given.content_type or given.accept or given.times != 1):
        raise Stop(
            "--listen records an application's calls: --payload and what belongs to it are not for it.", UNUSABLE
        )
    if given.times < 1:
        raise Stop(f"--times {given.times}: expected 1 or more.", status=UNUSABLE)
    if given.output.is_dir():
        raise Stop(f"--output {given.output} is a folder.", status=UNUSABLE)
    if given.output.exists() and not given.append:
        raise Stop(f"{given.output} exists; --append adds to it.", status=UNUSABLE)


def _payload(path: Path, given: argparse.Namespace) -> RecordPayload:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Stop(f"--payload {path}: {error.strerror}.", status=UNUSABLE) from None
    if len(body) > BODY_MOST:
        raise Stop(f"--payload {path} is {len(body):,} bytes; an endpoint takes {BODY_MOST:,}.", status=UNUSABLE)
    request = {"ContentType": given.content_type or content_type(path)}
    return RecordPayload(path.name, body, {**request, "Accept": given.accept} if given.accept else request)


def _address(listen: str) -> tuple[str, int]:
    """[HOST:]PORT. Raises Stop."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not re.fullmatch(r"\d{1,5}", port, re.ASCII) or int(port) > 65535:
        raise Stop(f"--listen {listen}: expected a port, such as 8181.", status=UNUSABLE)
    if host not in LOOPBACK[:2]:
        raise Stop(
            f"--listen {listen}: on loopback only (127.0.0.1): its clients invoke with your credentials.",
            status=UNUSABLE,
        )
    return "127.0.0.1", int(port)


def _writer(given: argparse.Namespace, header: Header) -> Writer:
    try:
        return Writer(given.output, header, given.append)
    except Occupied as error:
        raise Stop(str(error), status=UNUSABLE) from None
    except OSError as error:
        raise Stop(f"--output {given.output}: {error.strerror}.", status=UNUSABLE) from None


def _write(writer: Writer, call: RecordedCall) -> None:
    try:
        writer.write(call)
    except OSError as error:
        raise Stop(f"the transcript cannot be written: {error.strerror or error}") from None


def _words(call: RecordedCall) -> str:
    assert call.error is not None
    return harmless(f"{call.error.code}: {call.error.message}"[:500])


def _counted(count: int) -> str:
    return f"{count} call{'s' * (count != 1)}"
