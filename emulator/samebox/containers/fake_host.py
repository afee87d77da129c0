"""The host of the fake engine, with what is on it: what the engine's parts share."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from samebox.containers.engine import Capacity, ContainerMissing, EngineUnavailable, Network, Volume
from samebox.containers.fake_process import Changes, Container, FakeImage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class FakeHost:
    """Containers' own files lie under `root`. `unavailable` may be set to a reason, and unset.

    Without `shares_disk`, containers get copies of folders, as from an engine on another machine.
    """

    def __init__(
        self,
        root: Path,
        capacity: Capacity | None = None,
        clock: Callable[[], float] = time.time,
        shares_disk: bool = True,
    ) -> None:
        self.unavailable: str | None = None
        self.pulled: list[str] = []  # references, in order
        self.exports: dict[str, bytes] = {}  # reference -> what `export` gives, where a test cares
        self._began = clock()
        self._root = root
        self._shares_disk = shares_disk
        self._capacity = capacity or Capacity(cpus=64, memory_bytes=512 << 30, gpus=0)
        self._clock = clock
        self._changed = Changes()
        self._numbers = itertools.count(1)
        self._containers: dict[str, Container] = {}
        self._images: dict[str, FakeImage] = {}
        self._remote: dict[str, FakeImage] = {}
        self._networks: dict[str, Network] = {}
        self._volumes: dict[str, Volume] = {}

    def set_capacity(self, capacity: Capacity) -> None:
        """What its host has from now on."""
        self._capacity = capacity

    def started_at(self) -> float | None:
        self._answer()
        return self._began

    def restart(self, exit_code: int = 137) -> None:
        """End all containers, as a daemon does that is restarted."""
        self.unavailable = "it is restarted"
        for container in list(self._containers.values()):
            container.end(exit_code)
        self._began = self._clock()
        self.unavailable = None

    def available(self) -> str | None:
        return self.unavailable

    def capacity(self) -> Capacity:
        self._answer()
        return self._capacity

    def close(self) -> None:
        """Containers outlive an engine's connections: that is what a restart of the emulator is about."""

    def _answer(self) -> None:
        if self.unavailable is not None:
            raise EngineUnavailable(self.unavailable)

    def _get(self, container: str) -> Container:
        self._answer()
        with self._changed:
            for found in self._containers.values():
                if container in (found.state.id, found.state.name):
                    return found
        raise ContainerMissing(f"No such container: {container}")


def carries(labels: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    return all(name in labels and value in (None, labels[name]) for name, value in wanted.items())
