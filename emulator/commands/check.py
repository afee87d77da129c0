"""`samebox check`: will this image work on SageMaker? Says what would not, and how to mend it."""

import argparse
import contextlib
import fnmatch
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.status import Status

from emulator.check import accepted, dockerfile, guess, subject
from emulator.check.accepted import BadAcceptance
from emulator.check.archive import NotAnImage
from emulator.check.checks import CannotCheck, Check, Claim, Options, OutOfTime
from emulator.check.findings import Acceptance, Finding
from emulator.check.registry import CHECKS
from emulator.check.report import Report
from emulator.check.reports import jsonfile, junit, page, sarif, terminal
from emulator.check.runner import Progress, Run, sweep_old
from emulator.check.subject import Subject
from emulator.cli import VERSION
from emulator.commands.outcome import Stop
from emulator.commands.workbench import OptMl
from emulator.containers.docker import DockerEngine
from emulator.containers.engine import Engine, EngineError, ImageMissing
from emulator.data import artifacts
from emulator.data.artifacts import ArtifactError

ACCEPTED = Path(".samebox-check.toml")
UNUSABLE = 2  # exit status: the image was not examined
_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".oci")
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_WRITERS: dict[str, Callable[[Report], str]] = {
    "junit": junit.write,
    "json": jsonfile.write,
    "html": page.write,
    "sarif": sarif.write,
}


@dataclass(frozen=True)
class Wish:
    """What the command line asks for, looked at before anything is started."""

    checks: tuple[Check, ...]
    options: Options
    dockerfile: dockerfile.Dockerfile | None
    acceptances: tuple[Acceptance, ...]
    outputs: tuple[tuple[str, str], ...]  # (form, path)


def run(given: argparse.Namespace) -> int:
    # A report on standard output is for a program; the person's words go beside it.
    outputs = tuple((form, getattr(given, form)) for form in _WRITERS if getattr(given, form))
    screen = Console(stderr=any(path == "-" for _, path in outputs))
    if given.list:
        terminal.listing(chosen(CHECKS, given.only, given.skip), screen)
        return 0
    if not given.image:
        raise Stop("say which IMAGE (or --list).", status=UNUSABLE)
    wish = _wish(given, outputs)
    engine = DockerEngine()
    # `timeout` and CI systems end a program so; what was started must go then, too.
    before = signal.signal(signal.SIGTERM, _ended)
    try:
        why_no_engine = engine.available()
        report = examine(given.image, None if why_no_engine else engine, why_no_engine or "", wish, screen)
    except EngineError as error:
        raise Stop(f"the container engine: {error}", status=UNUSABLE) from None
    finally:
        signal.signal(signal.SIGTERM, before)
        engine.close()
    terminal.show(report, screen, everything=given.verbose)
    for form, path in outputs:
        _write(path, _WRITERS[form](report))
    return report.exit_status


def examine(name: str, engine: Engine | None, why_no_engine: str, wish: Wish, screen: Console) -> Report:
    """Run the checks. Raises Stop when there is nothing to run them on; EngineError."""
    started_at, began = time.time(), time.monotonic()
    notes = []
    with screen.status(f"looking at {name}") as status, _run(name, engine, why_no_engine, wish, status) as run:
        examined = run.context.subject
        claims = wish.options.claims
        if not claims or any("files" in check.needs for check in wish.checks):
            _read(examined, status)
        if not claims:
            claims, note = guess.claims(examined)
            notes.append(note)
        run.claim(claims)
        findings = run.run(wish.checks, lambda progress: _show(progress, status))
        image_id = examined.facts.id if examined.facts else ""
    if why_no_engine:
        notes.append(f"nothing was run: {why_no_engine}")
    elif examined.reference is None:
        notes.append("nothing was run: an archive is only read. `docker load` it, and check the image.")
    if wish.options.fast:
        notes.append("--fast: what must wait was shortened")
    marked, more = accepted.apply(findings, wish.acceptances, datetime.now(UTC).date())
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
        dockerfile=_from_here(wish.options.dockerfile),
    )


def chosen(checks: Sequence[Check], only: Sequence[str], skip: Sequence[str]) -> tuple[Check, ...]:
    """By ids and patterns. Raises Stop when one fits nothing: a misspelt --skip must not pass for a wish fulfilled."""
    only, skip = _words(only), _words(skip)
    ids = [check.rule.id for check in checks]
    for word in (*only, *skip):
        if not fnmatch.filter(ids, word):
            raise Stop(f"no check fits {word!r}; `samebox check --list` shows them all.", status=UNUSABLE)

    def is_wanted(name: str) -> bool:
        wanted = not only or any(fnmatch.fnmatchcase(name, word) for word in only)
        return wanted and not any(fnmatch.fnmatchcase(name, word) for word in skip)

    return tuple(check for check in checks if is_wanted(check.rule.id))


def bytes_of(size: str) -> int:
    """ "2.5GB", "900 MiB". Raises Stop."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]i?b)?\s*", size.lower())
    if not match:
        raise Stop(f"--max-size {size!r} is no size; write 2.5GB, or 900MiB.", status=UNUSABLE)
    return int(float(match.group(1)) * _UNITS[match.group(2) or ""])


def looks_like_path(name: str) -> bool:
    """Whether a person who writes this means a file, there or not, rather than an image's name."""
    return Path(name).exists() or name.startswith(("/", "./", "../", "~")) or name.endswith(_ENDINGS)


@contextlib.contextmanager
def _run(name: str, engine: Engine | None, why_no_engine: str, wish: Wish, status: Status) -> Iterator[Run]:
    if engine is not None:
        sweep_old(engine)
    with Run(engine, wish.options, wish.dockerfile, why_no_engine) as run:
        examined = _subject(name, engine, why_no_engine, run, status)
        examined.progress = status.update
        run.examine(examined)
        yield run


def _subject(name: str, engine: Engine | None, why_no_engine: str, run: Run, status: Status) -> Subject:
    if looks_like_path(name):
        path = Path(name).expanduser()
        if not path.exists():
            raise Stop(f"there is no file {name}.", status=UNUSABLE)
        return subject.from_path(path)
    if engine is None:
        raise Stop(
            f"{name} cannot be looked up: {why_no_engine}\n"
            "An archive needs no engine: docker save IMAGE -o image.tar where there is one, then give image.tar.",
            status=UNUSABLE,
        )
    try:
        return subject.from_engine(engine, name, run.context.labels)
    except ImageMissing:
        status.update(f"pulling {name}")
    try:
        engine.pull(name, progress=lambda pull: status.update(f"pulling {name}: {pull.done_bytes / 1e6:,.0f} MB"))
        return subject.from_engine(engine, name, run.context.labels)
    except ImageMissing as error:
        raise Stop(f"there is no image {name} here, and it cannot be pulled: {error}", status=UNUSABLE) from None


def _read(examined: Subject, status: Status) -> None:
    """Before all checks: an image that cannot be read is one sentence, and not a fault of each rule."""
    status.update(f"reading {examined.name}")
    try:
        _ = examined.contents
    except (NotAnImage, OutOfTime, OSError) as error:
        raise Stop(f"{examined.name} cannot be examined: {error}", status=UNUSABLE) from None


def _show(progress: Progress, status: Status) -> None:
    if progress.finding is None:
        status.update(f"{progress.number}/{progress.of} {progress.rule.title}")
    elif progress.finding.status in ("fail", "warn"):
        _say(progress.finding, status)


def _say(finding: Finding, status: Status) -> None:
    """At once on a screen; a file or a pipe gets the table at the end, and no line twice."""
    if status.console.is_terminal:
        style = terminal.STYLES[finding.status]
        status.console.print(f"[{style}]{finding.status}[/] {finding.rule_id}", highlight=False)


def _wish(given: argparse.Namespace, outputs: tuple[tuple[str, str], ...]) -> Wish:
    for path in [given.data, given.model, given.dockerfile, given.accept, *given.payload]:
        if path is not None and not path.exists():
            raise Stop(f"there is no {path}.", status=UNUSABLE)
    if given.data is not None and not given.data.is_dir():
        raise Stop(f"--data {given.data} is no folder.", status=UNUSABLE)
    claims: frozenset[Claim] = frozenset(given.claims or ())
    options = Options(
        claims=claims,
        data=given.data,
        model=given.model,
        unpack=_unpack,
        hyperparameters=_hyperparameters(given.hyperparameter),
        workbench=OptMl(),
        payloads=tuple(given.payload),
        dockerfile=given.dockerfile,
        fast=given.fast,
        size_budget=bytes_of(given.max_size) if given.max_size else None,
    )
    return Wish(
        chosen(CHECKS, given.only, given.skip),
        options,
        dockerfile.read(given.dockerfile) if given.dockerfile else None,
        tuple(_acceptances(given.accept)),
        outputs,
    )


def _hyperparameters(given: Sequence[str]) -> dict[str, str]:
    for one in given:
        if not one.partition("=")[0] or "=" not in one:
            raise Stop(f"--hyperparameter {one}: NAME=VALUE is wanted.", status=UNUSABLE)
    return {name: value for name, _, value in (one.partition("=") for one in given)}


def _unpack(archive: Path, folder: Path) -> None:
    """As an endpoint does. Raises CannotCheck."""
    try:
        with archive.open("rb") as file:
            artifacts.unpack(iter(lambda: file.read(1 << 20), b""), folder)
    except ArtifactError as error:
        raise CannotCheck(f"the model cannot be unpacked: {error}") from None


def _from_here(path: Path | None) -> str:
    """As code hosts know it: relative to the folder that the command runs in, where it is below that."""
    if path is None:
        return ""
    whole, here = path.resolve(), Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else str(path)


def _acceptances(path: Path | None) -> list[Acceptance]:
    path = path or (ACCEPTED if ACCEPTED.exists() else None)
    if path is None:
        return []
    try:
        return accepted.read(path, {check.rule.id for check in CHECKS})
    except (BadAcceptance, OSError) as error:
        raise Stop(str(error), status=UNUSABLE) from None


def _ended(*_: object) -> NoReturn:
    raise Stop("ended by SIGTERM; what was started has been removed.", status=128 + signal.SIGTERM)


def _words(given: Sequence[str]) -> list[str]:
    """`--only a,b --only c` is three."""
    return [word for one in given for word in one.split(",") if word]


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Stop(f"the report cannot be written to {path}: {error.strerror}", status=UNUSABLE) from None
