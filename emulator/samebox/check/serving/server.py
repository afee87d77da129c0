"""Starts the server of an image as an endpoint does (contract §2.1, §2.2), and reports how the start went.

Checks share one server: `running(context)` returns it, restarted if an earlier check ended it. Checks that need another
setup, such as a read-only root file system or another port, start their own with `start`.
"""

from __future__ import annotations

import contextlib
import tarfile
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from samebox.check import engine_calls
from samebox.check.checks import CannotCheck, Context
from samebox.check.findings import Quote
from samebox.check.hosts import REGION
from samebox.check.serving.waiting import Wait, Waited, exited, is_direct
from samebox.check.serving.wire import Address, HttpResponse, NoResponse, ask
from samebox.containers.engine import (
    INSTANCE_LABEL,
    ContainerSpec,
    EngineError,
    ImageMissing,
    Mount,
    PathMissing,
    StartFailed,
)
from samebox.log_excerpt import exception_in, excerpt, headline, runtime_reason
from samebox.platform import serving
from samebox.platform.job import HostLimits
from samebox.platform.log_tail import last_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from samebox.check.findings import Finding
    from samebox.check.serving.causes import Cause
    from samebox.check.serving.waiting import How
    from samebox.containers.engine import Engine

PORT = serving.PORT
MODEL = serving.MODEL_DIRECTORY
WINDOW_SECONDS = 480.0  # contract §2.2
FAST_WINDOW_SECONDS = 180.0  # with --fast: a large framework and a model, on a busy machine
WINDOW_WITHOUT_MODEL_SECONDS = 60.0  # nothing is given that could take its time
_MEMORY_BYTES = 8 << 30
_ALIVE_SECONDS = 10.0
_MOST_SHOWN = 300  # characters of a line

# Which rule speaks of a start that failed so; to every other rule it is the reason why nothing could be checked.
RULE_OF: Mapping[How, str] = {
    "cannot start": "serve-starts",
    "exited": "serve-starts",
    "wrong place": "serve-listens",
    "wrong answer": "serve-ping-path",
    "broken answer": "serve-ping-path",
    "slow": "serve-ping-time",
    "not ready": "serve-ready",
}


@dataclass(frozen=True)
class Setup:
    """How it is started, beside the image and the model.

    `command`: the argument that SageMaker passes; None: none, so that the image's own CMD runs. `quiet`: seconds
    without a request after the start. `window`: seconds to become ready, where they differ from the usual.
    """

    command: tuple[str, ...] | None = ("serve",)
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = PORT
    user: str | None = None
    read_only_root: bool = False
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int = _MEMORY_BYTES
    models_at: tuple[str, ...] = (MODEL,)
    writable_model: bool = False
    quiet: float = 0.0
    window: float | None = None


@dataclass(frozen=True)
class RunningServer:
    """One that answers /ping. `is_direct`: requests reach it with nothing between, such as a proxy for its port."""

    engine: Engine
    container: str
    address: Address
    is_direct: bool

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        chunked: bool = False,
        seconds: float = 10.0,
    ) -> HttpResponse:
        """One request on a connection of its own. Raises NoResponse."""
        return ask(self.address, method, path, body, headers, chunked, seconds)

    @property
    def is_running(self) -> bool:
        return self.engine.inspect(self.container).running

    def said(self) -> tuple[str, ...]:
        """The end of its log."""
        lines = last_lines(self.engine, self.container)
        return tuple(text for line in lines if (text := line.text.rstrip()))

    def remove(self) -> None:
        self.engine.remove(self.container)


@dataclass(frozen=True)
class Boot:
    """How a start went. `seconds`: until it was ready, or until that was given up; `log`: its last lines.

    `cause`: why it is not ready, where that shows; `late`: pings that it took, and did not answer within 2 s.
    """

    how: How
    words: str
    seconds: float
    server: RunningServer | None = None
    log: tuple[str, ...] = ()
    cause: Cause | None = None
    late: int = 0
    exit_code: int | None = None  # of one that ended

    @property
    def with_log(self) -> str:
        """What happened, and the last line of the log about it."""
        return self.explained("")

    def explained(self, why: str) -> str:
        """What happened, why, and the last line of the log about it."""
        words = f"{self.words}; {why}" if why else self.words
        told = self._without_pings
        said = headline(exception_in(told) or told[-1:])[:_MOST_SHOWN]
        return f"{words}; its log: {said}" if said and said not in words else words

    def quoted_in(self, finding: Finding) -> Finding:
        """The finding with the log of this start."""
        return finding.quoting((Quote("its log", "\n".join(excerpt(self._without_pings))),), self.log)

    @property
    def _without_pings(self) -> tuple[str, ...]:
        # Its access log lists the pings until then, and buries the reason why it did not answer them.
        return tuple(line for line in self.log if "/ping" not in line) or self.log

    @property
    def cure(self) -> str | None:
        """Where more is known than a rule's own remedy."""
        return self.cause.remedy if self.cause else None


# What checks use


def engine_of(context: Context) -> Engine:
    assert context.engine is not None  # a check that needs an engine is not run without one
    return context.engine


def first_boot(context: Context) -> Boot:
    """The start that most checks share."""
    return context.shared.get("server", lambda: start(context, Setup()), _remove)


def running(context: Context) -> RunningServer:
    """The shared server, as an endpoint has it. Raises CannotCheck where it could not be started."""
    boot = first_boot(context)
    if boot.server is not None and not _answers(boot.server):
        # An earlier check ended it, and has reported that; this check gets a new server.
        boot.server.remove()
        context.shared.forget("server")
        boot = first_boot(context)
    if boot.server is None:
        raise CannotCheck(f"the server never became ready: see {rule_of(context, boot)}")
    return boot.server


def used_up(context: Context) -> None:
    """The shared server is gone, or not to be used again."""
    boot = first_boot(context)
    if boot.server is not None:
        boot.server.remove()
    context.shared.forget("server")


def rule_of(context: Context, boot: Boot) -> str:
    """The rule that reports the cause of a failed start."""
    if wants_writable_model(context):
        return "serve-read-only-model"
    return "serve-without-gpu" if wants_gpu(boot) else RULE_OF[boot.how]


def wants_gpu(boot: Boot) -> bool:
    """Whether it ended because it found no GPU, judged by its log."""
    said = " ".join(boot.log).lower()
    words = ("libcuda.so", "no nvidia driver", "no cuda", "cuda_error", "cuda error", "nvml", "cuda driver")
    return boot.how == "exited" and any(word in said for word in words)


def wants_writable_model(context: Context) -> bool:
    """Whether it starts when it may write to /opt/ml/model, and not when it may not."""
    boot = first_boot(context)
    if boot.how not in ("exited", "not ready", "wrong answer") or not any("ead-only" in line for line in boot.log):
        return False

    def start_writable() -> Boot:
        return start(context, Setup(writable_model=True))

    return context.shared.get("server that may write to its model", start_writable, _remove).server is not None


def has_model(context: Context) -> bool:
    """Whether there is one: the given, or the image's own."""
    return context.options.model is not None or _model_place(context) is None


def label(context: Context, name: str) -> str | None:
    """A label of the image, without reading all of it."""
    facts = engine_of(context).image(str(context.subject.reference))
    return facts.labels.get(name) if facts else None


# The start


def start(context: Context, setup: Setup) -> Boot:
    """Start a server, and wait until it is ready, or never will be. Raises EngineError, CannotCheck."""
    engine = engine_of(context)
    own_network = network(context)
    boot, is_reachable = _start(context, setup, engine, own_network)
    if not is_reachable:
        # Docker Desktop and rootless Docker: only a published port leads there, and an inner network has none.
        boot, is_reachable = _start(context, setup, engine, "bridge")
    if not is_reachable:
        raise CannotCheck("this process cannot reach the containers of this engine")
    return boot


def network(context: Context) -> str:
    """A network of this run's own, without a way to the world."""
    engine, name = engine_of(context), "samebox-check-" + (context.scratch.name if context.scratch else "network")

    def make() -> str:
        return engine.create_network(name, _labels(context), internal=True).id

    def remove(made: str) -> None:
        engine.remove_network(made)

    context.shared.get("network of servers", make, remove)
    return name


def _labels(context: Context) -> dict[str, str]:
    return {INSTANCE_LABEL: "check", **context.labels}


def _start(context: Context, setup: Setup, engine: Engine, network_name: str) -> tuple[Boot, bool]:
    began = time.monotonic()
    try:
        container = engine_calls.run(engine, plan(context, setup, network_name))
    except ImageMissing as error:
        raise CannotCheck(f"the engine has the image no more: {error}") from None
    except StartFailed as error:
        return Boot("cannot start", runtime_reason(str(error)), time.monotonic() - began), True
    try:
        address = engine.address(container, setup.port)
    except EngineError:
        if engine.inspect(container).running:
            engine.remove(container)
            return Boot("not ready", "", 0.0), False
        address = ("", 0)  # it has ended already
    window = setup.window or context.options.start_seconds or _window(context)
    window = min(window, max(context.deadline.left - 10, 1))
    if address[0]:
        variables = {**_environment(context), **setup.environment}
        waited = Wait(engine, container, address, setup.port, window, variables, setup.quiet).result()
    else:
        waited = Waited(*exited(engine, container))
    seconds, exit_code = time.monotonic() - began, engine.inspect(container).exit_code
    log = tuple(text for line in last_lines(engine, container) if (text := line.text.rstrip()))
    server = (
        RunningServer(engine, container, address, is_direct(address, setup.port)) if waited.how == "ready" else None
    )
    if server is None:
        engine.remove(container)
    return Boot(waited.how, waited.words, seconds, server, log, waited.cause, waited.late, exit_code), True


def _window(context: Context) -> float:
    """Seconds that a start may take."""
    if context.options.model is None:
        return WINDOW_WITHOUT_MODEL_SECONDS
    return FAST_WINDOW_SECONDS if context.options.fast else WINDOW_SECONDS


def plan(context: Context, setup: Setup, network_name: str) -> ContainerSpec:
    """The platform's container of the image and the model, with what departs from it."""
    limits = HostLimits(memory_bytes=min(setup.memory_bytes, engine_of(context).capacity().memory_bytes))
    image = str(context.subject.reference)
    definition = {"Image": image, "Environment": setup.environment}
    spec = serving.container(definition, image, serving.facts(REGION), limits, network_name, _labels(context))
    return replace(
        spec,
        command=setup.command,
        mounts=_mounts(context, setup),
        publish={setup.port: 0},
        user=setup.user,
        read_only_root=setup.read_only_root,
        tmpfs=setup.tmpfs,
    )


def _environment(context: Context) -> Mapping[str, str]:
    """Of the image, without reading all of it."""
    facts = engine_of(context).image(str(context.subject.reference))
    return facts.environment if facts else {}


def _answers(server: RunningServer) -> bool:
    if not server.is_running:
        return False
    with contextlib.suppress(NoResponse):
        # However long it takes: serve-ping-time judges that.
        return server.ask("GET", "/ping", seconds=_ALIVE_SECONDS).status == 200
    return False


def _mounts(context: Context, setup: Setup) -> tuple[Mount, ...]:
    folder = _model_place(context)
    if folder is None:
        return ()
    return tuple(Mount(folder, place, read_only=not setup.writable_model) for place in setup.models_at)


def _model_place(context: Context) -> Path | None:
    return context.shared.get("model folder", lambda: _model_folder(context))


def _model_folder(context: Context) -> Path | None:
    """Where the model is unpacked; an empty folder without one; None where the image brings a model of its own."""
    assert context.scratch is not None  # a check that needs an engine has one
    folder = context.scratch / "model"
    if context.options.model is None:
        if _brings_model(context):
            return None
        folder.mkdir()
        folder.chmod(0o755)
        return folder
    unpack: Callable[[Path, Path], None] | None = context.options.unpack
    if unpack is None:
        raise CannotCheck("nothing was given that unpacks a model's archive")
    unpack(context.options.model, folder)
    return folder


def _brings_model(context: Context) -> bool:
    engine = engine_of(context)
    spec = ContainerSpec(
        str(context.subject.reference), command=("serve",), labels=_labels(context), network="none"
    )  # it is never started
    container = engine.create(spec)
    try:
        with (
            contextlib.closing(engine.archive(container, MODEL)) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            return any(not member.isdir() for member in tar)
    except PathMissing:
        return False
    finally:
        engine.remove(container)


def _remove(boot: Boot) -> None:
    if boot.server is not None:
        boot.server.remove()
