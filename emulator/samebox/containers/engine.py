"""The container engine as its callers see it. This module is the room's door: values and errors are imported from here.

Four protocols, as the Docker Engine API has four sections of its own; a caller asks for those alone that it uses.
Two things keep the promise: `docker.py` (the real one) and `fake.py` (in memory, for tests); one suite,
tests/containers/test_engine.py, proves both. A container need not run on this machine: ask `address` where its port is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

from samebox.containers.engine_errors import (
    ContainerMissing,
    EngineError,
    EngineUnavailable,
    ImageMissing,
    NameTaken,
    OutOfSpace,
    PathMissing,
    StartFailed,
)
from samebox.containers.engine_values import (
    ARN_LABEL,
    HELPER_LABEL,
    IMAGE_ID,
    INSTANCE_LABEL,
    THIS_PROCESS,
    Capacity,
    ContainerSpec,
    ContainerState,
    ContainerSummary,
    ContainerUsage,
    ImageFacts,
    LogLine,
    Mount,
    Network,
    PullProgress,
    RunningProcess,
    Stream,
    Volume,
    VolumeMount,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "ARN_LABEL",
    "HELPER_LABEL",
    "IMAGE_ID",
    "INSTANCE_LABEL",
    "THIS_PROCESS",
    "ArchiveStream",
    "Capacity",
    "ContainerApi",
    "ContainerMissing",
    "ContainerSpec",
    "ContainerState",
    "ContainerSummary",
    "ContainerUsage",
    "Engine",
    "EngineError",
    "EngineUnavailable",
    "ImageApi",
    "ImageFacts",
    "ImageMissing",
    "LogLine",
    "LogStream",
    "Mount",
    "NameTaken",
    "Network",
    "NetworkApi",
    "OutOfSpace",
    "PathMissing",
    "PullProgress",
    "RunningProcess",
    "StartFailed",
    "Stream",
    "Volume",
    "VolumeApi",
    "VolumeMount",
]


class LogStream(Protocol):
    """Lines as they come. Ends by itself when the container has ended, or soon after `close`, from whichever thread."""

    def __iter__(self) -> Iterator[LogLine]: ...
    def __next__(self) -> LogLine: ...
    def close(self) -> None: ...


# A tar as it comes, to be read once and closed: `tarfile.open(fileobj=stream, mode="r|")`.
ArchiveStream = BinaryIO


class ImageApi(Protocol):
    """Images: what the engine holds, and what a registry gives it."""

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

        A name that is gone already is not an error.
        """

    def tags(self, repository: str) -> list[str]:
        """The names, `repository:tag`, of all images of a repository that the engine holds."""

    def untagged(self, registry: str) -> list[str]:
        """The names, `registry/repository@digest`, of images that bear no tag of the same repository."""


class ContainerApi(Protocol):
    """Containers: their life, what they write, and their files. An id may be a name everywhere.

    Every method that takes one may raise ContainerMissing.
    """

    def create(self, spec: ContainerSpec) -> str:
        """The new container's id. Raises ImageMissing (never pulls), NameTaken, StartFailed if the spec is refused."""

    def start(self, container: str) -> None:
        """Raises StartFailed; the container is then "exited", with its code (127: not found) and the error."""

    def run(self, spec: ContainerSpec) -> str:
        """create and start; a container that cannot be started is removed before StartFailed is raised."""

    def inspect(self, container: str) -> ContainerState: ...

    def processes(self, container: str) -> tuple[RunningProcess, ...]:
        """What runs in a container; empty where nothing does, or the engine cannot see it."""

    def memory(self, container: str) -> int | None:
        """The bytes that a container holds now, the page cache aside; None where it does not run, or cannot be seen."""

    def usage(self, container: str) -> ContainerUsage | None:
        """What it has used so far; None where it does not run, or cannot be seen."""

    def find(self, labels: Mapping[str, str | None]) -> list[ContainerSummary]:
        """All containers, running or not, that carry all of these labels; None: with any value. One request."""

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
        """Kill it if need be and remove it with its anonymous volumes. One that is gone already is not an error."""

    def logs(self, container: str, since: int | None = None, follow: bool = False) -> LogStream:
        """What it wrote, after the line whose `time` is `since`; with `follow`, also what it will write."""

    def follow(self, container: str, since: int | None = None) -> AsyncGenerator[Sequence[LogLine], None]:
        """As `logs` to the container's end, without a thread: for a task of an asyncio loop, in batches as they come.

        To break off, close it: `contextlib.aclosing`.
        """

    async def ended(self, container: str) -> ContainerState:
        """Return when the container has ended, without a thread: for a task of an asyncio loop."""

    def archive(self, container: str, path: str) -> ArchiveStream:
        """A file or folder of a running or ended container, its mounts included, as tar.

        Names in it begin with the last part of the path: "/opt/ml/model" -> "model/…". Raises PathMissing.
        """

    def put(self, container: str, path: str, tar: BinaryIO) -> None:
        """Unpack a tar into a folder of the container. Raises PathMissing, OutOfSpace."""


class NetworkApi(Protocol):
    """Networks on which containers find each other by name."""

    def networks(self, labels: Mapping[str, str | None]) -> list[Network]: ...

    def create_network(
        self, name: str, labels: Mapping[str, str], internal: bool = False, gateway: str | None = None
    ) -> Network:
        """A bridge network on which containers find each other by name; `internal` cuts it off from the world.

        `gateway` is the address that the engine's host has on it, with its prefix: "10.1.2.3/24". Raises NameTaken,
        and EngineError when the addresses are in use.
        """

    def remove_network(self, network: str) -> None:
        """By name or id. One that is gone already is not an error."""


class VolumeApi(Protocol):
    """Where containers keep files: our own folders where the engine shares our disk, volumes everywhere."""

    def shares_disk(self) -> bool:
        """Whether a container that mounts a folder of ours sees what we write there. Tried out once."""

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Volume:
        """The volume of this name, new or there already."""

    def volumes(self, labels: Mapping[str, str | None], unused: bool = False) -> list[Volume]:
        """All volumes that carry these labels; `unused`: those alone that no container has."""

    def files(self, volume: Volume, image: str) -> ArchiveStream:
        """What is in a volume, as a tar of one folder, by way of such a container. Raises ImageMissing."""

    def remove_volume(self, volume: str) -> None:
        """By name. One that is gone already is not an error. Raises EngineError while a container has it."""

    def sweep_path(self, path: Path) -> None:
        """Remove a folder or file of the engine's host, whichever user owns it. A missing one is not an error."""


class Engine(ImageApi, ContainerApi, NetworkApi, VolumeApi, Protocol):
    """All of an engine. Every method of each may raise EngineUnavailable.

    All methods may be called from any thread, and none waits without limit.
    """

    def available(self) -> str | None:
        """None when the engine answers, else why not, and what to do about it."""

    def capacity(self) -> Capacity:
        """What the host has; asked once and remembered."""

    def started_at(self) -> float | None:
        """When the engine was started, in seconds since the epoch; None where that cannot be seen.

        What ran then has ended, and not by itself.
        """

    def close(self) -> None:
        """Give up connections; streams that are being read end."""
