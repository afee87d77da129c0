"""The containers of one job, one per host, on a network of their own without a way out; removed at the end."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from samebox.check import tar
from samebox.check.checks import CannotCheck, Context, OutOfTime
from samebox.check.ended import HostOutput, HostResult, LeftFile
from samebox.check.engine_calls import again
from samebox.containers.engine import ContainerMissing, EngineError, ImageMissing, Mount, PathMissing, StartFailed
from samebox.platform.activity import Idle, IdleWatch, LiveProcess, seen
from samebox.platform.hosts import JobHosts, prepare
from samebox.platform.job import HostLimits, Placement
from samebox.platform.log_tail import last_lines
from samebox.platform.memory import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from samebox.containers.engine import Engine
    from samebox.platform.job import HostPlan, JobPlan

REGION, ACCOUNT = "us-east-1", "000000000000"
_LOOK_SECONDS = 1.0  # between looks at a running job
_LONG_SECONDS = 5.0  # of running, or of computing nothing, that are worth a word
# For so long may a job do nothing: (as it should be, with --fast). One that has its result has no reason to.
_IDLE_SECONDS = {True: (60.0, 10.0), False: (120.0, 60.0)}
_MOST_DATA = 2**30  # bytes of a folder that are copied for each run; more is mounted, and may not be written

HostsT = TypeVar("HostsT", bound="Hosts")


class Hosts:
    """The hosts of a job. Use `kept`, which starts them and removes everything at the end of its block.

    `plan_of` gives the platform's plan, with what departs from it in this check; `left_in(engine, container)` reads a
    host's output. `results` is the folder below a host's own whose content is kept.
    """

    def __init__(
        self,
        context: Context,
        plan_of: Callable[[Placement], JobPlan],
        left_in: Callable[[Engine, str], HostOutput],
        results: str,
    ) -> None:
        if context.engine is None:
            raise CannotCheck(context.why_no_engine or "there is no container engine")
        if context.scratch is None or context.subject.reference is None:
            raise CannotCheck("nothing can be run here")
        self._context, self._engine = context, context.engine
        self._left_in, self._results = left_in, results
        identity = uuid.uuid4().hex
        self._root = context.scratch / f"job-{identity[:8]}"
        self._root.mkdir()
        plan = plan_of(Placement(self._root, identity, "samebox-check", context.labels))
        # Without a way out: hosts reach each other, and an untrusted image reaches nothing else.
        self._plan = replace(plan, network=replace(plan.network, internal=True))
        self._hosts = JobHosts(self._engine, self._plan, _pull_nothing, again)
        self._watch: Watch | None = None
        self.containers: list[str] = []
        self.start_error = ""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def fill(self, host: HostPlan) -> HostPlan:
        """Put the data that a host is given into its folder, which is there; gives the host with its mounts."""
        return host

    def start(self) -> None:
        self._hosts.make_network()
        try:
            made = []
            for host in self._plan.hosts:
                prepare(host)
                made.append(self._hosts.create(self.fill(host)))
                self.containers.append(made[-1].id)
            self._began = time.monotonic()
            for one in made:
                self._hosts.start(one)
            self._watch = Watch(self._engine, self.containers)
        except StartFailed as error:
            self.start_error = str(error)

    def wait(self, seconds: float, host: int = 0) -> bool:
        """Whether the host ends within the time."""
        if self.start_error:
            return True
        seconds = min(seconds, self._context.deadline.left)
        return self._engine.wait(self.containers[host], max(0.0, seconds)) is not None

    def wait_for_middle(self, plain: HostResult, seconds: float) -> bool:
        """Until it is as far as the plain job was in the middle of its time; whether it has ended before that.

        `seconds`: what a whole job takes at the least, for one whose log does not show it.
        """
        if not plain.middle_line:
            return self.wait(0.6 * seconds)
        stream = self._engine.logs(self.containers[0], follow=True)
        limit = threading.Timer(min(self._context.deadline.left, 3 * plain.seconds), stream.close)
        limit.start()
        try:
            for _ in range(plain.middle_line):
                if next(stream, None) is None:
                    break
        finally:
            limit.cancel()
            stream.close()
        return self.wait(0)

    def has_left(self, host: int = 0) -> bool:
        """Whether a running host has written anything that is kept of it."""
        with contextlib.suppress(OSError):
            return holds_files(self._plan.hosts[host].root / self._results)
        return False

    def alive(self, host: int = 0) -> tuple[LiveProcess, ...]:
        """What of a host runs; empty where that cannot be seen."""
        try:
            return seen(self._engine, self.containers[host])
        except ContainerMissing:  # removed, because the check's time is over
            return ()

    def last_line_at(self, host: int = 0) -> float:
        """When a host wrote the last line of its log, in seconds since the epoch; 0.0 before the first."""
        lines = last_lines(self._engine, self.containers[host], 1)
        return lines[-1].time / 1e9 if lines else 0.0

    def terminate(self, grace_seconds: int) -> None:
        """SIGTERM, and SIGKILL after the grace, as a job's stop does."""
        self._engine.stop(self.containers[0], grace_seconds, "SIGTERM")

    def kill(self) -> None:
        for container in self.containers:
            self._engine.kill(container)
            self._engine.wait(container, 30)

    def ended(self, host: int = 0, idle: Idle | None = None) -> HostResult:
        """How a host fared; one that still runs is killed first, and has no exit code. `idle`: it did nothing."""
        if self.start_error:
            return HostResult(127, 0.0, start_error=self.start_error)
        container = self.containers[host]
        state = self._engine.inspect(container)
        late = state.running
        if late:
            self._engine.kill(container)
            state = self._engine.wait(container, 30) or state
        began, finished = state.started_at, state.finished_at
        seconds = finished - began if began and finished and finished > began else self.seconds
        return HostResult(
            None if late else state.exit_code,
            seconds,
            began,
            state.oom_killed,
            left=self._left_in(self._engine, container),
            log=last_lines(self._engine, container),
            memory_bytes=self._plan.hosts[host].container.memory_bytes or 0,
            peak_bytes=self._watch.peak(container) if self._watch else None,
            idle=idle if late else None,
        )

    def remove(self) -> None:
        if self._watch:
            self._watch.close()
        self._hosts.remove()
        # What containers wrote as root goes with the run's scratch folder where we may not remove it.
        shutil.rmtree(self._root, ignore_errors=True)


@contextlib.contextmanager
def kept(hosts: HostsT) -> Iterator[HostsT]:
    """The job, started, or with a `start_error`; removed at the end of the block."""
    try:
        hosts.start()
        yield hosts
    finally:
        with contextlib.suppress(EngineError):  # the sweep at the end of the run finds what is left
            hosts.remove()


def to_the_end(context: Context, started: Hosts, seconds: float) -> HostResult:
    """The first host at its end, or at the end of `seconds`; or when it has done nothing for long, which is seen.

    Raises OutOfTime when the check's own time is over.
    """
    watch = IdleWatch(started.alive, started.last_line_at)
    end = time.monotonic() + seconds
    idle: Idle | None = None
    while not started.wait(max(0.0, min(_LOOK_SECONDS, end - time.monotonic()))):
        if not context.deadline.left:
            raise OutOfTime(f"not done within {context.deadline.seconds:g} s")
        if time.monotonic() >= end:
            break
        has_left = started.has_left()
        slow, fast = _IDLE_SECONDS[has_left]
        idle = watch.after(fast if context.options.fast else slow)
        if idle is not None:
            break
        if started.seconds > _LONG_SECONDS:
            context.report(_progress(started.seconds, has_left, watch.seconds))
    return started.ended(idle=idle)


def _progress(seconds: float, has_left: bool, idle: float) -> str:
    """What is shown while a job runs."""
    pause = f"; it has computed nothing for {idle:.0f} s" if idle > _LONG_SECONDS else ""
    left = ", and its result is there" if pause and has_left else ""
    return f"running for {seconds:.0f} s{pause}{left}"


def limits_of(context: Context, hosts: int, memory_bytes: int | None = None) -> HostLimits:
    """Of each host. Its memory: the instance's, or all of them together half of what the engine's host has."""
    assert context.engine is not None
    capacity = context.engine.capacity().memory_bytes
    wanted = memory_bytes or context.options.memory_bytes or capacity // (2 * hosts)
    return HostLimits(memory_bytes=wanted if memory_bytes else min(wanted, capacity))


def arn(job_type: str, name: str) -> str:
    """Of a job that no emulator knows; AWS's ARNs have the name in lower case."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{job_type}/{name}"


def has_room_for_more(context: Context, plain: HostResult) -> bool:
    """Whether several such jobs may run concurrently without one failing for memory that another holds."""
    assert context.engine is not None
    return plain.peak_bytes is not None and 8 * plain.peak_bytes < context.engine.capacity().memory_bytes


def folders_of(context: Context, single: str) -> dict[str, Path]:
    """--data: each folder in it is a channel or an input; where it holds files, it is one itself, named `single`."""
    folder = context.options.data
    return {} if folder is None else folders_in(folder, single)


def folders_in(folder: Path, single: str) -> dict[str, Path]:
    """The folders in it by their names; where it holds files, itself, by the name `single`."""
    inside = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    if inside and all(one.is_dir() for one in inside):
        return {one.name: one.resolve() for one in inside}
    return {single: folder.resolve()}


def files_in(folder: Path) -> list[str]:
    """Relative, as S3 lists their keys: in the order of their bytes."""
    return sorted((path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()), key=str.encode)


def given_folder(source: Path, copy: Path, target: str) -> Iterator[Mount]:
    """Make `copy` of a folder of the user's: jobs may write to what they are given, and the data is not ours.

    Where that would take too long, a mount that may not be written to, at `target`.
    """
    if sum((source / file).stat().st_size for file in files_in(source)) <= _MOST_DATA:
        shutil.copytree(source, copy, copy_function=shutil.copyfile, dirs_exist_ok=True)
    else:
        copy.mkdir(parents=True, exist_ok=True)
        yield Mount(source, target, read_only=True)


def writable_on_read_only_root(root: Path) -> Iterator[Mount]:
    """A folder of the disk for temporary files; /dev/shm is writable in any case."""
    folder = root.with_name(f"{root.name}-tmp")
    folder.mkdir()
    folder.chmod(0o1777)
    yield Mount(folder, "/tmp")  # noqa: S108  (the container's)


def found(engine: Engine, container: str, path: str) -> Iterator[LeftFile]:
    """Files and links below a folder of a container; none where there is no such folder."""
    try:
        stream = engine.archive(container, path)
    except PathMissing:
        return
    with contextlib.closing(stream):
        for entry, _ in tar.entries(stream):
            inside = entry.name.partition("/")[2]
            if inside and entry.kind != tar.FOLDER:
                is_link = entry.kind in (tar.SYMBOLIC_LINK, tar.HARD_LINK)
                yield LeftFile(inside, entry.size, entry.link if is_link else "")


def holds_files(folder: Path) -> bool:
    return any(path.is_file() for path in folder.rglob("*"))


def _pull_nothing(image: str) -> None:
    raise ImageMissing(image)  # it was there when it was read
