"""Channels: what CreateTrainingJob's InputDataConfig asks for, as a list of files, and the files on the disk."""

from __future__ import annotations

import random
import re
import shutil
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from samebox.data import manifests
from samebox.data.objects import Cancelled, DiskFull, Location, Object, disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from samebox.data.objects import Objects

    Fetch = Callable[[Object, Path, Event], object]  # makes a file of an object, until the event is set

NAME_BYTES = 255
Item = TypeVar("Item")

LARGE_BYTES, LARGE_FILES = 16 * 1024 * 1024, 1000
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")  # SM:Channel.ChannelName
# As on AWS, whatever the umask (contract §1.2).
DIRECTORY_MODE, FILE_MODE = 0o755, 0o644
# How soon a wish to stop reaches the threads that move bytes.
_POLL_SECONDS = 0.1


class ChannelError(Exception):
    """The channel's objects cannot be laid out as files; the message names the channel and the key."""


@dataclass(frozen=True)
class ChannelFile:
    """One object and where it goes, relative to the channel's directory."""

    object: Object
    path: str


@dataclass(frozen=True)
class ChannelPlan:
    """A File mode channel: its files and its manifest, nothing done yet."""

    name: str
    files: tuple[ChannelFile, ...]
    directories: tuple[str, ...]
    manifest: bytes

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.object.size for file in self.files)

    @property
    def is_large(self) -> bool:
        """Whether it is better mounted than copied: a mount takes some time, too."""
        return self.size >= LARGE_BYTES or len(self.files) >= LARGE_FILES


@dataclass(frozen=True)
class ChannelLayout:
    """What is not known of AWS's channels, as settings choose it (contract §1.5).

    `in_blocks`: a host of a sharded channel gets objects that follow one another. `whole_segments`: a prefix that ends
    inside a path segment keeps that segment in the names of files.
    """

    in_blocks: bool = False
    whole_segments: bool = True


DEFAULT_LAYOUT = ChannelLayout()


def check_names(names: Collection[str]) -> None:
    """Raise ChannelError for a name that CreateTrainingJob refuses, or that would be another place in a job's data."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ChannelError(f"Channel {name!r}: a name has 1 to 64 letters, digits, '.', '_' and '-'.")
        if name in (".", ".."):
            raise ChannelError(f"Channel {name!r}: a channel is a directory of its name.")
        if f"{name}-manifest" in names:
            raise ChannelError(f"Channel {name}-manifest has the name of the manifest of channel {name}.")


def find(channel: Mapping[str, Any], objects: Objects, layout: ChannelLayout = DEFAULT_LAYOUT) -> ChannelPlan:
    """Look up what one InputDataConfig element names, and lay it out (contract §1.5).

    All of it, whatever its S3DataDistributionType: see `share`. Raises ChannelError where the channel names
    nothing, or cannot be laid out as files; NoSuchKey for an object that a manifest names and that is not there; and
    what Objects.list raises. What is not run of channels was refused by CreateTrainingJob.
    """
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    found, prefix = listed(channel, objects)
    found = shuffled(found, seed(channel))
    if prefix is None:
        return plan(channel, found, layout)
    return _layout(
        channel["ChannelName"],
        Location.parse(uri).key,
        found,
        lambda key: _local_path(prefix, key, whole_segments=False),
    )


def listed(channel: Mapping[str, Any], objects: Objects) -> tuple[tuple[Object, ...], str | None]:
    """The objects that an S3Prefix or a ManifestFile names, and the prefix that the manifest cuts off their keys.

    Raises what `find` does.
    """
    name, source = channel["ChannelName"], channel["DataSource"]["S3DataSource"]
    uri = source["S3Uri"]
    if source.get("S3DataType", "S3Prefix") != "ManifestFile":
        found = objects.list(uri)
        if not found:
            raise ChannelError(f'No S3 objects found under S3 URL "{uri}"')
        return found, None
    try:
        manifest = manifests.read(uri, objects.get(uri))
    except (manifests.BadManifest, ValueError) as error:
        raise ChannelError(f"Channel {name}: {error}") from None
    return manifests.listed(manifest, objects), Location.parse(manifest.prefix).key


def is_sharded(channel: Mapping[str, Any]) -> bool:
    """Whether each host gets a share of the objects only (ShardedByS3Key)."""
    source = channel["DataSource"].get("S3DataSource", {})
    return bool(source.get("S3DataDistributionType") == "ShardedByS3Key")


def seed(channel: Mapping[str, Any]) -> int | None:
    """The seed of the order in which its objects are listed or sent; None where that is the order of their keys."""
    config = channel.get("ShuffleConfig")
    return config["Seed"] if config else None


def shuffled(items: Sequence[Item], seed: int | None, epoch: int = 0) -> tuple[Item, ...]:
    """The order that a seed gives in an epoch, the same each time. How AWS makes one of a seed is not known."""
    wanted = list(items)
    if seed is not None:
        random.Random(f"{seed}/{epoch}").shuffle(wanted)  # noqa: S311  an order, not a secret
    return tuple(wanted)


def share(plan: ChannelPlan, host: int, hosts: int, layout: ChannelLayout = DEFAULT_LAYOUT) -> ChannelPlan:
    """What one of several hosts gets of a sharded channel; hosts are counted from 0.

    The manifest lists the whole channel (observed 2020).
    """
    return replace(plan, files=dealt(plan.files, host, hosts, layout), directories=())


def dealt(items: Sequence[Item], host: int, hosts: int, layout: ChannelLayout = DEFAULT_LAYOUT) -> tuple[Item, ...]:
    """What one of several hosts gets of these. Which goes where is not known beyond that algo-1 got the first of two:
    by default they are dealt out in turn, in the order of their keys (contract §1.5)."""
    if not layout.in_blocks:
        return tuple(items[host::hosts])
    size, larger = divmod(len(items), hosts)
    start = host * size + min(host, larger)
    return tuple(items[start : start + size + (host < larger)])


def plan(channel: Mapping[str, Any], objects: Sequence[Object], layout: ChannelLayout = DEFAULT_LAYOUT) -> ChannelPlan:
    """Lay out what `Objects.list` gave for an S3Prefix, by contract §1.5. Raises ChannelError.

    What the contract leaves open, and is our choice: a prefix that ends inside a path segment keeps that segment whole
    (`s3://b/data/tr` gives `train/a` and `tr.csv`); an empty object whose key ends with `/` is a directory.
    """
    prefix = Location.parse(channel["DataSource"]["S3DataSource"]["S3Uri"]).key
    whole = layout.whole_segments
    return _layout(str(channel["ChannelName"]), prefix, objects, lambda key: _local_path(prefix, key, whole))


def checkpoints(request: Mapping[str, Any], objects: Sequence[Object]) -> ChannelPlan:
    """What CheckpointConfig.S3Uri holds, laid out for LocalPath (contract §1.10). Raises ChannelError."""
    prefix = Location.parse(request["CheckpointConfig"]["S3Uri"]).key
    return _layout("checkpoints", prefix, objects, lambda key: _local_path(prefix, key))


def _layout(name: str, key_of_source: str, objects: Sequence[Object], local_path: Callable[[str], str]) -> ChannelPlan:
    files: list[ChannelFile] = []
    directories: list[str] = []
    objects = tuple({one.uri: one for one in objects}.values())  # a manifest may name one twice: it is one file
    for one in objects:
        path = local_path(one.key)
        if one.key.endswith("/") or not path:
            if one.size:
                raise ChannelError(f"Channel {name}: {one.uri} has {one.size} bytes and a directory's name.")
            path = path.rstrip("/")
            if path:
                _check(name, one, path)
                directories.append(path)
        else:
            _check(name, one, path)
            files.append(ChannelFile(one, path))
    _check_clashes(name, files, directories)
    manifest = "".join(f"{line}\n" for line in [key_of_source, *(one.uri for one in objects)])
    return ChannelPlan(name, tuple(files), tuple(directories), manifest.encode())


def download(
    plans: Sequence[ChannelPlan],
    objects: Objects,
    data_directory: Path,
    volume_bytes: int | None = None,
    cancelled: Event | None = None,
    streams: int = 4,  # threads share one interpreter: eight are slower than four, for large objects and a local server
) -> None:
    """Make `<data_directory>/<channel>/…` and `<channel>-manifest` for every plan.

    `volume_bytes` is what all of them together may take (VolumeSizeInGB). What an earlier, interrupted call left
    complete is kept, the rest is fetched again, and what is not planned is removed. Raises DiskFull, NoSuchKey,
    NoSuchBucket, S3AccessDenied, Unreachable, Cancelled; ChannelError where check_names does.
    """
    check(plans, data_directory, volume_bytes)
    with disk_errors(data_directory):
        _download({data_directory / one.name: one for one in plans}, objects, cancelled, streams)
    write_manifests(plans, data_directory)


def check(plans: Sequence[ChannelPlan], data_directory: Path, volume_bytes: int | None) -> None:
    """Raise DiskFull where all of them together are more than the volume, and what check_names does."""
    check_names([one.name for one in plans])
    needed = sum(one.size for one in plans)
    if volume_bytes is not None and needed > volume_bytes:
        raise DiskFull(str(data_directory), needed, volume_bytes)


def write_manifests(plans: Sequence[ChannelPlan], data_directory: Path) -> None:
    """Make `<channel>-manifest` of each. To be called last, so that a manifest means that its channel is complete."""
    with disk_errors(data_directory):
        for one in plans:
            manifest = data_directory / f"{one.name}-manifest"
            manifest.write_bytes(one.manifest)
            manifest.chmod(FILE_MODE)


def fill(plan: ChannelPlan, fetch: Fetch, directory: Path, cancelled: Event | None = None, streams: int = 4) -> None:
    """Make `directory` hold what is planned, each file by `fetch`. Raises what that does, and Cancelled."""
    with disk_errors(directory):
        _fetch(_missing({directory: plan}), fetch, cancelled, streams)


def restore(
    plan: ChannelPlan, objects: Objects, directory: Path, cancelled: Event | None = None, streams: int = 4
) -> None:
    """Make `directory` hold what is planned, without a manifest: for checkpoints, before the first start."""
    with disk_errors(directory):
        _download({directory: plan}, objects, cancelled, streams)


def _download(plans: Mapping[Path, ChannelPlan], objects: Objects, cancelled: Event | None, streams: int) -> None:
    missing = _missing(plans)
    wanted = sum(item.size for item, _ in missing)
    for root in plans:
        if wanted > (free := shutil.disk_usage(root).free):
            raise DiskFull(str(root), wanted, free)
    _fetch(missing, objects.download, cancelled, streams)


def _missing(plans: Mapping[Path, ChannelPlan]) -> list[tuple[Object, Path]]:
    """Make the directories, remove what is not planned, and give the files that are not there."""
    missing: list[tuple[Object, Path]] = []
    for root, one in plans.items():
        _remove_unplanned(root, one)
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(DIRECTORY_MODE)
        for directory in sorted(_directories(one)):
            (root / directory).mkdir(exist_ok=True)
            (root / directory).chmod(DIRECTORY_MODE)
        missing.extend((file.object, root / file.path) for file in one.files if not _is_there(file, root / file.path))
    return missing


def _local_path(prefix: str, key: str, whole_segments: bool = True) -> str:
    rest = key[len(prefix) :]
    if not prefix or prefix.endswith("/"):
        return rest
    if rest.startswith("/"):
        return rest[1:]
    if rest and not whole_segments:
        return rest
    return prefix.rpartition("/")[2] + rest


def _check(channel: str, one: Object, path: str) -> None:
    if "//" in f"/{one.key}":
        # AWS's text, as reported in 2026 (aws-samples/generative-ai-on-amazon-sagemaker, issue 242).
        raise ChannelError(f"Failed to download data. S3 key: {one.uri} has an illegal char sub-sequence '//' in it")
    for part in path.split("/"):
        if part in ("", ".", "..") or "\0" in part:
            raise ChannelError(f"Channel {channel}: {one.uri} cannot be a file: its name has the part {part!r}.")
        if len(part.encode()) > NAME_BYTES:
            raise ChannelError(f"Channel {channel}: {one.uri} cannot be a file: a part is longer than 255 bytes.")


def _check_clashes(channel: str, files: Sequence[ChannelFile], directories: Sequence[str]) -> None:
    taken: dict[str, Object] = {}
    for file in files:
        if file.path in taken:
            both = f"{taken[file.path].uri} and {file.object.uri}"
            raise ChannelError(f"Channel {channel}: {both} are both the file {file.path}.")
        taken[file.path] = file.object
    for path in {*(file.path.rpartition("/")[0] for file in files), *directories}:
        for directory in _upwards(path):
            if directory in taken:
                raise ChannelError(
                    f"Channel {channel}: {taken[directory].uri} is a file and a directory of other objects."
                )


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _directories(one: ChannelPlan) -> set[str]:
    parents = {file.path.rpartition("/")[0] for file in one.files}
    return {above for path in {*parents, *one.directories} for above in _upwards(path)}


def _is_there(file: ChannelFile, path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    # download() gives each file its object's time; listings know it to the second only on some servers.
    return found.st_size == file.object.size and abs(found.st_mtime - file.object.modified) < 1


def _remove_unplanned(root: Path, one: ChannelPlan) -> None:
    if not root.exists():
        return
    files = {file.path for file in one.files}
    directories = _directories(one)
    for path in sorted(root.rglob("*"), reverse=True):
        name = path.relative_to(root).as_posix()
        if path.is_dir() and not path.is_symlink():
            if name not in directories:
                path.rmdir()
        elif name not in files:
            path.unlink()


def _fetch(missing: Sequence[tuple[Object, Path]], fetch: Fetch, cancelled: Event | None, streams: int) -> None:
    if cancelled is not None and cancelled.is_set():
        raise Cancelled("cancelled before bytes were moving")
    stop = threading.Event()
    lock = threading.Lock()
    todo = iter(missing)

    def work() -> None:
        while not stop.is_set():
            with lock:
                item, path = next(todo, (None, None))
            if item is None or path is None:
                return
            fetch(item, path, stop)

    with ThreadPoolExecutor(min(streams, len(missing)) or 1, "channel") as pool:
        workers = {pool.submit(work) for _ in range(min(streams, len(missing)))}
        waiting = workers
        try:
            while waiting:
                done, waiting = wait(waiting, _POLL_SECONDS, FIRST_EXCEPTION)
                if any(one.exception() for one in done):
                    break
                if cancelled is not None and cancelled.is_set():
                    break
        finally:
            if waiting:
                stop.set()
    # The first real reason; the others only followed the stop.
    reasons = [reason for one in workers if (reason := one.exception())]
    for reason in sorted(reasons, key=lambda one: isinstance(one, Cancelled)):
        raise reason
    if stop.is_set():
        raise Cancelled("cancelled while bytes were moving")
