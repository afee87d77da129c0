"""`samebox prune`: remove what carries this data folder's label and belongs to nothing that runs; nothing else."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from emulator.commands import where
from emulator.commands.outcome import Stop
from emulator.containers import kept_images
from emulator.containers.docker import DockerEngine
from emulator.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerState, Engine, EngineError, Network
from emulator.containers.registry_server import REGISTRY_OWNER
from emulator.resources import listing
from emulator.resources.kinds import ENDPOINT, TRAINING_JOB
from emulator.resources.store import Query, Store
from emulator.services import images

# What stands in the place of an ARN for the emulator's own helpers, which a running emulator needs.
HELPERS = frozenset({"", REGISTRY_OWNER})


@dataclass(frozen=True)
class Strays:
    """What would be removed."""

    containers: tuple[ContainerState, ...] = ()
    networks: tuple[Network, ...] = ()
    images: tuple[str, ...] = ()  # names that keep them (containers/kept_images.py)

    def __bool__(self) -> bool:
        return bool(self.containers or self.networks or self.images)

    def lines(self) -> list[str]:
        """One line for each, for a person."""
        return [
            *(f"container {one.name} ({one.status}){_of(one.labels)}" for one in self.containers),
            *(f"network {one.name}{_of(one.labels)}" for one in self.networks),
            *(f"image {name}" for name in self.images),
        ]


def run(given: argparse.Namespace) -> int:
    settings = where.settings(data_dir=given.data_dir)
    screen = Console(soft_wrap=True)
    instance = identity(settings.data_dir)
    if instance is None:
        screen.print(f"No emulator ever ran on {settings.data_dir}; nothing is labelled with it.", highlight=False)
        return 0
    engine = _engine(instance)
    try:
        needed = wanted(settings.data_dir)
        if where.record(settings.data_dir) is not None:
            needed |= HELPERS
        strays = find(engine, instance, needed, images_needed(settings.data_dir))
        for line in strays.lines():
            screen.print(line, highlight=False, markup=False)
        if not strays:
            screen.print("Nothing to remove.")
        elif not given.dry_run:
            _agree(given.yes)
            remove(engine, strays)
            screen.print(
                f"Removed {len(strays.containers)} containers, {len(strays.networks)} networks and the names of "
                f"{len(strays.images)} images."
            )
    except EngineError as error:
        raise Stop(f"the container engine: {error}") from None
    finally:
        engine.close()
    return 0


def clear(data_dir: Path, for_good: bool = False) -> int:
    """Remove every container and network of a data folder, those of running jobs and endpoints too; how many.

    What the next `samebox up` starts again needs its images: they stay, unless the folder is given up `for_good`.
    """
    instance = identity(data_dir)
    if instance is None:
        return 0
    engine = _engine(instance)
    try:
        strays = find(engine, instance, frozenset(), frozenset() if for_good else images_needed(data_dir))
        remove(engine, strays)
    except EngineError as error:
        raise Stop(f"the container engine: {error}") from None
    finally:
        engine.close()
    return len(strays.containers) + len(strays.networks)


def identity(data_dir: Path) -> str | None:
    """The id that everything of a data folder is labelled with; None when no emulator ever ran on it."""
    try:
        return (data_dir / "id").read_text().strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None


def wanted(data_dir: Path) -> frozenset[str]:
    """ARNs of all jobs that have not ended and of all endpoints, of every account and region."""
    path = data_dir / "state.sqlite"
    if not path.exists():
        return frozenset()
    store = Store(path)
    try:
        rows = [*store.find(listing.unfinished(TRAINING_JOB)), *store.find(Query(ENDPOINT.noun))]
    finally:
        store.close()
    return frozenset(row.arn for row in rows)


def images_needed(data_dir: Path) -> frozenset[str]:
    """Ids of the engine's own images that jobs, models and endpoints need."""
    path = data_dir / "state.sqlite"
    if not path.exists():
        return frozenset()
    store = Store(path)
    try:
        return frozenset(images.needed_ids(store))
    finally:
        store.close()


def find(engine: Engine, instance: str, needed: frozenset[str], images_needed: frozenset[str] = frozenset()) -> Strays:
    """What bears this data folder's label, and an ARN that is not among the needed ones; likewise images, by id."""
    label = {INSTANCE_LABEL: instance}
    return Strays(
        tuple(one for one in engine.find(label) if one.labels.get(ARN_LABEL, "") not in needed),
        tuple(one for one in engine.networks(label) if one.labels.get(ARN_LABEL, "") not in needed),
        tuple(kept_images.unneeded(engine, instance, images_needed)),
    )


def remove(engine: Engine, strays: Strays) -> None:
    """Remove them; networks last, because one in use cannot be."""
    for container in strays.containers:
        engine.remove(container.id)
    for network in strays.networks:
        engine.remove_network(network.id)
    for name in strays.images:
        engine.untag(name)


def _engine(instance: str) -> DockerEngine:
    engine = DockerEngine(instance_id=instance)
    why_not = engine.available()
    if why_not is not None:
        engine.close()
        raise Stop(f"no container engine: {why_not}")
    return engine


def _of(labels: Mapping[str, str]) -> str:
    arn = labels.get(ARN_LABEL)
    return f", of {arn}" if arn else ""


def _agree(given: bool) -> None:
    if given:
        return
    if not sys.stdin.isatty():
        raise Stop("nobody is here to agree: give --yes.", status=2)
    sys.stderr.write("Remove them? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Stop("nothing was removed.")
