"""The serving checks name exactly the planted fault of a server in a container, and none of a sound one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.check import subject
from emulator.check.checks import LABEL, CannotCheck, Options
from emulator.check.runner import Run
from emulator.check.serving import SERVING
from emulator.commands.examination import unpack
from emulator.containers.docker import DockerEngine
from tests.check.zoo import serving
from tests.check.zoo.artifacts import MODEL, archive
from tests.check.zoo.zoo import Animal, Broken, Recipe, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.check.findings import Finding
    from emulator.containers.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = DockerEngine()
    yield engine
    engine.close()


def look(engine: Engine, animal: Animal, **options: Any) -> list[Finding]:
    assert isinstance(animal.subject, Recipe)
    name = build(animal.subject)
    with Run(engine, Options(claims=animal.claims, fast=True, **options)) as run:
        run.examine(subject.from_engine(engine, name, run.context.labels))
        found = run.run(SERVING)
        labels = {LABEL: run.run_id}
    assert engine.find(labels) == []
    assert engine.networks(labels) == []
    return found


def faults(found: list[Finding]) -> dict[str, str]:
    return {one.rule_id: one.seen for one in found if one.status in ("fail", "warn")}


model = archive(*MODEL)  # written into a folder


@pytest.mark.docker
@pytest.mark.parametrize("animal", serving.BROKEN, ids=lambda one: f"{one.fails}: {one.name}")
def test_exactly_the_planted_fault_is_named(engine: Engine, animal: Broken, tmp_path: Path) -> None:
    options: dict[str, Any] = {}
    if animal.fails == "serve-read-only-model":
        options = {"model": model(tmp_path), "unpack": unpack}
    assert list(found := faults(look(engine, animal, **options))) == [animal.fails], found


@pytest.mark.docker
@pytest.mark.parametrize("animal", serving.LOADING, ids=lambda one: f"{one.fails}: {one.name}")
def test_exactly_the_planted_fault_in_the_loading_of_models_is_named(
    engine: Engine, animal: Broken, tmp_path: Path
) -> None:
    found = faults(look(engine, animal, model=model(tmp_path), unpack=unpack))
    assert list(found) == [animal.fails], found


@pytest.mark.docker
def test_a_sound_server_keeps_every_rule(engine: Engine, tmp_path: Path) -> None:
    found = look(engine, serving.SOUND[0], model=model(tmp_path), unpack=unpack)
    assert {one.rule_id: one.seen for one in found if one.status != "pass"} == {}
    assert {one.rule_id for one in found} == {check.rule.id for check in SERVING}


def test_every_rule_is_broken_by_a_server_of_the_zoo() -> None:
    broken = {animal.fails for animal in (*serving.BROKEN, *serving.LOADING)}
    assert broken >= {check.rule.id for check in SERVING} - {"serve-connect-time", "serve-invocation-time"}


def test_a_model_that_cannot_beunpacked_is_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"no tar")
    with pytest.raises(CannotCheck, match="cannot be unpacked"):
        unpack(path, tmp_path / "model")
