"""`samebox parity --recorded`: does an image answer the calls of a transcript as the endpoint did?"""

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table
from rich.text import Text

from samebox.check.checks import CannotCheck, Context, Deadline, Options
from samebox.check.findings import harmless
from samebox.check.serving.server import Setup, engine_of, start
from samebox.check.serving.wire import HttpResponse
from samebox.cli import VERSION
from samebox.commands import examination, reporting
from samebox.commands.boot_log import BootLog
from samebox.commands.display import Screen
from samebox.commands.examination import UNUSABLE, CheckOptions
from samebox.commands.outcome import Stop, cleaning_up
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import Engine, EngineError
from samebox.parity import replay, replay_page
from samebox.parity.outputs import Tolerance
from samebox.parity.replay import Replayed, ReplayReport, ReplayStopped, difference
from samebox.parity.transcript import BadTranscript, Header, Reader

_SHOWN_MOST = 10  # different calls on a screen; the first is what a person looks at
_STYLES = {0: "bold green", 1: "bold red", 2: "bold yellow"}


def run(given: argparse.Namespace) -> int:
    image = _look_over(given)
    reporting.look_at(path for path in (given.json, given.html) if path)
    header, count, variants = _look_at(given.recorded)
    screen = Console(stderr="-" in (given.json, given.html), highlight=False)
    engine = DockerEngine()
    try:
        with cleaning_up():
            why_no_engine = engine.available()
            if why_no_engine:
                raise Stop(f"{image} cannot be run: {why_no_engine}", status=UNUSABLE)
            report = _replay(given, image, engine, (header, count), screen)
    except EngineError as error:
        raise Stop(f"the container engine: {error}", status=UNUSABLE) from None
    finally:
        engine.close()
    if len(variants) > 1:
        note = f"when they were recorded, several variants answered them: {', '.join(sorted(variants))}"
        report = dataclasses.replace(report, notes=(note,))
    show(report, screen, given.verbose)
    if given.json:
        reporting.write(given.json, json.dumps(replay.as_json(report), indent=2, ensure_ascii=False) + "\n")
    if given.html:
        reporting.write(given.html, replay_page.write(report))
    return report.exit_status


def _replay(
    given: argparse.Namespace, image: str, engine: Engine, source: tuple[Header, int], screen: Console
) -> ReplayReport:
    started_at, began = time.time(), time.monotonic()
    options = Options(claims=frozenset({"serve"}), model=given.model, unpack=examination.unpack)
    check_options = CheckOptions((), options, None, ())
    tolerance = Tolerance(given.rtol, given.atol)
    header, count = source
    with (
        screen.status(f"looking at {image}") as status,
        examination.opened(image, engine, "", check_options, status.update) as run,
    ):
        if run.context.subject.reference is None:
            raise Stop(f"{image} is an archive, which is read and not run: `docker load` it first.", status=UNUSABLE)
        status.update(f"starting {image}")
        calls, ended_early = _sent(given, run.context, count, tolerance, status)
        facts = run.context.subject.facts
    return ReplayReport(
        image=image,
        transcript=str(given.recorded),
        header=header,
        calls=tuple(calls),
        tolerance=tolerance,
        ended_early=ended_early,
        image_id=facts.id if facts else "",
        started_at=started_at,
        seconds=time.monotonic() - began,
        version=VERSION,
    )


def _sent(
    given: argparse.Namespace, context: Context, count: int, tolerance: Tolerance, status: Status
) -> tuple[list[Replayed], str]:
    """What became of each call, and why the last were not sent. Raises Stop, EngineError."""
    deadline = Deadline(given.timeout)
    environment = dict(pair.partition("=")[::2] for pair in given.env)
    log = BootLog(engine_of(context), context.labels, Screen(status.console, moves=False))
    try:
        with log:
            boot = start(dataclasses.replace(context, deadline=deadline), Setup(environment=environment))
    except CannotCheck as reason:
        raise Stop(str(reason), status=UNUSABLE) from None
    if boot.server is None:
        raise Stop(harmless(f"{context.subject.name} cannot be asked: {boot.with_log}"), status=UNUSABLE)
    server = boot.server

    def ask(body: bytes, headers: Mapping[str, str], seconds: float) -> HttpResponse:
        return server.ask("POST", "/invocations", body, headers, seconds=seconds)

    def ended() -> str:
        state = engine_of(context).inspect(server.container)
        if state.running:
            return ""
        return "ran out of memory" if state.oom_killed else f"ended with exit code {state.exit_code}"

    calls: list[Replayed] = []
    try:
        with Reader(given.recorded) as reader:
            for one in replay.replay(ask, ended, reader, tolerance, deadline):
                if isinstance(one, ReplayStopped):
                    return calls, one.why
                calls.append(one)
                status.update(f"call {one.number} of {count}")
    except (BadTranscript, OSError) as error:  # it was well a moment ago
        raise Stop(str(error), status=UNUSABLE) from None
    finally:
        server.remove()
    return calls, ""


def show(report: ReplayReport, screen: Console, everything: bool = False) -> None:
    """On a screen: what differs, then how many are what, then the verdict."""
    found = report.of("differ")
    shown = report.calls if everything else found[:_SHOWN_MOST]
    if shown:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column in ("call", "line", "", "recorded", "now"):
            table.add_column(column, no_wrap=True)
        table.add_column("", overflow="fold")
        for call in shown:
            style = "red" if call.state == "differ" else "dim"
            words = difference(call) if call.state == "differ" else call.words
            state = {"within": "within tolerance", "differ": "different"}.get(call.state, call.state)
            cells = (str(call.number), str(call.line), state, call.recorded, call.now, words)
            table.add_row(*(Text(cell) for cell in cells), style=style)
        screen.print(table)
        if not everything and len(found) > _SHOWN_MOST:
            screen.print(f"[dim]… and {len(found) - _SHOWN_MOST} more that differ (--verbose shows all)[/]")
    elsewhere = sorted({call.words for call in report.of("not compared")})
    for words in elsewhere[:_SHOWN_MOST] if not everything else ():
        screen.print(f"[dim]not compared: {escape(words)}[/]")
    if report.ended_early:
        screen.print(Text(f"not all calls were sent: {harmless(report.ended_early)}", style="yellow"))
    for note in report.notes:
        screen.print(f"[dim]{escape(harmless(note))}[/]")
    screen.print(Text(f"{report.verdict}: {report.sentence}", style=_STYLES[report.exit_status]))
    if report.first is not None:
        counted = " (rows are counted from 0)" if report.first.comparison is not None else ""
        screen.print(Text(f"the first is call {report.first.number}: {difference(report.first)}{counted}"))
    if report.latencies:
        screen.print(f"[dim]latency {escape(report.latencies)}[/]")


# What is given


def _look_over(given: argparse.Namespace) -> str:
    """The image. Raises Stop for what can be known to be wrong before anything is started."""
    if len(given.images) != 1:
        raise Stop("--recorded is replayed against one IMAGE: samebox parity --recorded FILE IMAGE.", status=UNUSABLE)
    others = {
        "--data": given.data,
        "--content-type": given.content_type,
        "--accept": given.accept,
        "--run": given.run_command,
        "--no-endpoint": not given.endpoint,
        "--emulator": given.emulator,
    }
    for name, is_given in others.items():
        if is_given:
            raise Stop(f"{name} is not for --recorded: what is asked is in the transcript.", status=UNUSABLE)
    if given.model is not None and not given.model.is_file():
        raise Stop(f"there is no {given.model}.", status=UNUSABLE)
    for name in ("rtol", "atol"):
        if not 0 <= getattr(given, name) < math.inf:
            raise Stop(f"--{name} {getattr(given, name)}: a number of 0 or more is wanted.", status=UNUSABLE)
    if not given.timeout > 0:
        raise Stop(f"--timeout {given.timeout:g}: a number above 0 is wanted.", status=UNUSABLE)
    for pair in given.env:
        if not pair.partition("=")[0] or "=" not in pair:
            raise Stop(f"--env {pair}: NAME=VALUE is wanted.", status=UNUSABLE)
    return str(given.images[0])


def _look_at(path: Path) -> tuple[Header, int, set[str]]:
    """Read the whole transcript once: its header, the number of calls, and the variants that answered. Raises Stop."""
    try:
        with Reader(path) as reader:
            count, variants = 0, set()
            for call in reader:
                count += 1
                if call.response is not None and call.response.members.get("InvokedProductionVariant"):
                    variants.add(str(call.response.members["InvokedProductionVariant"]))
    except BadTranscript as error:
        raise Stop(harmless(str(error)), status=UNUSABLE) from None
    except OSError as error:
        raise Stop(f"--recorded {path}: {error.strerror}.", status=UNUSABLE) from None
    if not count:
        raise Stop(f"{path} has no call in it.", status=UNUSABLE)
    return reader.header, count, variants
