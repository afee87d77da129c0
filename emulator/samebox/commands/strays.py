"""Strays: what samebox made in the container engine for a data folder, and nothing there needs any more."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from samebox.commands import display, emulators
from samebox.commands.emulators import Noted
from samebox.commands.orphans import Orphans
from samebox.commands.outcome import Stop
from samebox.containers import folder_copies, home, kept_images
from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerSummary, Engine, Network, Volume
from samebox.containers.localstack_server import LOCALSTACK_OWNER
from samebox.containers.registry_garbage import Garbage
from samebox.containers.registry_server import REGISTRY_OWNER
from samebox.data import fuse_mounts
from samebox.data.fuse_mounts import FuseMount
from samebox.resources import migration
from samebox.resources.kinds import CONTAINER_JOBS, ENDPOINT
from samebox.resources.query import Query
from samebox.resources.run_facts import job_facts
from samebox.resources.store import Resource, Store
from samebox.services import images

# What stands in the place of an ARN for the emulator's own helpers, which a running emulator needs.
HELPERS = frozenset({"", REGISTRY_OWNER, LOCALSTACK_OWNER})


NO_GARBAGE = Garbage()


T = TypeVar("T", ContainerSummary, Network)


@dataclass(frozen=True)
class Strays:
    """What would be removed."""

    containers: tuple[ContainerSummary, ...] = ()
    networks: tuple[Network, ...] = ()
    images: tuple[str, ...] = ()  # names of them
    garbage: Garbage = NO_GARBAGE
    emulators: tuple[Noted, ...] = ()  # which run without their data folder
    volumes: tuple[Volume, ...] = ()
    mounts: tuple[FuseMount, ...] = ()

    def __bool__(self) -> bool:
        in_engine = self.containers or self.networks or self.images or self.garbage or self.volumes
        return bool(in_engine or self.emulators or self.mounts)

    def with_orphans(self, orphans: Orphans) -> "Strays":
        """These and those of data folders that are gone, each once."""
        return replace(
            self,
            containers=_once(self.containers, orphans.containers),
            networks=_once(self.networks, orphans.networks),
            images=tuple(dict.fromkeys((*self.images, *orphans.images))),
            emulators=orphans.emulators,
            mounts=tuple(dict.fromkeys((*self.mounts, *orphans.mounts))),
        )

    def lines(self) -> list[str]:
        """One line for each, for a person."""
        return [
            *(
                f"emulator at {one.record.url} (process {one.record.pid}): its data folder {one.data_dir} was removed"
                for one in self.emulators
            ),
            *(f"container {one.name} ({one.status}){_of(one.labels)}" for one in self.containers),
            *(f"network {one.name}{_of(one.labels)}" for one in self.networks),
            *(f"volume {one.name}" for one in self.volumes),
            *(f"mount {one.folder}, of {one.name}" for one in self.mounts),
            *(f"image {name}" for name in self.images),
            *([str(self.garbage)] if self.garbage else []),
        ]

    def counts(self) -> str:
        """What was removed, in numbers."""
        ended = f"Ended {display.number_of(len(self.emulators), 'emulator')}. " if self.emulators else ""
        removed = [
            display.number_of(len(self.containers), "container"),
            display.number_of(len(self.networks), "network"),
            display.number_of(len(self.images), "image name"),
        ]
        return f"{ended}Removed {', '.join(removed)} and {display.number_of(self.garbage.blobs, 'blob')}."


def identity(data_dir: Path) -> str | None:
    """The id that everything of a data folder is labelled with; None when no emulator ever ran on it."""
    try:
        return (data_dir / "id").read_text().strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None


def wanted(data_dir: Path) -> frozenset[str]:
    """ARNs of all jobs that have not ended and of all endpoints, of every account and region."""

    def arns(store: Store) -> set[str]:
        return {row.arn for row in (*_unfinished_jobs(store), *store.find(Query(ENDPOINT.noun)))}

    return _in_store(data_dir, arns)


def networks_in_use(data_dir: Path) -> frozenset[str]:
    """Names of the networks of jobs that have not ended, as far as these are used by one job after another."""

    def names(store: Store) -> set[str]:
        networks = (job_facts(row).run.network for row in _unfinished_jobs(store))
        return {one for one in networks if one is not None}

    return _in_store(data_dir, names)


def _unfinished_jobs(store: Store) -> list[Resource]:
    return [row for kind in CONTAINER_JOBS for row in store.find(kind.unfinished())]


def images_needed(data_dir: Path) -> frozenset[str]:
    """Ids of the engine's own images that jobs, models and endpoints need."""
    return _in_store(data_dir, images.needed_ids)


def names_in_use(data_dir: Path) -> frozenset[str]:
    """Names of the images of jobs that have not ended and of endpoints."""
    return _in_store(data_dir, images.names_in_use)


def _in_store(data_dir: Path, ask: Callable[[Store], set[str]]) -> frozenset[str]:
    path = data_dir / "state.sqlite"
    if not path.exists():
        return frozenset()
    try:
        with TemporaryDirectory() as folder:
            if not migration.is_current(path):
                # An earlier version of samebox may run on it, or be what the user starts next: it stays as it is.
                path = migration.copy(path, Path(folder) / path.name)
            with closing(Store(path)) as store:
                return frozenset(ask(store))
    except migration.NewerSchema as error:
        raise Stop(str(error)) from None


def find(
    engine: Engine,
    instance: str,
    needed: frozenset[str],
    images_needed: frozenset[str] = frozenset(),
    networks_in_use: frozenset[str] = frozenset(),
) -> Strays:
    """What bears this data folder's label, and an ARN that is not among the needed ones; likewise images, by id.

    Networks that jobs use one after another bear no ARN: they are known by their names.
    """
    label = {INSTANCE_LABEL: instance}
    return Strays(
        tuple(one for one in engine.find(label) if one.labels.get(ARN_LABEL, "") not in needed),
        tuple(
            one
            for one in engine.networks(label)
            if one.labels.get(ARN_LABEL, "") not in needed and one.name not in networks_in_use
        ),
        tuple(kept_images.unneeded(engine, instance, images_needed)),
        # Copies of folders that a container has go with it; these were left by an interrupted creation.
        volumes=tuple(folder_copies.unused(engine, label)),
    )


def mounts(data_dir: Path, needed: frozenset[str]) -> tuple[FuseMount, ...]:
    """What is mounted below a data folder for jobs that are not among the needed ones."""
    return tuple(one for one in fuse_mounts.below(data_dir) if one.name not in needed)


def remove(engine: Engine, strays: Strays) -> None:
    """End and remove them; networks after containers, because one in use cannot be removed."""
    for one in strays.emulators:
        emulators.end(one.record)
    for container in strays.containers:
        engine.remove(container.id)
    for mount in strays.mounts:
        fuse_mounts.unmount(mount.folder)
    for network in strays.networks:
        engine.remove_network(network.id)
    for volume in strays.volumes:
        engine.remove_volume(volume.name)
    for name in strays.images:
        engine.untag(name)


def _of(labels: Mapping[str, str]) -> str:
    arn, its = labels.get(ARN_LABEL), home.of(labels)
    gone = f", of {its.folder}, which is gone" if its and identity(its.folder) != its.instance else ""
    return f", of {arn}{gone}" if arn else gone


def _once(*many: Iterable[T]) -> tuple[T, ...]:
    """Each of them once; containers and networks are known by their ids."""
    return tuple({one.id: one for some in many for one in some}.values())
