"""A job as data: its hosts, each a container and what it finds at its start, and the network that joins them.

Training and processing are plans of this form (`training.py`, `processing.py`); `hosts.py` carries any of them out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from samebox.containers.engine import ContainerSpec, Mount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from samebox.data.opt_ml import Command
    from samebox.data.tree import Tree

# Of a container that is checked: no SageMaker limit is known, and none of ours may be the reason why an image fails.
PIDS = 8192
LOG_BYTES = 256 << 20  # the last of it: an untrusted image must not fill the disk


@dataclass(frozen=True)
class HostLimits:
    """What one container may take of its machine. None: as much as there is, or as the engine gives by itself."""

    memory_bytes: int | None = None
    cpus: float | None = None
    gpus: int = 0
    shm_bytes: int | None = None
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # name -> soft and hard limit
    pids: int | None = PIDS
    log_bytes: int | None = LOG_BYTES


@dataclass(frozen=True)
class Surroundings:
    """What containers get besides, such as proxies and certificates. A request's own environment wins."""

    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True)
class Placement:
    """Where a job runs: the folder of its hosts' folders, and what names and labels are made of.

    `identity` are hex digits, 16 at least, that no other job has; `prefix` begins the containers' names.
    """

    root: Path
    identity: str
    prefix: str
    labels: Mapping[str, str]

    def container_name(self, host: str) -> str:
        return f"{self.prefix}-{host}-{self.identity[:8]}"

    @property
    def network_name(self) -> str:
        return f"samebox-{self.identity[:16]}"


@dataclass(frozen=True)
class JobNetwork:
    """A network of the job's own, on which its hosts find each other by name; `internal`: without a way out."""

    name: str
    labels: Mapping[str, str]
    internal: bool


@dataclass(frozen=True)
class HostPlan:
    """One host: its container, the folder whose parts are mounted into it, and what is in that folder at the start."""

    name: str  # algo-1
    root: Path
    tree: Tree
    container: ContainerSpec
    channels: frozenset[str] | None = None  # the names of those that it gets; None: all of the job's

    @property
    def container_name(self) -> str:
        return str(self.container.name)


@dataclass(frozen=True)
class JobPlan:
    """All hosts of a job, in number order."""

    hosts: tuple[HostPlan, ...]
    network: JobNetwork

    @property
    def has_network(self) -> bool:
        """False for an isolated job of one host."""
        return any(host.container.network != "none" for host in self.hosts)

    def on(self, network: JobNetwork) -> JobPlan:
        """The same job on another network."""
        hosts = (replace(host, container=replace(host.container, network=network.name)) for host in self.hosts)
        return JobPlan(tuple(hosts), network)


def with_folder(
    host: HostPlan, folder: Path, source: Path, layer: Path | None = None, *, read_only: bool = False
) -> HostPlan:
    """The host with another folder in the place of one of its own, and its changes of that in the layer, if any."""
    mounts = list(host.container.mounts)
    number, mount = next((n, one) for n, one in enumerate(mounts) if folder.is_relative_to(one.source))
    target = PurePosixPath(mount.target) / folder.relative_to(mount.source).as_posix()
    other = Mount(source, str(target), read_only=read_only, layer=layer)
    if folder == mount.source:
        mounts[number] = other
    else:
        mounts.append(other)  # the engine mounts what is deeper later
    return replace(host, container=replace(host.container, mounts=tuple(mounts)))


def network(placement: Placement, isolated: bool) -> JobNetwork:
    """A job's network; under network isolation its hosts reach only each other (contract §1.4.5)."""
    return JobNetwork(placement.network_name, placement.labels, isolated)


def plan(hosts: tuple[HostPlan, ...], placement: Placement, isolated: bool) -> JobPlan:
    """The plan of a job. An isolated job of one host reaches nothing, and has no network: it is its own `algo-1`."""
    if isolated and len(hosts) == 1:
        (host,) = hosts
        alone = replace(host.container, network="none", aliases=(), extra_hosts={host.name: "127.0.0.1"})
        hosts = (replace(host, container=alone),)
    return JobPlan(hosts, network(placement, isolated))


def container(
    image: str,
    host: str,
    number: int,
    command: Command,
    environment: Mapping[str, str],
    mounts: Iterable[Mount],
    placement: Placement,
    limits: HostLimits,
    surroundings: Surroundings,
) -> ContainerSpec:
    """The container of one host; `number` counts from 1."""
    return ContainerSpec(
        image=image,
        name=placement.container_name(host),
        command=command.command,
        entrypoint=command.entrypoint,
        environment={**surroundings.environment, **environment},
        labels=placement.labels,
        mounts=(*mounts, *surroundings.mounts),
        # The machine has an EC2 name; algo-1 is how the job's hosts find each other (contract §1.1).
        hostname=ec2_name(placement.identity, number),
        network=placement.network_name,
        aliases=(host,),
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        gpus=limits.gpus,
        shm_bytes=limits.shm_bytes,
        ulimits=limits.ulimits,
        pids_limit=limits.pids,
        log_bytes=limits.log_bytes,
    )


def ec2_name(identity: str, number: int = 1) -> str:
    """A host name as EC2 gives them, from an identity; each of a job's hosts has another."""
    first, second, third = (int(identity[place : place + 2], 16) for place in (0, 2, 4))
    return f"ip-10-{first}-{second}-{(third + number - 1) % 256}.ec2.internal"
