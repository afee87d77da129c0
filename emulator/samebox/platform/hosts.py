"""The containers of one job, one a host: made or found again, started together, signalled, and removed.

Each step may be repeated after a crash in its middle, and then ends as it would have.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from samebox.containers.engine import ContainerMissing, NameTaken, StartFailed
from samebox.data import tree
from samebox.platform import images, networks, starting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from samebox.containers.engine import ContainerSpec, ContainerState, Engine, Network
    from samebox.platform.job import HostPlan, JobPlan

T = TypeVar("T")


class Retry(Protocol):
    """Calls something, again while the engine is away (see retrying.py)."""

    def __call__(self, call: Callable[[], T], /) -> T: ...


def once(call: Callable[[], T], /) -> T:
    """A Retry that does not retry: for work that is not resumed."""
    return call()


@dataclass(frozen=True)
class Made:
    """A host's container. One that is not new was asked for in an earlier life, or by a request that was lost."""

    host: HostPlan
    id: str
    is_new: bool


class JobHosts:
    """The hosts of a plan, on an engine. Every method may raise what the engine and `pull` raise."""

    def __init__(self, engine: Engine, plan: JobPlan, pull: Callable[[str], None], retry: Retry = once) -> None:
        self.plan = plan
        self._engine = engine
        self._pull = pull
        self._retry = retry
        self._network: Future[None] | None = None
        self._made: Network | None = None

    def find(self) -> dict[str, ContainerState]:
        """The containers that are there, by their hosts' names, in number order."""
        found = {host.name: self._retry(partial(self._look, host)) for host in self.plan.hosts}
        return {name: state for name, state in found.items() if state is not None}

    def create(self, host: HostPlan) -> Made:
        """The host's container, made but not started; the one that is there, if there is one."""
        return self._retry(lambda: self._create(host))

    def make_network(self) -> None:
        """Before the first container; an isolated job of one host has none."""
        if self.plan.has_network:
            self._made = self._retry(lambda: networks.make(self._engine, self.plan.network))

    def begin_network(self) -> None:
        """Make the network in the background; `start` waits for it. It takes an engine as long as a container does."""
        pool = ThreadPoolExecutor(1, "the network of a job")
        self._network = pool.submit(self.make_network)
        pool.shutdown(wait=False)

    def start(self, made: Made) -> None:
        """Start it, unless it runs or ran: its program shall run once. Raises StartFailed."""
        if self._network is not None:
            self._network.result()
        self._retry(starting.once(self._engine, made.id, made.is_new))

    def discard(self, made: Made) -> None:
        """Remove one container, to be made anew."""
        self._retry(lambda: self._engine.remove(made.id))

    def signal(self, containers: Iterable[str], signal: str = "SIGKILL") -> None:
        """Send a signal to these containers; those that have ended, or are gone, are left alone."""
        for container in containers:
            self._retry(partial(self._kill, container, signal))

    def remove_containers(self, found: Mapping[str, ContainerState]) -> None:
        """Remove the containers that `find` gave; what is gone already is not an error."""
        for state in found.values():
            self._retry(partial(self._engine.remove, state.id))

    def leave_network(self) -> None:
        """Have nothing more to do with the network: its making, where it was begun, is over."""
        if self._network is not None:
            wait([self._network])

    def remove_network(self) -> None:
        """Remove the network, after the containers."""
        self.leave_network()  # or it would be there after its removal
        if self.plan.has_network:
            self._retry(lambda: self._engine.remove_network(self.plan.network.name))

    def remove(self) -> None:
        """Remove the containers and then the network."""
        self.remove_containers(self.find())
        self.remove_network()

    def _look(self, host: HostPlan) -> ContainerState | None:
        try:
            state = self._engine.inspect(host.container_name)
        except ContainerMissing:
            return None
        return state if starting.is_of(state, host.container) else None

    def _create(self, host: HostPlan) -> Made:
        def make(spec: ContainerSpec) -> str:
            return self._engine.create(spec)

        try:
            return Made(host, images.create(self._addressed(host), make, self._pull), is_new=True)
        except NameTaken:
            return Made(host, starting.holder_of(self._engine, host.container).id, is_new=False)
        except StartFailed:
            # Some engines look for the network now and not at the start.
            if self._network is None or self._network.done():
                raise
            self._network.result()
            return self._create(host)

    def _addressed(self, host: HostPlan) -> ContainerSpec:
        """The container of one of several hosts, which knows the others by name from its start to the job's end.

        An engine's own names come with a container's start and go with its end, and an instance is there until its
        job has ended. So each has an address of its own, and all are in its /etc/hosts.
        """
        spec = host.container
        if len(self.plan.hosts) < 2 or not self.plan.has_network:
            return spec
        if self._network is not None:
            self._network.result()
        if self._made is None:
            self.make_network()
        assert self._made is not None, "a job of several hosts has a network"
        found = [networks.address(self._made, number) for number in range(len(self.plan.hosts))]
        known = {
            alias: address
            for one, address in zip(self.plan.hosts, found, strict=True)
            for alias in one.container.aliases
            if address is not None
        }
        own = found[[one.name for one in self.plan.hosts].index(host.name)]
        return replace(spec, address=own, extra_hosts={**spec.extra_hosts, **known})

    def _kill(self, container: str, signal: str) -> None:
        try:
            self._engine.kill(container, signal)
        except ContainerMissing:
            return


def prepare(host: HostPlan) -> None:
    """Make the host's folder as its container is to find it, and a folder for each mount in it. Raises DiskFull."""
    tree.write(host.tree, host.root)
    for mount in host.container.mounts:
        if mount.source.is_relative_to(host.root):  # what is not the host's own is there
            mount.source.mkdir(parents=True, exist_ok=True)
