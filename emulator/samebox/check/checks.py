"""A check: one rule, the function that checks it, and what the function needs."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from samebox.check.findings import Finding, Rule
from samebox.containers.engine import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.check.dockerfile import Dockerfile
    from samebox.check.subject import Subject
    from samebox.containers.engine import Engine

Made = TypeVar("Made")

# What the image is for: as the command line claims, or guessed from the programs on its PATH.
Claim = Literal[
    "train", "serve", "transform", "multi-model", "processing", "serverless", "streaming", "pipe", "read-only-root"
]
# These narrow another claim. Without another one, the programs on the image's PATH decide.
FURTHER: frozenset[Claim] = frozenset({"pipe", "read-only-root"})
# A check whose need is not met is skipped, and the report names the need. A check whose claim is not made is
# not of interest, and is left out.
Need = Literal["files", "engine", "data", "model", "payloads", "dockerfile"]

FILES: frozenset[Need] = frozenset({"files"})  # the needs of a check that only reads

LABEL = "samebox.check"  # on every container and network that a run makes; the value is the run's id

log = logging.getLogger(__name__)


class CannotCheck(Exception):
    """A check has no result because another rule reports the cause; its finding is "skipped" with this reason."""


class OutOfTime(Exception):
    """The time limit of a check, or of reading the image, has passed."""


class Deadline:
    """The moment at which a check must be done. Loops and waits ask it; a cancelled one has passed."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds
        self._cancelled = threading.Event()

    @property
    def left(self) -> float:
        """Seconds, 0 at least: fit for the timeout of any wait."""
        return 0.0 if self._cancelled.is_set() else max(0.0, self._end - self._clock())

    def check(self) -> None:
        """Raises OutOfTime when it has passed."""
        if not self.left:
            raise OutOfTime(f"not done within {self.seconds:g} s")

    def cancel(self) -> None:
        self._cancelled.set()


class Shared:
    """What several checks of one run use, made by the first that asks, such as a running server; closed at the end.

    A failure is remembered, too: the second check that asks gets the same exception at once.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}
        self._failed: dict[str, Exception] = {}
        self._closers: list[Callable[[], None]] = []
        self._making: dict[str, threading.Lock] = {}

    def get(self, key: str, make: Callable[[], Made], close: Callable[[Made], None] | None = None) -> Made:
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if key in self._failed:
                raise self._failed[key]
            if key not in self._made:
                try:
                    made = make()
                except Exception as error:
                    self._failed[key] = error
                    raise
                self._made[key] = made
                if close is not None:
                    self._closers.append(lambda: close(made))
            found: Made = self._made[key]
            return found

    def begin(self, key: str, make: Callable[[], Any]) -> None:
        """Make it in the background. `get` waits for it and raises its failure."""

        def work() -> None:
            with contextlib.suppress(Exception):  # remembered, and raised by `get`
                self.get(key, make)

        threading.Thread(target=work, name=f"making {key}", daemon=True).start()

    def forget(self, key: str) -> None:
        """The next that asks has it made anew: after a check has used it up."""
        with self._lock:
            self._made.pop(key, None)
            self._failed.pop(key, None)

    def abandon(self, reason: str) -> None:
        """A check ran out of time: what it was about to make will not be waited for again."""
        with self._lock:
            for key, making in list(self._making.items()):
                if making.locked() and key not in self._made:
                    self._failed[key] = CannotCheck(reason)
                    self._making[key] = threading.Lock()

    def close(self) -> None:
        """Close what was made, the last first. Raises nothing: all of it bears the run's label and is swept anyway."""
        while self._closers:
            closer = self._closers.pop()
            try:
                closer()
            except (EngineError, OSError) as error:  # the sweep that follows removes what is left
                log.info("something that a check made could not be removed yet: %s", error)
            except Exception:  # what went wrong is not lost
                log.warning("something a check made could not be closed", exc_info=True)


@dataclass(frozen=True)
class Options:
    """What the command line gives beside the image."""

    claims: frozenset[Claim] = frozenset()
    data: Path | None = None  # a folder: --data
    model: Path | None = None  # a model.tar.gz: --model
    unpack: Callable[[Path, Path], None] | None = None  # unpacks such an archive at a path; raises CannotCheck
    payloads: tuple[Path, ...] = ()  # --payload
    hyperparameters: Mapping[str, str] = field(default_factory=dict)  # --hyperparameter, as a job's request has them
    record_io: bool = False  # --record-io: RecordWrapperType of channels in Pipe mode
    instance_type: str = "ml.m5.large"  # --instance-type
    memory_bytes: int | None = None  # of that instance; None: none was given, and it is a share of this machine's
    entrypoint: tuple[str, ...] = ()  # --entrypoint, of processing jobs
    arguments: tuple[str, ...] = ()  # --argument, of processing jobs
    outputs: tuple[str, ...] = ()  # --output: local paths of processing jobs; none: /opt/ml/processing/output
    dockerfile: Path | None = None
    fast: bool = False  # shorten what must wait, and say so
    patience: float | None = None  # seconds that an invocation is waited for; None: as long as the platform does
    start_seconds: float | None = None  # that a server's start is waited for; None: as long as the platform does
    size_budget: int | None = None  # bytes; the image's own limit, beside AWS's


@dataclass(frozen=True)
class Context:
    """Everything that a check may know and use."""

    subject: Subject
    engine: Engine | None = None  # None: no container can be run, `why_no_engine` says why
    options: Options = field(default_factory=Options)
    dockerfile: Dockerfile | None = None
    run_id: str = ""
    deadline: Deadline = field(default_factory=lambda: Deadline(60.0))  # of this check
    shared: Shared = field(default_factory=Shared)  # of this run
    scratch: Path | None = None  # a folder of this run that is removed at its end; None only where nothing runs
    why_no_engine: str = ""
    wanted: frozenset[str] = frozenset()  # the ids of all rules that this run is to check, where that is known
    report: Callable[[str], None] = lambda _: None  # shows the current step of a long check on a screen

    @property
    def labels(self) -> Mapping[str, str]:
        """For the ContainerSpec of every container, and every network: what bears them is removed at the end."""
        return {LABEL: self.run_id}

    @property
    def claims(self) -> frozenset[Claim]:
        return self.options.claims


Outcome = Finding | Iterable[Finding]


@dataclass(frozen=True)
class Check:
    """`claims`: it is of interest when one of these is claimed (empty: always), and all of `further` are.

    `seconds` is its time limit.
    """

    rule: Rule
    run: Callable[[Context], Outcome]
    needs: frozenset[Need] = frozenset()
    claims: frozenset[Claim] = frozenset()
    seconds: float = 60.0
    further: frozenset[Claim] = frozenset()

    def is_of_interest(self, claimed: frozenset[Claim]) -> bool:
        return self.further <= claimed and (not self.claims or bool(self.claims & claimed))
