"""`samebox check`: will this image work on SageMaker? Reports what would not, with remedies."""

import argparse
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from samebox.check import accepted, guess
from samebox.check.checks import FURTHER
from samebox.check.registry import CHECKS
from samebox.check.report import Report
from samebox.check.reports import jsonfile, junit, page, sarif, terminal
from samebox.cli import VERSION
from samebox.commands import examination, exporting, reporting
from samebox.commands.check_options import CheckArguments, CheckOptions, chosen, validated
from samebox.commands.check_progress import CheckProgress
from samebox.commands.outcome import UNUSABLE, Stop, cleaning_up
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import Engine, EngineError

_WRITERS: dict[str, Callable[[Report], str]] = {
    "junit": junit.write,
    "json": jsonfile.write,
    "html": page.write,
    "sarif": sarif.write,
}


def run(given: argparse.Namespace) -> int:
    # A report on standard output is for a program; the person's words go beside it.
    outputs = tuple((form, getattr(given, form)) for form in _WRITERS if getattr(given, form))
    screen = Console(stderr=any(path == "-" for _, path in outputs))
    if given.list:
        terminal.listing(chosen(CHECKS, given.only, given.skip), screen)
        return 0
    if not given.image:
        raise Stop("give an IMAGE, or --list.", status=UNUSABLE)
    reporting.look_at(path for _, path in outputs)
    exported = exporting.targets(given.export)
    check_options = validated(_arguments(given))
    engine = DockerEngine()
    try:
        with cleaning_up():
            why_no_engine = engine.available()
            usable = None if why_no_engine else engine
            report = examine(given.image, usable, why_no_engine or "", check_options, screen, exported)
    except EngineError as error:
        raise Stop(f"the container engine: {error}", status=UNUSABLE) from None
    finally:
        engine.close()
    terminal.show(report, screen, everything=given.verbose, logs=given.log)
    for form, path in outputs:
        reporting.write(path, _WRITERS[form](report))
    return report.exit_status


def examine(
    name: str,
    engine: Engine | None,
    why_no_engine: str,
    check_options: CheckOptions,
    screen: Console,
    exported: Mapping[str, Path] | None = None,
) -> Report:
    """Run the checks; `exported`: where their tests for other tools go. Raises Stop when there is nothing to run them
    on; EngineError.
    """
    started_at, began = time.time(), time.monotonic()
    notes = []
    with (
        screen.status(f"looking at {name}") as status,
        examination.opened(name, engine, why_no_engine, check_options, status.update) as run,
    ):
        examined = run.context.subject
        claims = check_options.options.claims
        if exported or not claims - FURTHER or any("files" in check.needs for check in check_options.checks):
            examination.read(examined, status.update, engine)
        if not claims - FURTHER:
            guessed, note = guess.claims(examined)
            claims = claims | guessed
            notes.append(note)
        run.claim(claims)
        if exported:
            for sentence in exporting.write(exported, run.context, check_options.checks):
                screen.print(sentence, highlight=False, markup=False, soft_wrap=True)
        findings = run.run(check_options.checks, CheckProgress(status))
        image_id = examined.facts.id if examined.facts else ""
    if why_no_engine:
        notes.append(f"no container was run: {why_no_engine}")
    elif examined.reference is None:
        notes.append(
            "no container was run: an archive is only read. Load it with `docker load` to check the image as a whole."
        )
    if check_options.options.fast:
        notes.append("--fast: checks that wait were shortened")
    marked, more = accepted.apply(findings, check_options.acceptances, datetime.now(UTC).date())
    return Report(
        image=name,
        findings=tuple(marked),
        rules={check.rule.id: check.rule for check in CHECKS},
        claims=tuple(sorted(claims)),
        notes=(*notes, *more),
        started_at=started_at,
        seconds=time.monotonic() - began,
        image_id=image_id,
        version=VERSION,
        dockerfile=_from_here(check_options.options.dockerfile),
    )


def _arguments(given: argparse.Namespace) -> CheckArguments:
    return CheckArguments(
        claims=frozenset(given.claims or ()),
        data=given.data,
        model=given.model,
        payloads=given.payload,
        hyperparameters=given.hyperparameter,
        record_io=given.record_io,
        instance_type=given.instance_type or "",
        entrypoint=given.entrypoint,
        arguments=given.argument,
        outputs=given.output,
        dockerfile=given.dockerfile,
        max_size=given.max_size or "",
        only=given.only,
        skip=given.skip,
        accept=given.accept,
        fast=given.fast,
        cache=examination.user_cache(),
    )


def _from_here(path: Path | None) -> str:
    """As code hosts know it: relative to the folder that the command runs in, where it is below that."""
    if path is None:
        return ""
    whole, here = path.resolve(), Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else str(path)
