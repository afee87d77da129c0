"""Runs a command in an untrusted image, without a network and within limits, and collects the files it wrote."""

from __future__ import annotations

import contextlib
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.check import tar
from samebox.check.files import read_all
from samebox.containers.engine import INSTANCE_LABEL, ContainerSpec, Mount, PathMissing, StartFailed
from samebox.log_excerpt import excerpt, headline, runtime_reason
from samebox.platform.job import LOG_BYTES, PIDS
from samebox.platform.log_tail import last_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from samebox.check.checks import Context
    from samebox.containers.engine import ContainerApi

HERE = "/samebox-parity"  # where our files are, in the container
OUT = f"{HERE}/out"
INSIDE = Path(__file__).parent / "inside"
PROGRAMS = ("driver.py", "probe.py")
_MEMORY_BYTES = 16 << 30
_MOST_BYTES = 256 << 20  # of all that it may hand back
_LINES = 200  # of its log are kept: the last ones
_SLICE_SECONDS = 1.0


@dataclass(frozen=True)
class SandboxResult:
    """How the command ended. `exit_code` None: it did not end in time and was killed."""

    exit_code: int | None
    seconds: float
    files: Mapping[str, bytes] = field(default_factory=dict)  # what it left in OUT
    log: tuple[str, ...] = ()
    start_error: str = ""
    oom_killed: bool = False
    too_much: bool = False  # it left more than is read

    @property
    def words(self) -> str:
        """How it ended, for a person."""
        if self.start_error:
            return f"it could not be started: {self.start_error}"
        if self.exit_code is None:
            return f"it had not ended after {self.seconds:.0f} s and was killed"
        if self.oom_killed:
            return "it was killed for its memory"
        if self.too_much:
            return f"it wrote more than {_MOST_BYTES >> 20} MiB"
        return f"it ended with exit code {self.exit_code}"

    @property
    def reason(self) -> str:
        """The line of its log that explains the end, else the last one."""
        return headline(excerpt(self.log))


def run(
    context: Context,
    image: str,
    command: tuple[str, ...],
    seconds: float,
    mounts: tuple[Mount, ...] = (),
    environment: Mapping[str, str] | None = None,
    tick: Callable[[float], None] = lambda _: None,
) -> SandboxResult:
    """Run a command in place of the image's own, its entrypoint included. `tick` is called with the elapsed seconds,
    about each second.

    Raises EngineError; ImageMissing among them.
    """
    engine, scratch = context.engine, context.scratch
    assert engine is not None
    assert scratch is not None
    out = scratch / f"out-{uuid.uuid4().hex[:8]}"
    out.mkdir()
    out.chmod(0o777)  # the image may have any user
    spec = ContainerSpec(
        image=image,
        entrypoint=command,
        command=(),
        environment={"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        labels={INSTANCE_LABEL: "parity", **context.labels},
        mounts=(Mount(_programs(scratch), f"{HERE}/programs", read_only=True), Mount(out, OUT), *mounts),
        network="none",
        memory_bytes=min(_MEMORY_BYTES, engine.capacity().memory_bytes),
        pids_limit=PIDS,
        log_bytes=LOG_BYTES,
    )
    began = time.monotonic()
    container = engine.create(spec)
    try:
        try:
            engine.start(container)
        except StartFailed as error:
            return SandboxResult(127, time.monotonic() - began, start_error=runtime_reason(str(error)))
        state = None
        while state is None and (left := seconds - (time.monotonic() - began)) > 0:
            state = engine.wait(container, min(left, _SLICE_SECONDS))
            tick(time.monotonic() - began)
        took = time.monotonic() - began
        if state is None:
            engine.kill(container)
            engine.wait(container, 30)
        files, too_much = _files(engine, container)
        return SandboxResult(
            state.exit_code if state else None,
            took,
            files,
            tuple(line.text.rstrip() for line in last_lines(engine, container, _LINES)),
            oom_killed=bool(state and state.oom_killed),
            too_much=too_much,
        )
    finally:
        engine.remove(container)


def _programs(scratch: Path) -> Path:
    """Ours, where the image's user may read them, however strictly this package was installed."""
    folder = scratch / "programs"
    if not folder.exists():
        folder.mkdir()
        folder.chmod(0o755)
        for name in PROGRAMS:
            (folder / name).write_bytes((INSIDE / name).read_bytes())
            (folder / name).chmod(0o644)
    return folder


def _files(engine: ContainerApi, container: str) -> tuple[dict[str, bytes], bool]:
    """Through the engine, and plain files alone: a link that it left may point at anything of this machine."""
    found: dict[str, bytes] = {}
    left = _MOST_BYTES
    try:
        stream = engine.archive(container, OUT)
    except PathMissing:
        return found, False
    with contextlib.closing(stream):
        for entry, read in tar.entries(stream):
            if entry.kind == tar.FILE:
                left -= entry.size
                if left < 0:
                    return found, True
                found[entry.name.rpartition("/")[2]] = read_all(read, entry.size)
    return found, False
