"""Networks of container jobs: each job has one to itself, and a few are kept for the jobs that come next.

An engine makes and removes a container faster than a network. A network's labels cannot be changed, so these bear no
job's; the job's facts have the name instead, from before anything is on the network until the job has ended.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Sequence

from samebox.containers.engine import INSTANCE_LABEL, EngineError, NetworkApi
from samebox.platform.job import JobNetwork
from samebox.resources.kind import Kind
from samebox.resources.resources import Resources
from samebox.resources.run_facts import job_facts

log = logging.getLogger(__name__)

JOB_NETWORK_LABEL = "samebox.job-network"
MOST_KEPT = 4  # more jobs at once are rare, and an engine is slower with many networks


class JobNetworks:
    """Threads may share it. `in_use` gives the names of those that jobs have which have not ended."""

    def __init__(self, engine: NetworkApi, instance: str, in_use: Callable[[], frozenset[str]]) -> None:
        self._engine = engine
        self._labels = {INSTANCE_LABEL: instance, JOB_NETWORK_LABEL: ""}
        self._in_use = in_use
        self._lock = threading.Lock()
        self._mine: set[str] = set()  # of this process
        self._kept: list[str] = []
        self._closed = False

    def take(self) -> JobNetwork:
        """A network that no job has. It is still to be made: one that was kept may have been removed by a user."""
        with self._lock:
            name = self._kept.pop() if self._kept else f"samebox-job-{secrets.token_hex(6)}"
        return self.named(name)

    def named(self, name: str) -> JobNetwork:
        """The network that a job's facts name: its own from before, or one that it takes over."""
        with self._lock:
            self._mine.add(name)
        return JobNetwork(name, self._labels, internal=False)

    def give_back(self, name: str) -> None:
        """To be called once nothing is on it, and nothing will be."""
        with self._lock:
            is_kept = not self._closed and len(self._kept) < MOST_KEPT
            if is_kept:
                self._mine.add(name)
                self._kept.append(name)
        if not is_kept:
            self._remove(name)

    def sweep(self) -> None:
        """Remove those of earlier processes that no job needs."""
        found = self._engine.networks(self._labels)
        needed = self._in_use()
        for network in found:
            with self._lock:  # a job that takes it over meanwhile makes it anew
                if network.name not in self._mine and network.name not in needed:
                    self._try_to_remove(network.name)

    def close(self) -> None:
        """Remove those that no job has, and keep none from now on."""
        with self._lock:
            self._closed = True
            self._kept.clear()
            mine = set(self._mine)
        for name in mine - self._in_use():
            self._remove(name)

    def _remove(self, name: str) -> None:
        if self._try_to_remove(name):
            with self._lock:
                self._mine.discard(name)

    def _try_to_remove(self, name: str) -> bool:
        try:
            self._engine.remove_network(name)
        except EngineError as error:
            log.info("the network %s stays until the next start: %s", name, error)
            return False
        return True


def of_jobs(engine: NetworkApi, instance: str, resources: Resources, kinds: Sequence[Kind]) -> JobNetworks:
    """Those of one emulator's jobs, of these kinds."""

    def in_use() -> frozenset[str]:
        networks = (job_facts(row).run.network for kind in kinds for row in resources.unfinished(kind))
        return frozenset(one for one in networks if one is not None)

    return JobNetworks(engine, instance, in_use)
