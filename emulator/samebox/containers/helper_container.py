"""The one container of a helper that a data folder may have: found by its labels, made under a name, adopted later."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

from samebox.containers.engine import (
    ARN_LABEL,
    INSTANCE_LABEL,
    ContainerApi,
    ContainerMissing,
    ContainerSpec,
    ContainerSummary,
    NameTaken,
    VolumeApi,
)

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class ContainersAndVolumes(ContainerApi, VolumeApi, Protocol):
    """As much of an engine as a helper needs."""


class HelperContainer:
    """`owner` stands where other containers have the ARN of what they serve. Errors are the engine's."""

    def __init__(
        self,
        engine: ContainersAndVolumes,
        owner: str,
        instance: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._owner = owner
        self.name = name_of(owner, instance)
        self.labels = {INSTANCE_LABEL: instance, ARN_LABEL: owner}
        self._sleep = sleep

    def running(self) -> str | None:
        """The id of the container that runs; one that has ended is removed. None when there is none."""
        for container in self._engine.find(self.labels):
            if container.running:
                return container.id
            log.info("%s: %s is %s; it is made anew", self._owner, container.name, container.status)
            self._remove(container)
        return None

    def run(self, spec: ContainerSpec, seconds: float) -> str:
        """Make it, or wait so long for one that an emulator made which died meanwhile. Its id; raises NameTaken."""
        until = time.monotonic() + seconds
        while True:
            try:
                container = self._engine.run(spec)
            except NameTaken:
                # An emulator of this data directory died while the engine made it one, which may not be there yet.
                found = self.running()
                if found is not None:
                    return found
                if time.monotonic() > until:
                    raise
                self._sleep(0.05)
            else:
                log.info("%s: started %s", self._owner, self.name)
                return container

    def stop(self, grace_seconds: int) -> None:
        """Stop and remove it."""
        for container in self._engine.find(self.labels):
            self._engine.stop(container.id, grace_seconds)
            self._engine.remove(container.id)

    def _remove(self, container: ContainerSummary) -> None:
        try:
            self._engine.remove(container.id)
        except ContainerMissing:
            log.debug("%s: %s is gone already", self._owner, container.name)


def name_of(owner: str, instance: str) -> str:
    """The name of a helper's container of a data folder."""
    return f"samebox-{owner}-{instance}"
