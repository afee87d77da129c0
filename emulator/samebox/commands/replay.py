"""`samebox parity --recorded`: does an image answer the calls of a transcript as the endpoint did?"""

import argparse
import dataclasses
import json
import time
from collections.abc import Mapping

from rich.console import Console
from rich.status import Status

from samebox.check.checks import CannotCheck, Context, Deadline, Options
from samebox.check.findings import harmless
from samebox.check.serving.server import Setup, engine_of, start
from samebox.check.serving.wire import HttpResponse
from samebox.cli import VERSION
from samebox.commands import examination, model_archive, reporting
from samebox.commands.boot_log import BootLog
from samebox.commands.check_options import CheckOptions
from samebox.commands.display import Screen
from samebox.commands.outcome import UNUSABLE, Stop, cleaning_up
from samebox.commands.replay_display import show
from samebox.commands.replay_options import image_of, survey
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import Engine, EngineError
from samebox.parity import replay, replay_page
from samebox.parity.outputs import Tolerance
from samebox.parity.replay import Replayed, ReplayReport, ReplayStopped
from samebox.parity.transcript import BadTranscript, Header, Reader


def run(given: argparse.Namespace) -> int:
    image = image_of(given)
    reporting.look_at(path for path in (given.json, given.html) if path)
    header, count, variants = survey(given.recorded)
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
    options = Options(claims=frozenset({"serve"}), model=given.model, unpack=model_archive.unpack)
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


# What is given
