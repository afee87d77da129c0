"""An engine in memory, for tests: an image is a set of Python functions, a container is a thread that runs one.

    engine = FakeEngine(tmp_path)
    engine.add_image("digits:1", {"train": train})        # train(process: Process) -> int | None, the exit code
    engine.add_image("digits:1", {"serve": lambda process: process.serve(answer)})

It passes the suite that Docker passes (tests/containers/test_engine.py).
"""

from __future__ import annotations

import contextlib
import io
import tarfile
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from samebox.containers import layers
from samebox.containers.engine import (
    ContainerMissing,
    ContainerSpec,
    ContainerState,
    ContainerSummary,
    ContainerUsage,
    EngineError,
    ImageMissing,
    LogLine,
    NameTaken,
    PathMissing,
    RunningProcess,
    StartFailed,
)
from samebox.containers.fake_host import carries
from samebox.containers.fake_networks import FakeNetworks
from samebox.containers.fake_process import Container, FakeLogs
from samebox.containers.fake_volumes import FakeVolumes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence


class FakeEngine(FakeVolumes, FakeNetworks):
    """ContainerApi in memory, and with its bases an Engine. Its arguments are the host's (fake_host.py)."""

    def spec_of(self, container: str) -> ContainerSpec:
        return self._get(container).spec

    def give_up_start(self, container: str) -> None:
        """The state of a container in Docker when the client that requested its start dies before the response."""
        self._get(container).give_up_start()

    def create(self, spec: ContainerSpec) -> str:
        image = self._image(spec.image)
        if image is None:
            raise ImageMissing(spec.image)
        for mount in spec.mounts:
            if not mount.source.exists():
                raise StartFailed(
                    'invalid mount config for type "bind": bind source path does not exist: ' + str(mount.source)
                )
            if mount.layer is not None:
                layers.copied(mount.source, mount.layer)  # for one that was made before, too
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

    def memory(self, container: str) -> int | None:
        found = self._get(container)
        return found.memory_bytes if found.state.running else None

    def usage(self, container: str) -> ContainerUsage | None:
        found = self._get(container)
        return ContainerUsage(found.cpu_seconds, found.memory_bytes) if found.state.running else None

    def find(self, labels: Mapping[str, str | None]) -> list[ContainerSummary]:
        self._answer()
        with self._changed:
            states = [container.state for container in self._containers.values()]
        return [
            ContainerSummary(one.id, one.name, one.status, one.image, one.labels, one.created_at)
            for one in states
            if carries(one.labels, labels)
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
