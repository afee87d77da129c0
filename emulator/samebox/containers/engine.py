"""The container engine as its callers see it: what to run, how it fares, what it said. Nothing here knows Docker.

Two things keep this promise: `docker.py` (the real one) and `fake.py` (in memory, for tests); one suite,
tests/containers/test_engine.py, proves both. A container need not run on this machine: ask `address` where its port is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# Every container and network that we make carries these two, so that what we made can be told from what we did not.
INSTANCE_LABEL = "samebox"  # value: the id of the data directory that it belongs to
ARN_LABEL = "samebox.arn"  # value: the ARN of the resource that it serves

# What an image's id begins with; a name of an image in a registry never does.
IMAGE_ID = "sha256:"

Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True)
class Mount:
    """A folder or file of the engine's host, seen inside the container."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """One container as it shall be; whatever is left out is the image's or the engine's own choice."""

    image: str
    name: str | None = None
    command: tuple[str, ...] | None = None  # None: the image's CMD, unless an entrypoint is given
    entrypoint: tuple[str, ...] | None = None  # None: the image's ENTRYPOINT
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of the image's
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    working_directory: str | None = None
    user: str | None = None
    hostname: str | None = None
    extra_hosts: Mapping[str, str] = field(default_factory=dict)  # name -> address; "host-gateway" is the engine's host
    network: str = "bridge"  # "bridge", "none", or the name of a network made by `create_network`
    aliases: tuple[str, ...] = ()  # further names on a network of our own
    publish: Mapping[int, int] = field(default_factory=dict)
    """TCP port of the container -> loopback port of the engine's host; 0: only `address` must know the way to it."""
    memory_bytes: int | None = None
    cpus: float | None = None
    gpus: int = 0
    shm_bytes: int | None = None
    pids_limit: int | None = None
    log_bytes: int | None = None  # about so much of its log is kept, the last of it; None: all
    read_only_root: bool = False
    tmpfs: Mapping[str, str] = field(default_factory=dict)  # path -> mount options, such as "size=512m"
    stop_signal: str | None = None


@dataclass(frozen=True)
class ContainerState:
    """How a container fares. Times are seconds since the epoch; `exit_code` is None until it has ended."""

    id: str
    name: str
    status: Literal["created", "running", "exited"]
    exit_code: int | None = None
    oom_killed: bool = False
    created_at: float | None = None
    started_at: float | None = None  # the last time; None when no process of it ever ran
    finished_at: float | None = None
    error: str = ""  # the engine's words when it could not be started
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[int, int] = field(default_factory=dict)  # container port -> published port, while it runs

    @property
    def running(self) -> bool:
        return self.status == "running"

    @property
    def has_exited(self) -> bool:
        return self.status == "exited"

    @property
    def has_run(self) -> bool:
        """False for one whose start was never asked for, or failed, or was given up by the engine half way.

        An engine gives up a start when whoever asked for it goes away, as an emulator that is killed does. The error
        that it then keeps says nothing of the container: start it again, and a true fault says itself again.
        """
        return self.started_at is not None


@dataclass(frozen=True)
class LogLine:
    """One line a container wrote, without its newline; bytes that are not UTF-8 are replaced.

    `time` is in nanoseconds since the epoch and strictly increasing within a container, the same at every reading:
    `logs(id, since=line.time)` continues after exactly this line.
    """

    time: int
    stream: Stream
    text: str


@dataclass(frozen=True)
class ImageFacts:
    """What the engine knows of an image that it holds."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()  # repository@sha256:…
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_directory: str = ""
    operating_system: str = "linux"
    architecture: str = "amd64"
    size_bytes: int = 0
    layers: tuple[str, ...] = ()  # diff ids, the root first


@dataclass(frozen=True)
class PullProgress:
    """How far a pull has come, summed over the layers that have been heard of so far."""

    done_bytes: int
    total_bytes: int
    message: str


@dataclass(frozen=True)
class Network:
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Capacity:
    """What the engine's host has in all."""

    cpus: int
    memory_bytes: int
    gpus: int = 0


@dataclass(frozen=True)
class RunningProcess:
    """One process of a container, by its id on the engine's host. `cpu_seconds` are whole ones."""

    pid: int
    command: str
    cpu_seconds: int


class EngineError(Exception):
    """The engine could not do it; the message is for a person."""


class EngineUnavailable(EngineError):
    """No engine answers, or not in time. Nothing is known of what was asked; asking again later is right."""


class ImageMissing(EngineError):
    """The engine does not hold the image, or the registry does not give it."""

    def __init__(self, reference: str, message: str = "") -> None:
        super().__init__(message or f"No such image: {reference}")
        self.reference = reference


class StartFailed(EngineError):
    """It could not be started, in the runtime's words: `exec: "train": executable file not found in $PATH`."""


class ContainerMissing(EngineError):
    """There is no such container."""


class PathMissing(EngineError):
    """There is no such path in the container."""


class NameTaken(EngineError):
    """A container or network of this name is there already."""


class OutOfSpace(EngineError):
    """The engine's disk is full."""


class LogStream(Protocol):
    """Lines as they come. Ends by itself when the container has ended, or soon after `close`, from whichever thread."""

    def __iter__(self) -> Iterator[LogLine]: ...
    def __next__(self) -> LogLine: ...
    def close(self) -> None: ...


# A tar as it comes, to be read once and closed: `tarfile.open(fileobj=stream, mode="r|")`.
ArchiveStream = BinaryIO


class Engine(Protocol):
    """Every method may raise EngineUnavailable, every one that takes a container's id (or name) ContainerMissing.

    All methods may be called from any thread, and none waits without limit.
    """

    def available(self) -> str | None:
        """None when the engine answers, else why not, and what to do about it."""

    def capacity(self) -> Capacity:
        """What the host has; asked once and remembered."""

    def image(self, reference: str) -> ImageFacts | None:
        """A tag, a digest reference or an id; None when the engine does not hold it."""

    def pull(
        self,
        reference: str,
        username: str | None = None,
        password: str | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> ImageFacts:
        """Fetch from the registry that the reference names. Raises ImageMissing (access denied, too), OutOfSpace.

        An id names no registry: what the engine does not hold under it is missing.
        """

    def export(self, reference: str) -> ArchiveStream:
        """The whole image, configuration and layers, as `docker save` writes it. Raises ImageMissing."""

    def tag(self, image: str, name: str) -> None:
        """Give an image that the engine holds one more name, `repository:tag`. Raises ImageMissing."""

    def untag(self, name: str) -> None:
        """Take a name away. The image goes with its last one, unless a container needs it: then the name stays, too.

        A name that is gone already is no error.
        """

    def tags(self, repository: str) -> list[str]:
        """The names, `repository:tag`, of all images of a repository that the engine holds."""

    def untagged(self, registry: str) -> list[str]:
        """The names, `registry/repository@digest`, of images that bear no tag of the same repository."""

    def create(self, spec: ContainerSpec) -> str:
        """The new container's id. Raises ImageMissing (never pulls), NameTaken, StartFailed if the spec is refused."""

    def start(self, container: str) -> None:
        """Raises StartFailed; the container is then "exited", with its code (127: not found) and the error."""

    def run(self, spec: ContainerSpec) -> str:
        """create and start; a container that cannot be started is removed before StartFailed is raised."""

    def inspect(self, container: str) -> ContainerState: ...

    def processes(self, container: str) -> tuple[RunningProcess, ...]:
        """What runs in a container; empty where nothing does, or the engine cannot see it."""

    def find(self, labels: Mapping[str, str | None]) -> list[ContainerState]:
        """All containers, running or not, that carry all of these labels; None: with any value."""

    def address(self, container: str, port: int) -> tuple[str, int]:
        """Host and port by which this process reaches a port that the spec published.

        Raises EngineError when there is no way to it, as when the container is not running.
        """

    def wait(self, container: str, timeout_seconds: float) -> ContainerState | None:
        """Block until the container has ended; None when it had not within the time."""

    def stop(self, container: str, grace_seconds: int, signal: str | None = None) -> None:
        """Send `signal` (None: the spec's, the image's, SIGTERM), after the grace SIGKILL; return when it has ended.

        One that had ended already is left alone.
        """

    def kill(self, container: str, signal: str = "SIGKILL") -> None:
        """Send a signal and return at once. One that had ended already is left alone."""

    def remove(self, container: str) -> None:
        """Kill it if need be and remove it with its anonymous volumes. One that is gone already is no error."""

    def logs(self, container: str, since: int | None = None, follow: bool = False) -> LogStream:
        """What it wrote, after the line whose `time` is `since`; with `follow`, also what it will write."""

    def archive(self, container: str, path: str) -> ArchiveStream:
        """A file or folder of a running or ended container, its mounts included, as tar.

        Names in it begin with the last part of the path: "/opt/ml/model" -> "model/…". Raises PathMissing.
        """

    def put(self, container: str, path: str, tar: BinaryIO) -> None:
        """Unpack a tar into a folder of the container. Raises PathMissing, OutOfSpace."""

    def networks(self, labels: Mapping[str, str | None]) -> list[Network]: ...

    def create_network(
        self, name: str, labels: Mapping[str, str], internal: bool = False, gateway: str | None = None
    ) -> Network:
        """A bridge network on which containers find each other by name; `internal` cuts it off from the world.

        `gateway` is the address that the engine's host has on it, with its prefix: "10.1.2.3/24". Raises NameTaken,
        and EngineError when the addresses are in use.
        """

    def remove_network(self, network: str) -> None:
        """By name or id. One that is gone already is no error."""

    def sweep_path(self, path: Path) -> None:
        """Remove a folder or file of the engine's host, whoever owns what is in it. A missing one is no error."""

    def close(self) -> None:
        """Give up connections; streams that are being read end."""
