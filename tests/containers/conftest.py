"""A world for a test of the Engine protocol: the fake engine, and Docker where there is one."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from samebox.containers.docker import DockerEngine
from samebox.containers.engine import INSTANCE_LABEL, ContainerSpec
from samebox.containers.fake import FakeEngine
from tests.tiny_image import import_tiny, tiny_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from samebox.containers.engine import Engine
    from samebox.containers.fake_process import Program

__all__ = ["tiny_image"]


@dataclass
class World:
    """An engine, and programs that say the same thing twice: to a shell in a container, and to the fake in Python."""

    engine: Engine
    image: str
    folder: Path
    programs: dict[str, Program] | None = None  # None: Docker
    instance_id: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:12]}")
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def labels(self) -> dict[str, str]:
        return {INSTANCE_LABEL: self.instance_id}

    def spec(self, shell: str, program: Program, **more: object) -> ContainerSpec:
        if self.programs is None:
            command: tuple[str, ...] = ("sh", "-c", shell)
        else:
            command = (f"program-{next(self._numbers)}",)
            self.programs[command[0]] = program
        more = {"labels": self.labels, **more}
        return ContainerSpec(image=self.image, command=command, **more)  # type: ignore[arg-type]

    def run(self, shell: str, program: Program, **more: object) -> str:
        return self.engine.run(self.spec(shell, program, **more))

    def run_to_the_end(self, shell: str, program: Program, **more: object) -> str:
        container = self.run(shell, program, **more)
        assert self.engine.wait(container, 30) is not None
        return container

    def remove_all(self) -> None:
        """Containers before networks: one in use cannot be removed."""
        for container in self.engine.find(self.labels):
            self.engine.remove(container.id)
        for network in self.engine.networks(self.labels):
            self.engine.remove_network(network.id)
        for volume in self.engine.volumes(self.labels):
            self.engine.remove_volume(volume.name)


@pytest.fixture(params=["fake", "fake elsewhere", pytest.param("docker", marks=pytest.mark.docker)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param != "docker":
        yield fake_world(tmp_path, shares_disk=request.param == "fake")
    else:
        yield from docker_worlds(request, tmp_path)


@pytest.fixture
def shared_world(world: World) -> World:
    """Of an engine that sees our folders."""
    if not world.engine.shares_disk():
        pytest.skip("the engine does not share this disk")
    return world


@pytest.fixture
def docker_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    yield from docker_worlds(request, tmp_path)


def fake_world(folder: Path, shares_disk: bool = True) -> World:
    engine = FakeEngine(folder / "containers", shares_disk=shares_disk)
    programs: dict[str, Program] = {}
    engine.add_image("tiny", programs)
    engine.add_image(
        "entry",
        {"echo": lambda process: process.print(" ".join(process.argv[1:]))},
        entrypoint=("echo", "entry"),
        command=("cmd",),
        labels={"kind": "entry"},
        environment={"GREETING": "hello"},
        user="nobody",
    )
    return World(engine, "tiny", folder, engine.programs_of("tiny"))


def docker_worlds(request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    engine = DockerEngine(folder=folder)
    reason = engine.available()
    if reason:
        pytest.fail(reason)
    found = World(engine, request.getfixturevalue("tiny_image"), folder)
    try:
        yield found
    finally:
        found.remove_all()
        engine.close()


@pytest.fixture
def entry_image(world: World) -> str:
    """ENTRYPOINT echo entry, CMD cmd."""
    if world.programs is not None:
        return "entry"
    changes = ('ENTRYPOINT ["echo", "entry"]', 'CMD ["cmd"]', "LABEL kind=entry", "ENV GREETING=hello", "USER nobody")
    return import_tiny("entry", changes)


@pytest.fixture
def own_image(world: World) -> Iterator[str]:
    """An image of this test's own, for what changes its names."""
    name = f"samebox-test/own:{world.instance_id}"
    if isinstance(world.engine, FakeEngine):
        world.engine.add_image(name, {})
    else:
        import_tiny(world.instance_id, (f"LABEL own={world.instance_id}",))
        world.engine.tag(f"samebox-test/tiny:{world.instance_id}", name)
        world.engine.untag(f"samebox-test/tiny:{world.instance_id}")
    yield name
    world.engine.untag(name)
