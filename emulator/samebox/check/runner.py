"""Runs checks one after another, each within its time limit, and removes everything that they started.

A check runs in a thread of its own, so that a hanging one can be abandoned; removing its containers usually ends it.
Any exception of a check becomes a finding.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from samebox.check import blame
from samebox.check.archive import NotAnImage
from samebox.check.checks import LABEL, CannotCheck, Check, Context, Deadline, Need, Options, OutOfTime, Shared
from samebox.check.findings import Finding, Rule
from samebox.check.subject import Subject
from samebox.containers.engine import EngineError, EngineUnavailable

if TYPE_CHECKING:
    from samebox.check.archive import ImageArchive
    from samebox.check.checks import Claim
    from samebox.check.dockerfile import Dockerfile
    from samebox.containers.engine import Engine

log = logging.getLogger(__name__)

OLD_SECONDS = 6 * 3600.0  # longer than any run; only of what runs of other machines have left
LOOK_SECONDS = 5.0  # between looks whether the engine still answers, while a check runs
SILENCES = 3  # of an engine, in a row, after which it is not waited for
CLOSE_SECONDS = 60.0  # for the removal of all that a run made
_SCRATCH = "samebox-check-"


@dataclass(frozen=True)
class Progress:
    """Called while checks run. `finding` is None while the rule is checked; `doing` is the step of a long check."""

    number: int
    of: int
    rule: Rule
    finding: Finding | None = None
    doing: str = ""


Show = Callable[[Progress], None]


def _no_image(_: object) -> ImageArchive:
    raise NotAnImage("no image was given")


_NOTHING = Subject("", _no_image)


class Run:
    """One run over one image: everything it makes in the engine bears its id, and goes when it ends."""

    def __init__(
        self,
        engine: Engine | None,
        options: Options,
        dockerfile: Dockerfile | None = None,
        why_no_engine: str = "",
        subject: Subject | None = None,
    ) -> None:
        # The lock is held until this process ends, so that the next run knows which leftovers have no owner. It is
        # taken before the folder gets the name that a sweep looks for: another run may begin at this moment.
        made = Path(tempfile.mkdtemp(prefix=f".{_SCRATCH}"))
        self._lock = (made / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._scratch = made.rename(made.with_name(made.name.removeprefix(".")))
        self.run_id = f"{int(time.time())}@{socket.gethostname()}@{self._scratch}"
        self._context = Context(
            subject=subject or _NOTHING,
            engine=engine,
            options=options,
            dockerfile=dockerfile,
            run_id=self.run_id,
            shared=Shared(),
            scratch=self._scratch,
            why_no_engine=why_no_engine,
        )
        self._lost = ""  # why the engine is not asked any more
        self._unreadable = ""  # why the image is not

    def examine(self, subject: Subject) -> None:
        """Set the subject, if it was not known at the start: reading an engine's image needs the run's labels."""
        self._context = dataclasses.replace(self._context, subject=subject)

    def claim(self, claims: frozenset[Claim]) -> None:
        self._context = dataclasses.replace(
            self._context, options=dataclasses.replace(self._context.options, claims=claims)
        )

    def expect(self, checks: Iterable[Check]) -> None:
        """The checks that `one` will be called for, so that some of their jobs may run concurrently."""
        self._context = dataclasses.replace(self._context, wanted=frozenset(check.rule.id for check in checks))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def context(self) -> Context:
        return self._context

    def run(self, checks: Sequence[Check], show: Show = lambda _: None) -> list[Finding]:
        """The findings of the checks that are of interest for what is claimed, in order."""
        chosen = [check for check in checks if check.is_of_interest(self._context.claims)]
        self.expect(chosen)
        found: list[Finding] = []
        for number, check in enumerate(chosen, 1):
            show(Progress(number, len(chosen), check.rule))

            def report(doing: str, number: int = number, rule: Rule = check.rule) -> None:
                show(Progress(number, len(chosen), rule, doing=doing))

            for finding in self.one(check, report):
                found.append(finding)
                show(Progress(number, len(chosen), check.rule, finding))
        return found

    def one(self, check: Check, report: Callable[[str], None] = lambda _: None) -> list[Finding]:
        """Run one check, whatever is claimed. Never raises, but for KeyboardInterrupt."""
        why_not = self._unmet(check.needs)
        if not why_not and "engine" in check.needs and self._lost:
            why_not = f"the engine answers no more: {self._lost}"
        if why_not:
            return [check.rule.skipped(why_not)]
        began = time.monotonic()
        deadline = Deadline(check.seconds)
        findings = self._within(check, dataclasses.replace(self._context, deadline=deadline, report=report))
        seconds = round(time.monotonic() - began, 3)
        dockerfile = self._context.dockerfile
        return [
            blame.with_line(dataclasses.replace(finding, seconds=seconds), check.rule, dockerfile)
            for finding in findings
        ]

    def close(self) -> None:
        """Remove all that the run made, in a time that is limited, too. Raises only what a signal does.

        What an engine that hangs does not let go is left, with the folder by which the next run knows it.
        """
        removed = threading.Event()

        def remove_all() -> None:
            try:
                self._context.shared.close()
                self._sweep()
                shutil.rmtree(self._scratch, ignore_errors=True)
                if self._scratch.exists() and self._context.engine is not None:  # containers wrote there as root
                    with contextlib.suppress(EngineError, OSError):
                        self._context.engine.sweep_path(self._scratch)
            finally:
                removed.set()

        if not self._lost:
            threading.Thread(target=remove_all, name="removing", daemon=True).start()
        try:
            engine = self._context.engine
            if self._lost or not _wait(removed, CLOSE_SECONDS, lambda: self._is_lost(engine)):
                log.warning("The engine does not answer: the next `samebox check` removes what is left of this one.")
        finally:
            self._lock.close()

    def _unmet(self, needs: Iterable[Need]) -> str:
        options = self._context.options
        given = {
            "data": (options.data is not None, "give a folder with --data"),
            "model": (options.model is not None, "give an archive with --model"),
            "payloads": (bool(options.payloads), "give a request body with --payload"),
            "dockerfile": (self._context.dockerfile is not None, "give the Dockerfile with --dockerfile"),
        }
        for need in needs:
            if need == "engine":
                if self._context.engine is None:
                    return self._context.why_no_engine or "there is no container engine"
                if self._context.subject.reference is None:
                    return "an archive is read and not run: load it into an engine first (docker load)"
            elif need in given and not given[need][0]:
                return given[need][1]
        return ""

    def _within(self, check: Check, context: Context) -> list[Finding]:
        done = threading.Event()
        result: list[Finding] = []
        # Reading the image has a time limit of its own; the first check that needs it reads it.
        if "files" in check.needs:
            problem = self._read_image(check.rule)
            if problem is not None:
                return [problem]

        def work() -> None:
            try:
                result.extend(_checked(check, context))
            finally:
                done.set()

        threading.Thread(target=work, name=f"check {check.rule.id}", daemon=True).start()
        engine = context.engine if "engine" in check.needs else None
        if _wait(done, check.seconds, lambda: self._is_lost(engine)):
            return result
        if self._lost:
            context.deadline.cancel()
            return [check.rule.unknown(self._lost)]
        context.deadline.cancel()
        context.shared.abandon(f"{check.rule.id} had not ended within {check.seconds:g} s")
        self._sweep()  # what it waits for is gone now, and so, mostly, is the thread
        _wait(done, 5)
        return [check.rule.unknown(f"not done within {check.seconds:g} s")]

    def _is_lost(self, engine: Engine | None) -> bool:
        """Whether the engine has not answered, time and again: one that hangs would be waited for in each call."""
        self._lost = _silence(engine)
        return bool(self._lost)

    def _read_image(self, rule: Rule) -> Finding | None:
        """Make sure that the image has been read; a finding where it cannot be."""
        if not self._unreadable:
            try:
                read(self._context.subject, self._context.engine)
            except (NotAnImage, EngineError, OSError, OutOfTime, MemoryError) as error:
                self._unreadable = f"the image cannot be read: {error}"
        return rule.unknown(self._unreadable) if self._unreadable else None

    def _sweep(self) -> None:
        if self._context.engine is not None and self._context.subject.reference is not None:
            with contextlib.suppress(EngineError):
                remove(self._context.engine, self.run_id)


def read(subject: Subject, engine: Engine | None = None) -> None:
    """Read an image now, while its engine answers. Raises NotAnImage, OutOfTime, OSError, MemoryError, EngineError."""
    done = threading.Event()
    problems: list[Exception] = []
    silence = ""

    def work() -> None:
        try:
            _ = subject.contents
        except (NotAnImage, EngineError, OSError, OutOfTime, MemoryError) as error:
            problems.append(error)
        finally:
            done.set()

    def is_in_vain() -> bool:
        nonlocal silence
        silence = _silence(engine)
        return bool(silence)

    threading.Thread(target=work, name="reading the image", daemon=True).start()
    if not _wait(done, subject.seconds + 5, is_in_vain):
        raise EngineUnavailable(silence) if silence else OutOfTime(f"not done within {subject.seconds:g} s")
    if problems:
        raise problems[0]


def remove(engine: Engine, run_id: str) -> None:
    """Remove every container, network and volume of a run. Raises EngineError."""
    for container in engine.find({LABEL: run_id}):
        engine.remove(container.id)
    for network in engine.networks({LABEL: run_id}):
        engine.remove_network(network.id)
    for volume in engine.volumes({LABEL: run_id}):
        engine.remove_volume(volume.name)


def sweep_old(engine: Engine, now: float | None = None) -> int:
    """Remove containers, networks, volumes and folders that killed runs have left; how many. Raises EngineError."""
    now = time.time() if now is None else now
    count = 0
    for container in engine.find({LABEL: None}):
        if _is_old(container.labels.get(LABEL), now):
            engine.remove(container.id)
            count += 1
    for network in engine.networks({LABEL: None}):
        if _is_old(network.labels.get(LABEL), now):
            engine.remove_network(network.id)
            count += 1
    for volume in engine.volumes({LABEL: None}):
        if _is_old(volume.labels.get(LABEL), now):
            engine.remove_volume(volume.name)
            count += 1
    for folder in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with contextlib.suppress(FileNotFoundError):  # another run may be sweeping, too
            if folder.stat().st_uid == os.getuid() and not _is_held(folder):
                engine.sweep_path(folder)
                count += 1
    return count


def _is_old(run_id: str | None, now: float) -> bool:
    """Whether no current run has this id. Containers without an id (None) are not ours to remove."""
    if run_id is None:
        return False
    began, _, rest = run_id.partition("@")
    host, _, folder = rest.partition("@")
    # A run with a temporary folder that cannot be seen from here, such as another user's, may well be alive.
    if host == socket.gethostname() and os.access(Path(folder) / "lock", os.R_OK | os.W_OK):
        return not _is_held(Path(folder))
    return not began.isdigit() or now - int(began) > OLD_SECONDS


def _is_held(folder: Path) -> bool:
    """Whether the run that made the folder still lives."""
    try:
        with (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _checked(check: Check, context: Context) -> list[Finding]:
    try:
        outcome = check.run(context)
        return [outcome] if isinstance(outcome, Finding) else list(outcome)
    except CannotCheck as reason:
        return [check.rule.skipped(str(reason))]
    except (OutOfTime, EngineError, OSError, NotAnImage) as error:
        return [check.rule.unknown(str(error) or type(error).__name__)]
    except Exception as error:  # a check must never end the run: an image of any shape is its input
        log.exception("check %s broke down", check.rule.id)
        return [check.rule.unknown(f"{type(error).__name__}: {error}")]


def _silence(engine: Engine | None) -> str:
    """Why the engine does not answer, after several attempts; empty when it does, or when there is none."""
    why = None
    for _ in range(SILENCES):
        why = engine.available() if engine is not None else None
        if why is None:
            break
    return why or ""


def _wait(done: threading.Event, seconds: float, is_in_vain: Callable[[], bool] = lambda: False) -> bool:
    """In slices, because a wait without a limit is deaf to Ctrl-C on some platforms."""
    end, look = time.monotonic() + seconds, time.monotonic() + LOOK_SECONDS
    while not done.is_set() and (left := end - time.monotonic()) > 0:
        done.wait(min(left, 0.5))
        if time.monotonic() > look:
            if not done.is_set() and is_in_vain():
                break
            look = time.monotonic() + LOOK_SECONDS
    return done.is_set()
