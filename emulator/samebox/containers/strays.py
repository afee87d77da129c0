"""Finds what an emulator made and nobody owns any more, by label, and removes that and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL

if TYPE_CHECKING:
    from collections.abc import Collection

    from samebox.containers.engine import Engine


@dataclass(frozen=True)
class Pruned:
    """The names of what was removed."""

    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


def prune(engine: Engine, instance_id: str, keep: Collection[str] = ()) -> Pruned:
    """Remove the containers and networks of this data directory, except those whose ARN label is in `keep`.

    What bears another data directory's label, or none, is not touched.
    """
    if not instance_id:
        raise ValueError("Without an id, everything with an empty label would match.")
    mine = {INSTANCE_LABEL: instance_id}
    containers = [found for found in engine.find(mine) if found.labels.get(ARN_LABEL) not in keep]
    for container in containers:
        engine.remove(container.id)
    # After their containers: a network in use cannot be removed.
    networks = [found for found in engine.networks(mine) if found.labels.get(ARN_LABEL) not in keep]
    for network in networks:
        engine.remove_network(network.id)
    return Pruned(tuple(one.name for one in containers), tuple(one.name for one in networks))
