"""The containers of one job, each a host: cut off from the world but for each other; and what became of them."""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from emulator.check import tar
from emulator.check.checks import CannotCheck, Context, OutOfTime
from emulator.check.files import read_all
from emulator.check.memory import Watch, in_words
from emulator.containers.engine import EngineError, Mount, PathMissing, StartFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from emulator.containers.engine import ContainerSpec, Engine, LogLine

# Not algo-1, as on AWS (contract §1.1).
EC2_NAME = "ip-10-0-209-118.ec2.internal"
PIDS = 4096
NO_NETWORK = (
    r"temporary failure in name resolution|name or service not known|network is unreachable|could not resolve host"
    r"|bad address|nodename nor servname|no route to host|failed to resolve|getaddrinfo|EndpointConnectionError"
)
READ_ONLY = r"read-only file system|EROFS|errno 30\b"
_MOST_DATA = 2**30  # bytes of a folder that are copied for each run; more is mounted, and may not be written
_MOST_LINES = 400  # of a log are kept: the last ones
_SIGKILLED = 128 + 9

Job = TypeVar("Job", bound="Hosts")


@dataclass(frozen=True)
class Found:
    """A file or link below the folder that a job leaves its work in."""

    path: str
    size: int
    link: str = ""


@dataclass(frozen=True)
class Left:
    """What a host leaves behind: the files of its model or outputs, and its message (of a training: its failure)."""

    files: tuple[Found, ...] = ()
    message: bytes | None = None


@dataclass(frozen=True)
class Ended:
    """What became of one host. `exit_code` None: it had not ended within the time, and was killed."""

    exit_code: int | None
    seconds: float
    started_at: float | None = None
    oom_killed: bool = False
    start_error: str = ""
    left: Left = Left()
    log: tuple[LogLine, ...] = ()
    memory_bytes: int = 0  # that it had; 0: unknown
    peak_bytes: int | None = None  # that it held at most, the page cache aside; None where that cannot be seen

    @property
    def is_good(self) -> bool:
        return self.exit_code == 0

    @property
    def how(self) -> str:
        """Its exit code, and what that means where it is known."""
        if self.exit_code is None:
            return "not done"
        if self.oom_killed:
            what = "killed for its memory" if self.exit_code == _SIGKILLED else "a process of it killed for its memory"
            limit = f" at the limit of {in_words(self.memory_bytes)}" if self.memory_bytes else ""
            return f"exit code {self.exit_code} ({what}{limit})"
        if self.exit_code == _SIGKILLED:
            return f"exit code {self.exit_code} (SIGKILL, and not for its memory{self._peak})"
        return f"exit code {self.exit_code}"

    @property
    def _peak(self) -> str:
        if self.peak_bytes is None or not self.memory_bytes:
            return ""
        return f": it held {in_words(self.peak_bytes)} of {in_words(self.memory_bytes)}"

    @property
    def last_words(self) -> str:
        return next((line.text.strip() for line in reversed(self.log) if line.text.strip()), "")

    @property
    def outcome(self) -> str:
        """For a person, in a few words: how it ended, and the last that it said."""
        if self.start_error:
            return self.start_error
        how = f"{self.how} after {self.seconds:.1f} s"
        return f"{how}: {self.last_words[:200]}" if self.last_words else f"{how}, without a word"

    @property
    def middle_line(self) -> int:
        """How many lines it had written in the middle of its time; 0 where that cannot be told."""
        if self.started_at is None or not 4 <= len(self.log) < _MOST_LINES:
            return 0
        middle, late = ((self.started_at + part * self.seconds) * 1e9 for part in (0.5, 0.8))
        count = 1 + sum(line.time < middle for line in self.log)  # with the first one after the middle
        return count if count < len(self.log) - 1 and self.log[count - 1].time < late else 0

    def went_on_as(self, plain: Ended) -> bool:
        """Whether all was done that is done otherwise, too. On a busy machine, lines tell it better than seconds.

        Not their number alone: who hears a signal says so, and has said less of other things.
        """
        if plain.middle_line:
            return _kinds(plain.log) <= _kinds(self.log)
        return self.seconds > 0.9 * plain.seconds


class Hosts:
    """The hosts of a job. Use `kept`: they are started, and all of it is removed at the end of its block.

    `spec_of(root, host, network)` makes the host's folders below root/<host>, and says what its container is like;
    `left_in(engine, container)` reads what a host leaves.
    """

    def __init__(
        self,
        context: Context,
        names: tuple[str, ...],
        spec_of: Callable[[Path, str, str], ContainerSpec],
        left_in: Callable[[Engine, str], Left],
    ) -> None:
        if context.engine is None:
            raise CannotCheck(context.why_no_engine or "there is no container engine")
        if context.scratch is None or context.options.workbench is None or context.subject.reference is None:
            raise CannotCheck("nothing can be run here")
        self._context, self._engine = context, context.engine
        self._names, self._spec_of, self._left_in = names, spec_of, left_in
        self._root = context.scratch / f"job-{uuid.uuid4().hex[:8]}"
        self._root.mkdir()
        self._network = ""
        self._memory_bytes = 0
        self._watch: Watch | None = None
        self.containers: list[str] = []
        self.start_error = ""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def start(self) -> None:
        # Of its own and cut off: hosts find each other, and an image of a stranger reaches nobody.
        network = self._engine.create_network(f"samebox-check-{self._root.name}", self._context.labels, internal=True)
        self._network = network.id
        try:
            for host in self._names:
                spec = self._spec_of(self._root, host, network.name)
                self._memory_bytes = spec.memory_bytes or 0
                self.containers.append(self._engine.create(spec))
            self._began = time.monotonic()
            for container in self.containers:
                self._engine.start(container)
            self._watch = Watch(self.containers)
        except StartFailed as error:
            self.start_error = str(error)

    def wait(self, seconds: float, host: int = 0) -> bool:
        """Whether the host ends within the time."""
        if self.start_error:
            return True
        seconds = min(seconds, self._context.deadline.left)
        return self._engine.wait(self.containers[host], max(0.0, seconds)) is not None

    def wait_for_middle(self, plain: Ended, seconds: float) -> bool:
        """Until it is as far as the plain job was in the middle of its time; whether it has ended before that.

        `seconds`: what a whole job takes at the least, for one whose lines do not tell.
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

    def terminate(self, grace_seconds: int) -> None:
        """SIGTERM, and SIGKILL after the grace, as a job's stop does."""
        self._engine.stop(self.containers[0], grace_seconds, "SIGTERM")

    def kill(self) -> None:
        for container in self.containers:
            self._engine.kill(container)
            self._engine.wait(container, 30)

    def ended(self, host: int = 0) -> Ended:
        """How a host fared; one that still runs is killed first, and has no exit code."""
        if self.start_error:
            return Ended(127, 0.0, start_error=self.start_error)
        container = self.containers[host]
        state = self._engine.inspect(container)
        late = state.running
        if late:
            self._engine.kill(container)
            state = self._engine.wait(container, 30) or state
        began, finished = state.started_at, state.finished_at
        seconds = finished - began if began and finished and finished > began else self.seconds
        return Ended(
            None if late else state.exit_code,
            seconds,
            began,
            state.oom_killed,
            left=self._left_in(self._engine, container),
            log=_last_lines(self._engine, container),
            memory_bytes=self._memory_bytes,
            peak_bytes=self._watch.peak(container) if self._watch else None,
        )

    def remove(self) -> None:
        if self._watch:
            self._watch.close()
        for container in self.containers:
            self._engine.remove(container)
        if self._network:
            self._engine.remove_network(self._network)
        # What containers wrote as root goes with the run's scratch folder where we may not remove it.
        shutil.rmtree(self._root, ignore_errors=True)


@contextlib.contextmanager
def kept(hosts: Job) -> Iterator[Job]:
    """The job, started, or with a `start_error`; removed at the end of the block."""
    try:
        hosts.start()
        yield hosts
    finally:
        with contextlib.suppress(EngineError):  # the sweep at the end of the run finds what is left
            hosts.remove()


def to_the_end(context: Context, started: Hosts, seconds: float) -> Ended:
    """The first host at its end, or at the end of `seconds`. Raises OutOfTime when the check's own time is over."""
    started.wait(seconds)
    if not context.deadline.left:
        raise OutOfTime(f"not done within {context.deadline.seconds:g} s")
    return started.ended()


def memory_of(context: Context, hosts: int) -> int:
    """Bytes of each host: the instance's, or all of them together half of what the engine's host has."""
    assert context.engine is not None
    capacity = context.engine.capacity().memory_bytes
    return min(context.options.memory_bytes or capacity // (2 * hosts), capacity)


def has_room_for_more(context: Context, plain: Ended) -> bool:
    """Whether some such jobs may run beside each other: none shall fail for the memory that another holds."""
    assert context.engine is not None
    return plain.peak_bytes is not None and 8 * plain.peak_bytes < context.engine.capacity().memory_bytes


def name_of(host: str, count: int) -> str:
    """The machine's name, which is not the host's."""
    return EC2_NAME if count == 1 else f"ip-10-0-209-11{host[-1]}.ec2.internal"


def folders_of(context: Context, single: str) -> dict[str, Path]:
    """--data: each folder in it is a channel or an input; where it holds files, it is one itself, named `single`."""
    folder = context.options.data
    if folder is None:
        return {}
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
    folder = root / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    yield Mount(folder, "/tmp")  # noqa: S108  (the container's)


def found(engine: Engine, container: str, path: str) -> Iterator[Found]:
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
                yield Found(inside, entry.size, entry.link if is_link else "")


def content(engine: Engine, container: str, path: str) -> bytes | None:
    """Of a file, its first MiB; None where there is none."""
    try:
        stream = engine.archive(container, path)
    except PathMissing:
        return None
    with contextlib.closing(stream):
        for entry, read in tar.entries(stream):
            return read_all(read, 1 << 20) if entry.kind == tar.FILE else None
    return None


def counted(files: Sequence[Found]) -> str:
    """1 file, 2 files."""
    return f"{len(files)} file{'' if len(files) == 1 else 's'}"


def holds_files(folder: Path) -> bool:
    return any(path.is_file() for path in folder.rglob("*"))


def words_about(pattern: str, ended: Ended) -> str:
    """The first line of the log that fits, shortened; "" where none does."""
    for line in ended.log:
        if re.search(pattern, line.text, re.IGNORECASE):
            return line.text.strip()[:200]
    return ""


def _kinds(log: Iterable[LogLine]) -> Counter[str]:
    """How often it said what, whatever the numbers in it."""
    return Counter(re.sub(r"\w*\d\w*", "#", line.text.strip()) for line in log)


def _last_lines(engine: Engine, container: str) -> tuple[LogLine, ...]:
    last: list[LogLine] = []
    stream = engine.logs(container)
    try:
        for line in stream:
            last.append(line)
            if len(last) > 2 * _MOST_LINES:
                del last[:_MOST_LINES]
    finally:
        stream.close()
    return tuple(last[-_MOST_LINES:])
