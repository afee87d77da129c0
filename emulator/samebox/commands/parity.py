"""`samebox parity`: compares a train and a serve image: their contents, and the predictions of one model in both."""

import argparse
import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from rich.console import Console
from rich.status import Status

from samebox.check.checks import Context, Options
from samebox.check.runner import Run, sweep_old
from samebox.check.subject import Subject
from samebox.cli import VERSION
from samebox.commands import examination, replay, reporting, where
from samebox.commands.outcome import UNUSABLE, Stop, cleaning_up
from samebox.commands.parity_options import ParityOptions, validated
from samebox.commands.parity_predictions import predictions
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import Engine, EngineError
from samebox.parity import agreement, differences, inventory, jsonfile, page, predict, terminal
from samebox.parity.agreement import ParityReport
from samebox.parity.inventory import Inventory

_WRITERS: dict[str, Callable[[ParityReport], str]] = {"json": jsonfile.write, "html": page.write}


def run(given: argparse.Namespace) -> int:
    if given.recorded is not None:
        return replay.run(given)
    options = validated(given)
    # A report on standard output is for a program; the person's words go beside it.
    outputs = tuple((form, getattr(given, form)) for form in _WRITERS if getattr(given, form))
    reporting.look_at(path for _, path in outputs)
    if options.emulator:  # before minutes are spent on the rest
        try:
            where.running(options.data_dir)
        except Stop as stop:
            raise Stop(str(stop), status=UNUSABLE) from None
    screen = Console(stderr=any(path == "-" for _, path in outputs), emoji=False)
    engine = DockerEngine()
    try:
        with cleaning_up():
            why_no_engine = engine.available()
            report = compare(options, None if why_no_engine else engine, why_no_engine or "", screen)
    except EngineError as error:
        raise Stop(f"the container engine: {error}", status=UNUSABLE) from None
    finally:
        engine.close()
    terminal.show(report, screen, everything=given.verbose)
    for form, path in outputs:
        reporting.write(path, _WRITERS[form](report))
    return report.exit_status


def compare(options: ParityOptions, engine: Engine | None, why_no_engine: str, screen: Console) -> ParityReport:
    """The whole of it. Raises Stop when there is nothing to compare; EngineError."""
    started_at, began = time.time(), time.monotonic()
    with screen.status("looking at both images") as status, contextlib.ExitStack() as stack:
        if engine is not None:
            sweep_old(engine)
        run = stack.enter_context(Run(engine, Options(), why_no_engine=why_no_engine))
        kept = examination.user_cache()
        left, right = (
            examination.subject_of(name, engine, why_no_engine, run, status.update, kept) for name in options.images
        )
        for subject in (left, right):
            if subject.reference is not None:  # so that the run knows that there may be something to remove
                run.examine(subject)
        if left.facts is not None and right.facts is not None and left.facts.id == right.facts.id:
            right_image, right = right.name, left  # read once
        else:
            right_image = right.name
        _read(dict.fromkeys((left, right)), engine, status)
        inventories = [_inventory(one, run.context, status) for one in ((left,) if left is right else (left, right))]
        ours, theirs = inventories[0], replace(inventories[-1], image=right_image)  # it may have two names
        predicted, notes = predictions(options, (left, right), (ours, theirs), run.context, status)
    return ParityReport(
        ours,
        theirs,
        tuple(differences.differences(ours, theirs)),
        asked=bool(options.inputs),
        predicted=tuple(predicted),
        compared=agreement.compare(options.inputs, predicted, options.tolerance),
        tolerance=options.tolerance,
        notes=(*_of_probes(ours, theirs, why_no_engine), *notes),
        started_at=started_at,
        seconds=time.monotonic() - began,
        version=VERSION,
    )


# What the images are made of


def _read(subjects: Iterable[Subject], engine: Engine | None, status: Status) -> None:
    """All at once: reading one is mostly waiting for the engine. Raises Stop, EngineError, MemoryError."""
    heard: dict[str, str] = {}
    problems: list[Stop | EngineError | MemoryError] = []

    def read(subject: Subject) -> None:
        def hear(words: str) -> None:
            heard[subject.name] = words
            status.update(", ".join(heard.values()))

        subject.progress = hear
        try:
            examination.read(subject, hear, engine)
        except (Stop, EngineError, MemoryError) as error:
            problems.append(error)

    threads = [threading.Thread(target=read, args=(one,), name=f"reading {one.name}", daemon=True) for one in subjects]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():  # in slices: a wait without a limit is deaf to Ctrl-C on some platforms
            thread.join(0.5)
    if problems:
        raise problems[0]


def _inventory(subject: Subject, context: Context, status: Status) -> Inventory:
    probed = None
    python = inventory.interpreter(subject, "serve" if subject.which("serve") else "train")
    if subject.reference is not None and context.engine is not None and python is not None:
        status.update(f"asking {subject.name}'s Python")
        probed = predict.probe(context, subject.reference, python)
    status.update(f"listing {subject.name}")
    return inventory.read(subject, probed)


def _of_probes(left: Inventory, right: Inventory, why_no_engine: str) -> list[str]:
    silent = [one.image for one in (left, right) if one.probed is None]
    if not silent:
        return []
    why = why_no_engine or "an archive, or no Python that answers"
    return [f"only the files of {' and '.join(silent)} were read ({why}): what only a run shows is not compared"]


# What they answer
