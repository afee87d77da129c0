"""`samebox parity`: compares a train and a serve image: their contents, and the predictions of one model in both."""

import argparse
import contextlib
import tarfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.status import Status

from samebox.check.checks import CannotCheck, Context, Options
from samebox.check.runner import Run, sweep_old
from samebox.check.subject import Subject
from samebox.cli import VERSION
from samebox.commands import aws, examination, invocations, private_emulator, replay, reporting, repository, where
from samebox.commands.examination import UNUSABLE
from samebox.commands.local_docker import LocalImage
from samebox.commands.outcome import Stop, cleaning_up
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import Engine, EngineError
from samebox.parity import agreement, differences, inventory, jsonfile, page, predict, terminal
from samebox.parity.agreement import ParityReport
from samebox.parity.inventory import Inventory
from samebox.parity.outputs import Tolerance
from samebox.parity.predict import Input, Predicted, Task

_LEAST_PATIENCE = 120.0  # seconds, with an endpoint that does not come into service
_WRITERS: dict[str, Callable[[ParityReport], str]] = {"json": jsonfile.write, "html": page.write}


@dataclass(frozen=True)
class ParityOptions:
    """The command line's arguments, validated."""

    images: tuple[str, str]
    inputs: tuple[Input, ...] = ()
    model: Path | None = None
    command: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    seconds: float = 600.0
    endpoint: bool = True
    emulator: bool = False  # the one that runs, and not one of its own
    data_dir: Path | None = None


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
        predicted, notes = _predictions(options, (left, right), (ours, theirs), run.context, status)
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


def validated(given: argparse.Namespace) -> ParityOptions:
    """Raises Stop, before anything is started."""
    if len(given.images) != 2:
        raise Stop("say which two images: samebox parity TRAIN_IMAGE SERVE_IMAGE.", status=UNUSABLE)
    for path in (given.model, *given.data):
        if path is not None and not path.exists():
            raise Stop(f"there is no {path}.", status=UNUSABLE)
    if given.model is not None and not tarfile.is_tarfile(given.model):
        raise Stop(f"--model {given.model} is no model.tar.gz.", status=UNUSABLE)
    if (given.model or given.run_command) and not given.data:
        raise Stop("--data FILE is needed, as input of the predictions", status=UNUSABLE)
    for name in ("rtol", "atol", "timeout"):
        if not getattr(given, name) >= 0:  # nan is neither
            raise Stop(f"--{name} must not be below 0.", status=UNUSABLE)
    for pair in given.env:
        if not pair.partition("=")[0] or "=" not in pair:
            raise Stop(f"--env {pair}: NAME=VALUE is wanted.", status=UNUSABLE)
    if given.emulator and not given.endpoint:
        raise Stop("--emulator and --no-endpoint do not go together.", status=UNUSABLE)
    return ParityOptions(
        (given.images[0], given.images[1]),
        tuple(Input(path, _type_of(path, given.content_type), given.accept) for path in given.data),
        given.model,
        given.run_command or "",
        tuple((name, value) for name, _, value in (pair.partition("=") for pair in given.env)),
        Tolerance(given.rtol, given.atol),
        given.timeout,
        given.endpoint,
        given.emulator,
        given.data_dir,
    )


def _type_of(path: Path, content_type: str) -> str:
    if path.is_dir():
        raise Stop(f"--data {path} is a folder; give the files in it, one by one.", status=UNUSABLE)
    if not path.stat().st_size:
        raise Stop(f"--data {path} is empty: there is nothing to predict from.", status=UNUSABLE)
    found = content_type or predict.TYPES.get(path.suffix.lower())
    if found is None:
        raise Stop(f"of what type is {path}? Say it with --content-type.", status=UNUSABLE)
    return found


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


def _predictions(
    options: ParityOptions,
    subjects: tuple[Subject, Subject],
    inventories: tuple[Inventory, Inventory],
    context: Context,
    status: Status,
) -> tuple[list[Predicted], list[str]]:
    if not options.inputs:
        return [], []
    names = [one.image for one in inventories]
    for subject in subjects:
        if subject.reference is None or context.engine is None:
            why = context.why_no_engine or "an archive is read and not run: load it into an engine first (docker load)"
            return [Predicted(other, problem=why) for other in names], []
    assert context.scratch is not None
    model = None
    if options.model is not None:
        status.update(f"unpacking {options.model.name}")
        model = context.scratch / "model"
        try:
            examination.unpack(options.model, model)
        except CannotCheck as reason:
            return [Predicted(name, problem=f"{reason}; an endpoint would refuse it, too") for name in names], []
    task = Task(options.inputs, model, options.command, dict(options.environment), options.seconds)
    predicted = []
    for subject, name in zip(subjects, _distinct(names), strict=True):

        def tick(spent: float, name: str = name) -> None:
            status.update(f"predicting in {name}: {spent:.0f} s")

        tick(0)
        reference = str(subject.reference)
        if options.command:
            found = predict.by_command(context, reference, task, tick)
        else:
            program = "serve" if subject is subjects[1] else "train"
            found = predict.by_driver(context, reference, inventory.interpreter(subject, program), task, tick)
        predicted.append(replace(found, place=name))
    if not options.endpoint:
        return predicted, []
    if "serve" not in inventories[1].claims:
        return predicted, [f"{names[1]} has no `serve` on its PATH: no endpoint was tried"]
    if all(one.problem for one in predicted):
        return predicted, ["no endpoint was tried: there is nothing to compare its answers with"]
    # A server may take longer than the driver did, and yet not as long as the platform would wait for it.
    patience = min(options.seconds, max(_LEAST_PATIENCE, 20 * predicted[1].seconds))
    return [*predicted, _through_endpoint(options, subjects[1], patience, context, status)], []


def _through_endpoint(
    options: ParityOptions, subject: Subject, patience: float, context: Context, status: Status
) -> Predicted:
    """Through an emulator: the running one, or one for this alone."""
    assert context.scratch is not None

    def ask(session: aws.Session, image: str) -> Predicted:
        return invocations.predict(
            session, image, options.model, options.inputs, dict(options.environment), patience, status.update
        )

    try:
        if options.emulator:
            is_here = subject.facts is not None and where.is_here(where.url(options.data_dir))
            return ask(aws.of_running(options.data_dir), _by_id(subject) if is_here else subject.name)
        status.update("starting an emulator")
        with private_emulator.started(context.scratch / "emulator") as settings:
            found = ask(aws.of_emulator(settings.url, settings), subject.name)
            status.update("ending the emulator")
            return found
    except (aws.ClientError, aws.BotoCoreError) as error:
        hint = (
            " (an emulator takes images of the engine with SAMEBOX_ALLOW_LOCAL_IMAGES=true)" if options.emulator else ""
        )
        return Predicted(invocations.PLACE, problem=f"{aws.words(error)}{hint}")
    except private_emulator.NotStarted as problem:
        first, _, rest = str(problem).partition("\n")
        return Predicted(invocations.PLACE, problem=first.rstrip(":"), log=tuple(rest.splitlines()))


def _by_id(subject: Subject) -> str:
    assert subject.facts is not None
    return repository.by_id(LocalImage(subject.name, subject.facts.id, subject.facts.size_bytes))


def _distinct(names: list[str]) -> list[str]:
    """One image compared with itself is two places."""
    return [f"{names[0]} (train)", f"{names[1]} (serve)"] if names[0] == names[1] else names
