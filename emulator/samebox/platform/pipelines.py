"""Serial pipelines: the place of each container in a model of several, its name and its ports (contract §2.7). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Choice: which ports AWS gives the containers of a pipeline is not known. None is 8080: an image that listens there
# whatever the variable says, would fail on an instance that it shares.
FIRST_PORT, FIRST_SAFE_PORT, SAFE_PORTS = 8081, 9000, 1000


@dataclass(frozen=True)
class PipelinePlace:
    """A container's place in its model: its name in logs and messages, and the ports that it may listen on.

    Of a model with one container there is neither a name nor a choice of ports.
    """

    number: int
    name: str = ""
    port: int | None = None
    safe_ports: str | None = None

    @classmethod
    def all(cls, hostnames: Sequence[str | None]) -> tuple[PipelinePlace, ...]:
        """Those of a model's containers, given their ContainerHostnames (contract §2.7)."""
        if len(hostnames) == 1:
            return (cls(1),)
        return tuple(
            cls(number, name or f"container-{number}", FIRST_PORT + number - 1, _range(number - 1))
            for number, name in enumerate(hostnames, 1)
        )

    def host(self, instance: str) -> str:
        """The name of its host in the job's plan, on an instance."""
        return f"{instance}-container-{self.number}" if self.name else instance


def _range(index: int) -> str:
    first = FIRST_SAFE_PORT + index * SAFE_PORTS
    return f"{first}-{first + SAFE_PORTS - 1}"


ALONE = PipelinePlace(1)  # of a model with one container
