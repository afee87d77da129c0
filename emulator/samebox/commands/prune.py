"""`samebox prune`: removes what samebox made and nothing running needs, or whose data folder is gone."""

import argparse
import fcntl
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from samebox.commands import emulators, orphans, where
from samebox.commands.emulators import Noted
from samebox.commands.outcome import Stop
from samebox.commands.strays import (
    HELPERS,
    NO_GARBAGE,
    Strays,
    find,
    identity,
    images_needed,
    mounts,
    names_in_use,
    networks_in_use,
    remove,
    wanted,
)
from samebox.containers import metadata_network, pulled_images, registry_garbage
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, Engine, EngineError
from samebox.containers.registry_server import REGISTRY_OWNER
from samebox.data.fuse_mounts import MountError
from samebox.settings import Settings

GARBAGE_STAYS = (
    "It stays as long as an emulator runs, as a push may be under way: `samebox down`, then `samebox prune`."
)


def run(given: argparse.Namespace) -> int:
    settings = where.settings(data_dir=given.data_dir)
    screen = Console(soft_wrap=True)
    instance = identity(settings.data_dir)
    engine = _engine(instance or "")
    try:
        strays = _strays(engine, settings, instance) if instance else Strays()
        strays = strays.with_orphans(orphans.find(engine))
        for line in strays.lines():
            screen.print(line, highlight=False, markup=False)
        if strays.garbage and where.record(settings.data_dir) is not None:
            screen.print(GARBAGE_STAYS, highlight=False)
            strays = replace(strays, garbage=NO_GARBAGE)
        if not strays:
            why = "" if instance else f"; no emulator ever ran on {settings.data_dir}"
            screen.print(f"Nothing to remove{why}.", highlight=False)
        elif not given.dry_run:
            _agree(given.yes)
            remove(engine, strays)
            if strays.garbage and instance:
                _collect(engine, settings, instance)
            screen.print(strays.counts(), highlight=False)
    except EngineError as error:
        raise Stop(f"the container engine: {error}") from None
    except MountError as error:
        raise Stop(str(error)) from None
    finally:
        engine.close()
    return 0


def of_emulator(data_dir: Path) -> Strays:
    """What an emulator of this machine does not need, but for names of images and the registry's garbage.

    It gives up the images that it keeps by itself, when it keeps another: until then they are a cache.
    """
    instance = identity(data_dir) or ""
    engine = _engine(instance)
    try:
        return replace(_own(engine, data_dir, instance), images=())
    except EngineError as error:
        raise Stop(f"the container engine: {error}") from None
    finally:
        engine.close()


def _own(engine: Engine, data_dir: Path, instance: str) -> Strays:
    needed, networks = wanted(data_dir), networks_in_use(data_dir)
    if where.record(data_dir) is not None:
        needed |= HELPERS
    found = find(engine, instance, needed, images_needed(data_dir), networks)
    return replace(_unshared(found, _others(data_dir)), mounts=mounts(data_dir, needed))


def _strays(engine: Engine, settings: Settings, instance: str) -> Strays:
    """What a data folder that is there does not need."""
    data_dir, others = settings.data_dir, _others(settings.data_dir)
    garbage = registry_garbage.find(engine, settings.registry_image, data_dir / "registry", instance)
    strays = replace(_own(engine, data_dir, instance), garbage=garbage)
    port = _port(data_dir)
    if port is None or any(urlsplit(one.record.url).port == port for one in others):
        return strays
    pulled = pulled_images.unneeded(engine, f"localhost:{port}", names_in_use(data_dir))
    return replace(strays, images=(*strays.images, *pulled))


def _collect(engine: Engine, settings: Settings, instance: str) -> None:
    """Have the registry's garbage removed while no emulator can start on the data folder."""
    with (settings.data_dir / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(GARBAGE_STAYS) from None
        registry_garbage.collect(engine, settings.registry_image, settings.data_dir / "registry", instance)


def clear(data_dir: Path, for_good: bool = False) -> int:
    """Remove every container and network of a data folder, those of running jobs and endpoints too; how many.

    What the next `samebox up` starts again needs its images: they stay, unless the folder is given up `for_good`.
    """
    instance = identity(data_dir)
    if instance is None and data_dir.exists():
        return 0
    engine = _engine(instance or "")
    try:
        if instance is None:
            strays = Strays().with_orphans(orphans.find(engine, data_dir.resolve()))
        else:
            strays = find(engine, instance, frozenset(), frozenset() if for_good else images_needed(data_dir))
            strays = replace(strays, mounts=mounts(data_dir, frozenset()))
        strays = _unshared(strays, _others(data_dir))
        remove(engine, strays)
    except EngineError as error:
        raise Stop(f"the container engine: {error}") from None
    except MountError as error:
        raise Stop(str(error)) from None
    finally:
        engine.close()
    return len(strays.containers) + len(strays.networks)


def remove_helpers(data_dir: Path) -> bool:
    """Remove the registry of an emulator that was killed; whether there was one. Without an engine there is none."""
    instance = identity(data_dir)
    if instance is None:
        return False
    engine = DockerEngine(instance_id=instance)
    try:
        if engine.available() is not None:
            return False
        found = engine.find({INSTANCE_LABEL: instance, ARN_LABEL: REGISTRY_OWNER})
        remove(engine, Strays(tuple(found)))
    except EngineError as error:
        raise Stop(f"the container engine: {error}") from None
    finally:
        engine.close()
    return bool(found)


def _port(data_dir: Path) -> int | None:
    """The port of the last emulator of a data folder."""
    try:
        return int((data_dir / "port").read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _others(data_dir: Path) -> list[Noted]:
    """Emulators that run on other data folders."""
    return [one for one in emulators.running() if one.data_dir != data_dir.resolve()]


def _unshared(strays: Strays, others: Sequence[Noted]) -> Strays:
    """Without anything that another emulator may use."""
    if not others:
        return strays
    return replace(strays, networks=tuple(one for one in strays.networks if one.name != metadata_network.NAME))


def _engine(instance: str) -> DockerEngine:
    engine = DockerEngine(instance_id=instance)
    why_not = engine.available()
    if why_not is not None:
        engine.close()
        raise Stop(f"no container engine: {why_not}")
    return engine


def _agree(given: bool) -> None:
    if given:
        return
    if not sys.stdin.isatty():
        raise Stop("there is no terminal to confirm that on: give --yes.", status=2)
    sys.stderr.write("Remove them? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Stop("nothing was removed.")
