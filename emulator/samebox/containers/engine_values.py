"""What callers and engines pass each other: what to run, how it fares, what there is. Frozen, and nothing of Docker."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Every container and network that we make carries these two, which distinguish ours from others.
INSTANCE_LABEL = "samebox"  # value: the id of the data directory that it belongs to
HELPER_LABEL = "samebox.helper"  # of a container that is made for its mounts, never started; value: whose it is
THIS_PROCESS = os.urandom(16).hex()  # the value for helpers of this process: one of another may be what a kill has left
ARN_LABEL = "samebox.arn"  # value: the ARN of the resource that it serves

# What an image's id begins with; a name of an image in a registry never does.
IMAGE_ID = "sha256:"

Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True)
class ContainerUsage:
    """What a running container has used so far of all processors, and the memory that it holds, page cache aside."""

    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Volume:
    """A folder that the engine keeps, by its name there."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mount:
    """A folder or file of this machine, seen inside the container.

    Where the engine does not share our disk, the container gets a copy as of its creation: what it writes there is read
    through `archive`, never from our folder. With `layer`, a folder of this container alone, what the container changes
    goes there, and the source stays as it is; nothing may change in the source while the container is there.
    """

    source: Path
    target: str
    read_only: bool = False
    layer: Path | None = None


@dataclass(frozen=True)
class VolumeMount:
    """A volume, seen inside the container; what the image has at this place is not."""

    volume: Volume
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """The desired container; what is left out is the image's or the engine's own choice."""

    image: str
    name: str | None = None
    command: tuple[str, ...] | None = None  # None: the image's CMD, unless an entrypoint is given
    entrypoint: tuple[str, ...] | None = None  # None: the image's ENTRYPOINT
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of the image's
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    volumes: tuple[VolumeMount, ...] = ()
    working_directory: str | None = None
    user: str | None = None
    hostname: str | None = None
    extra_hosts: Mapping[str, str] = field(default_factory=dict)  # name -> address; "host-gateway" is the engine's host
    network: str = "bridge"  # "bridge", "none", or the name of a network made by `create_network`
    aliases: tuple[str, ...] = ()  # further names on a network of our own
    address: str | None = None  # on a network of our own, in its range
    publish: Mapping[int, int] = field(default_factory=dict)
    """TCP port of the container -> loopback port of the engine's host; 0: only `address` must know the way to it."""
    memory_bytes: int | None = None
    cpus: float | None = None
    gpus: int = 0
    gpu_devices: tuple[str, ...] = ()  # which ones, by the driver's indices; empty: the engine's choice
    shm_bytes: int | None = None
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # name -> soft and hard limit; -1: none
    pids_limit: int | None = None
    log_bytes: int | None = None  # about so much of its log is kept, the last of it; None: all
    read_only_root: bool = False
    tmpfs: Mapping[str, str] = field(default_factory=dict)  # path -> mount options, such as "size=512m"
    stop_signal: str | None = None


@dataclass(frozen=True)
class ContainerSummary:
    """The entry of one container in a list. Times are seconds since the epoch.

    One whose start failed may be "created" still in a list, and is "exited" when it is inspected.
    """

    id: str
    name: str
    status: Literal["created", "running", "exited"]
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    created_at: float | None = None

    @property
    def running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True)
class ContainerState(ContainerSummary):
    """How a container fares; `exit_code` is None until it has ended."""

    exit_code: int | None = None
    oom_killed: bool = False
    started_at: float | None = None  # the last time; None when no process of it ever ran
    finished_at: float | None = None
    error: str = ""  # the engine's message when it could not be started
    ports: Mapping[int, int] = field(default_factory=dict)  # container port -> published port, while it runs

    @property
    def has_exited(self) -> bool:
        return self.status == "exited"

    @property
    def has_run(self) -> bool:
        """False for one whose start was never requested, or failed, or was abandoned by the engine half way.

        An engine abandons a start when its client disconnects, as an emulator that is killed does. The error that it
        then keeps is not the container's: when started again, a real fault occurs again.
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
    """How far a pull has come, summed over the layers that were reported so far."""

    done_bytes: int
    total_bytes: int
    message: str


@dataclass(frozen=True)
class Network:
    """`gateway` is the address that the engine's host has on it, with its prefix; None where it is not known."""

    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    gateway: str | None = None


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
