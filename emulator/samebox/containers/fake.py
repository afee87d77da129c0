"""An engine in memory, for tests: an image is a set of Python functions, a container is a thread that runs one.

    engine = FakeEngine(tmp_path)
    engine.add_image("digits:1", {"train": train})        # train(process: Process) -> int | None, the exit code
    engine.add_image("digits:1", {"serve": lambda process: process.serve(answer)})

It passes the suite that Docker passes (tests/containers/test_engine.py).
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import shutil
import tarfile
import time
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from samebox.containers.engine import (
    Capacity,
    ContainerMissing,
    ContainerSpec,
    ContainerState,
    ContainerSummary,
    EngineError,
    EngineUnavailable,
    ImageFacts,
    ImageMissing,
    LogLine,
    Mount,
    NameTaken,
    Network,
    PathMissing,
    RunningProcess,
    StartFailed,
    Volume,
)
from samebox.containers.fake_process import Changes, Container, FakeImage, FakeLogs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from pathlib import Path

    from samebox.containers.engine import PullProgress
    from samebox.containers.fake_process import Program


class FakeEngine:
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
        self._root = root
        self._shares_disk = shares_disk
        self._volumes: dict[str, Volume] = {}
        self.unavailable: str | None = None
        self.pulled: list[str] = []
        self._capacity = capacity or Capacity(cpus=64, memory_bytes=512 << 30, gpus=0)
        self._clock = clock
        self._changed = Changes()
        self._numbers = itertools.count(1)
        self._images: dict[str, FakeImage] = {}
        self._remote: dict[str, FakeImage] = {}
        self._containers: dict[str, Container] = {}
        self._networks: dict[str, Network] = {}
        self.exports: dict[str, bytes] = {}  # reference -> what `export` gives, where a test cares

    # What a test arranges

    def add_image(
        self,
        reference: str,
        programs: Mapping[str, Program],
        entrypoint: tuple[str, ...] | None = None,
        command: tuple[str, ...] | None = None,
        stop_signal: str = "SIGTERM",
        remote: bool = False,
        **facts: object,
    ) -> ImageFacts:
        """`programs`: by the name they have "on PATH"; ANY takes every command. `remote`: it has to be pulled."""
        known = ImageFacts(
            id=f"sha256:{next(self._numbers):064x}", tags=(reference,), entrypoint=entrypoint, command=command
        )
        image = FakeImage(replace(known, **facts), dict(programs), stop_signal)  # type: ignore[arg-type]
        (self._remote if remote else self._images)[reference] = image
        return image.facts

    def programs_of(self, reference: str) -> dict[str, Program]:
        """To add programs to an image."""
        return self._images[reference].programs

    def set_capacity(self, capacity: Capacity) -> None:
        """What its host has from now on."""
        self._capacity = capacity

    def remove_image(self, reference: str) -> None:
        del self._images[reference]

    def spec_of(self, container: str) -> ContainerSpec:
        return self._get(container).spec

    def give_up_start(self, container: str) -> None:
        """The state of a container in Docker when the client that requested its start dies before the response."""
        self._get(container).give_up_start()

    # The Engine protocol

    def available(self) -> str | None:
        return self.unavailable

    def capacity(self) -> Capacity:
        self._answer()
        return self._capacity

    def image(self, reference: str) -> ImageFacts | None:
        found = self._image(reference)
        return found.facts if found else None

    def pull(
        self,
        reference: str,
        username: str | None = None,  # noqa: ARG002
        password: str | None = None,  # noqa: ARG002
        progress: Callable[[PullProgress], None] | None = None,  # noqa: ARG002
    ) -> ImageFacts:
        self._answer()
        if reference not in self._remote:
            raise ImageMissing(reference, f"manifest for {reference} not found: manifest unknown")
        self.pulled.append(reference)
        self._images[reference] = self._remote[reference]
        return self._images[reference].facts

    def export(self, reference: str) -> BinaryIO:
        image = self._image(reference)
        if image is None:
            raise ImageMissing(reference)
        return io.BytesIO(self.exports.get(reference) or _saved(reference, image.facts))

    def tag(self, image: str, name: str) -> None:
        found = self._image(image)
        if found is None:
            raise ImageMissing(image)
        with self._changed:
            tags = tuple(sorted({*(tag for tag in found.facts.tags if tag != name), name}))
            tagged = replace(found, facts=replace(found.facts, tags=tags))
            # An image is kept once for each of its names.
            again = {one: tagged for one, image in self._images.items() if image.facts.id == found.facts.id}
            self._images = {**self._images, **again, name: tagged}

    def untag(self, name: str) -> None:
        found = self._image(name)
        if found is None:
            return
        with self._changed:
            is_last = set(found.facts.tags) == {name}
            if is_last and any(one.image.facts.id == found.facts.id for one in self._containers.values()):
                return
            left = replace(found, facts=replace(found.facts, tags=tuple(t for t in found.facts.tags if t != name)))
            self._images = {
                one: left if image.facts.id == found.facts.id else image
                for one, image in self._images.items()
                if one != name
            }

    def tags(self, repository: str) -> list[str]:
        self._answer()
        names = {tag for image in self._images.values() for tag in image.facts.tags}
        return sorted(name for name in names if name.rpartition(":")[0] == repository)

    def untagged(self, registry: str) -> list[str]:
        self._answer()
        tags = {tag for image in self._images.values() for tag in image.facts.tags}
        repositories = {tag.rpartition(":")[0] for tag in tags}
        names = [name for name in self._images if name.startswith(f"{registry}/") and "@" in name]
        return sorted(name for name in names if name.partition("@")[0] not in repositories)

    def create(self, spec: ContainerSpec) -> str:
        image = self._image(spec.image)
        if image is None:
            raise ImageMissing(spec.image)
        for mount in spec.mounts:
            if not mount.source.exists():
                raise StartFailed(
                    'invalid mount config for type "bind": bind source path does not exist: ' + str(mount.source)
                )
        with self._changed:
            identity = f"{next(self._numbers):064x}"
            name = spec.name or f"fake_{identity[-8:]}"
            taken = [one for one in self._containers.values() if one.state.name == name]
            if taken:
                raise NameTaken(
                    f'Conflict. The container name "/{name}" is already in use by container "{taken[0].state.id}". '
                    "You have to remove (or rename) that container to be able to reuse that name."
                )
            state = ContainerState(
                identity, name, "created", created_at=self._clock(), image=spec.image, labels=dict(spec.labels)
            )
            own = self._root / identity[-12:]
            (own / "tmp").mkdir(parents=True)  # every image has one
            mounts = {mount.target: self._source(mount, own) for mount in spec.mounts}
            mounts |= {one.target: self._volume_folder(one.volume.name) for one in spec.volumes}
            self._containers[identity] = Container(spec, image, state, self._changed, self._clock, own, mounts)
        return identity

    def start(self, container: str) -> None:
        found = self._get(container)
        wanted = found.spec.network
        # At the start and not before, as Docker does.
        if wanted not in {"bridge", "none"} and not any(wanted in (one.name, one.id) for one in self.networks({})):
            raise StartFailed(f"network {wanted} not found")
        found.start()

    def run(self, spec: ContainerSpec) -> str:
        container = self.create(spec)
        try:
            self.start(container)
        except EngineError:
            self.remove(container)
            raise
        return container

    def inspect(self, container: str) -> ContainerState:
        return self._get(container).state

    def processes(self, container: str) -> tuple[RunningProcess, ...]:
        found = self._get(container)
        if not found.state.running:
            return ()
        return (RunningProcess(1, " ".join((*(found.spec.entrypoint or ()), *(found.spec.command or ()))), 0),)

    def find(self, labels: Mapping[str, str | None]) -> list[ContainerSummary]:
        self._answer()
        with self._changed:
            states = [container.state for container in self._containers.values()]
        return [
            ContainerSummary(one.id, one.name, one.status, one.image, one.labels, one.created_at)
            for one in states
            if _carries(one.labels, labels)
        ]

    def address(self, container: str, port: int) -> tuple[str, int]:
        found = self._get(container)
        if not found.state.running or port not in found.spec.publish:
            raise EngineError(f"There is no way to port {port} of container {container[:12]} ({found.state.status}).")
        return ("127.0.0.1", found.ports[port].getsockname()[1])

    def wait(self, container: str, timeout_seconds: float) -> ContainerState | None:
        found = self._get(container)
        with self._changed:
            self._changed.wait_for(lambda: not found.state.running, timeout_seconds)
            return None if found.state.running else found.state

    def stop(self, container: str, grace_seconds: int, signal: str | None = None) -> None:
        found = self._get(container)
        self.kill(container, signal or found.spec.stop_signal or found.image.stop_signal)
        if self.wait(container, grace_seconds) is None:
            found.end(137)

    def kill(self, container: str, signal: str = "SIGKILL") -> None:
        self._get(container).signal(signal)

    def remove(self, container: str) -> None:
        with contextlib.suppress(ContainerMissing):
            found = self._get(container)
            with self._changed:
                # A caller that is notified of its end finds it gone.
                found.removed = True
                self._containers.pop(found.state.id, None)
                found.signal("SIGKILL")
                self._changed.notify_all()

    def logs(self, container: str, since: int | None = None, follow: bool = False) -> FakeLogs:
        return FakeLogs(self._get(container), since if since is not None else -1, follow)

    async def follow(self, container: str, since: int | None = None) -> AsyncGenerator[Sequence[LogLine], None]:
        found, read_to = self._get(container), -1 if since is None else since
        while True:
            await self._changed.until(partial(found.has_news, read_to))
            is_over = not found.state.running or found.removed
            if lines := found.lines_after(read_to):
                read_to = lines[-1].time
                yield lines
            elif is_over:
                return

    async def ended(self, container: str) -> ContainerState:
        found = self._get(container)
        await self._changed.until(lambda: not found.state.running or found.removed)
        return self._get(found.state.id).state

    def archive(self, container: str, path: str) -> BinaryIO:
        found = self._get(container)
        top = found.path(path)
        name = PurePosixPath(path).name
        below = path.rstrip("/") + "/"
        nested = {target: source for target, source in found.mounts.items() if target.startswith(below)}
        if not top.exists() and not nested:
            raise PathMissing(f"Could not find the file {path} in container {container}")
        spool = io.BytesIO()
        with tarfile.open(fileobj=spool, mode="w") as tar:
            if top.exists():
                tar.add(top, name)
            for target, source in nested.items():
                tar.add(source, str(PurePosixPath(name) / PurePosixPath(target).relative_to(path)))
        spool.seek(0)
        return spool

    def put(self, container: str, path: str, tar: BinaryIO) -> None:
        found = self._get(container)
        target = found.path(path)
        if not target.is_dir():
            raise PathMissing(f"Could not find the file {path} in container {container}")
        with tarfile.open(fileobj=tar, mode="r|*") as archive:
            archive.extractall(target, filter="tar")

    def networks(self, labels: Mapping[str, str | None]) -> list[Network]:
        self._answer()
        return [network for network in self._networks.values() if _carries(network.labels, labels)]

    def create_network(
        self,
        name: str,
        labels: Mapping[str, str],
        internal: bool = False,  # noqa: ARG002
        gateway: str | None = None,  # noqa: ARG002
    ) -> Network:
        self._answer()
        with self._changed:
            if name in self._networks:
                raise NameTaken(f"network with name {name} already exists")
            self._networks[name] = Network(f"{next(self._numbers):064x}", name, dict(labels))
            return self._networks[name]

    def remove_network(self, network: str) -> None:
        self._answer()
        with self._changed:
            self._networks = {name: one for name, one in self._networks.items() if network not in (name, one.id)}

    def shares_disk(self) -> bool:
        self._answer()
        return self._shares_disk

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Volume:
        self._answer()
        with self._changed:
            self._volume_folder(name).mkdir(parents=True, exist_ok=True)
            return self._volumes.setdefault(name, Volume(name, dict(labels)))

    def volumes(self, labels: Mapping[str, str | None], unused: bool = False) -> list[Volume]:
        self._answer()
        with self._changed:
            used = {one.volume.name for container in self._containers.values() for one in container.spec.volumes}
            found = [volume for volume in self._volumes.values() if _carries(volume.labels, labels)]
        return [volume for volume in found if not unused or volume.name not in used]

    def put_files(self, volume: Volume, image: str, tar: BinaryIO) -> None:
        self._required(image)
        with tarfile.open(fileobj=tar, mode="r|*") as archive:
            archive.extractall(self._volume_folder(volume.name), filter="tar")

    def files(self, volume: Volume, image: str) -> BinaryIO:
        self._required(image)
        spool = io.BytesIO()
        with tarfile.open(fileobj=spool, mode="w") as tar:
            tar.add(self._volume_folder(volume.name), "files")
        spool.seek(0)
        return spool

    def remove_volume(self, volume: str) -> None:
        names, unused = ({one.name for one in self.volumes({}, only)} for only in (False, True))
        if volume in names - unused:
            raise EngineError(f"remove {volume}: volume is in use")
        with self._changed:
            if self._volumes.pop(volume, None) is not None:
                shutil.rmtree(self._volume_folder(volume))

    def sweep_path(self, path: Path) -> None:

        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Containers outlive an engine's connections: that is what a restart of the emulator is about."""

    # Below

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

    def _required(self, reference: str) -> FakeImage:
        found = self._image(reference)
        if found is None:
            raise ImageMissing(reference)
        return found

    def _volume_folder(self, name: str) -> Path:
        return self._root / "volumes" / name

    def _source(self, mount: Mount, own: Path) -> Path:
        """What a container sees: our folder, or a copy of it."""
        if self._shares_disk:
            return mount.source
        copy = own / "mounts" / mount.target.strip("/").replace("/", "_")
        copy.parent.mkdir(exist_ok=True)
        if mount.source.is_dir():
            shutil.copytree(mount.source, copy, symlinks=True)
        else:
            shutil.copy(mount.source, copy)
        return copy

    def _image(self, reference: str) -> FakeImage | None:
        self._answer()
        for name, image in self._images.items():
            if reference in (name, name.removesuffix(":latest"), image.facts.id, *image.facts.digests):
                return image
        return None


def _carries(labels: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    return all(name in labels and value in (None, labels[name]) for name, value in wanted.items())


def _saved(reference: str, facts: ImageFacts) -> bytes:
    """As `docker save` writes an image that has no layers."""
    inside: dict[str, object] = {
        "config.json": {
            "architecture": facts.architecture,
            "os": facts.operating_system,
            "config": {
                "Entrypoint": facts.entrypoint,
                "Cmd": facts.command,
                "Env": [f"{name}={value}" for name, value in facts.environment.items()],
                "Labels": dict(facts.labels),
                "User": facts.user,
                "WorkingDir": facts.working_directory,
            },
            "rootfs": {"type": "layers", "diff_ids": []},
        },
        "manifest.json": [{"Config": "config.json", "RepoTags": [reference], "Layers": []}],
    }
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name, value in inside.items():
            member = tarfile.TarInfo(name)
            content = json.dumps(value).encode()
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return spool.getvalue()
