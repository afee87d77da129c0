"""Emulators whose data folder is gone, and the containers and networks that they left in the engine."""

from dataclasses import dataclass
from pathlib import Path

from samebox.commands import emulators, where
from samebox.commands.emulators import Noted
from samebox.commands.outcome import Stop
from samebox.containers import home, metadata_network
from samebox.containers.engine import IMAGE_ID, ContainerSummary, Engine, Network
from samebox.containers.home import HOME_LABEL, Home
from samebox.data import fuse_mounts
from samebox.data.fuse_mounts import FuseMount

_ASK_SECONDS = 2.0


@dataclass(frozen=True)
class Orphans:
    """`images`: names, by digest, of what the containers ran; nothing can be pulled again by them.

    `mounts`: of jobs, below data folders that were removed but for these.
    """

    emulators: tuple[Noted, ...] = ()
    containers: tuple[ContainerSummary, ...] = ()
    networks: tuple[Network, ...] = ()
    images: tuple[str, ...] = ()
    mounts: tuple[FuseMount, ...] = ()


def find(engine: Engine, folder: Path | None = None) -> Orphans:
    """Everything of emulators of this machine that have lost this data folder; by default, whichever it was."""
    running = emulators.running()
    lost = tuple(one for one in running if one.has_lost_its_folder and folder in (None, one.data_dir))
    verdicts: dict[Home, bool] = {}

    def is_orphan(one: ContainerSummary | Network) -> bool:
        its = home.of(one.labels)
        if its is None or folder not in (None, its.folder):
            return False
        if its not in verdicts:
            verdicts[its] = is_gone(its, lost)
        return verdicts[its]

    containers = tuple(one for one in engine.find({HOME_LABEL: None}) if is_orphan(one))
    networks = tuple(one for one in engine.networks({HOME_LABEL: None}) if is_orphan(one))
    if len(running) > len(lost):
        # The running emulator may use it, even if another one made it.
        networks = tuple(one for one in networks if one.name != metadata_network.NAME)
    images = {one.image for one in containers if one.image.startswith("localhost:") and f"@{IMAGE_ID}" in one.image}
    return Orphans(lost, containers, networks, tuple(sorted(images)), _mounts(folder))


def _mounts(folder: Path | None) -> tuple[FuseMount, ...]:
    found = []
    for one in fuse_mounts.mounted():
        # A channel may be called "jobs", too.
        data_dirs = [above.parent for above in one.folder.parents if above.name == "jobs"]
        is_meant = bool(data_dirs) if folder is None else folder in data_dirs
        if is_meant and not any((data_dir / "id").exists() for data_dir in data_dirs):
            found.append(one)
    return tuple(found)


def is_gone(its: Home, lost: tuple[Noted, ...]) -> bool:
    """Whether the data folder of something is gone, and no emulator goes on working without it but those `lost`.

    In doubt it is not: what belongs to an emulator that runs is not touched.
    """
    if not its.is_on_this_host:
        return False
    try:
        found = (its.folder / "id").read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        found = ""
    except OSError:
        return False
    if found == its.instance:
        return False
    if any(one.data_dir == its.folder for one in lost):
        return True
    try:
        said = where.ask(its.url, _ASK_SECONDS)
    except Stop:
        return False  # an emulator that does not identify its data folder
    if said is None:
        return not where.is_emulator(its.url, _ASK_SECONDS)
    return said.get("id") != its.instance
