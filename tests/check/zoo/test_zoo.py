"""The kit names exactly the planted fault; and each of its rules is broken by somebody here, and kept by somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.check import dockerfile, subject
from emulator.check.checks import Options
from emulator.check.registry import CHECKS
from emulator.check.runner import Run
from emulator.commands.workbench import OptMl
from emulator.containers.docker import DockerEngine
from tests.check.zoo import archives, artifacts, training
from tests.check.zoo.zoo import Animal, Broken, Recipe, Sound, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.check.checks import Check
    from emulator.check.findings import Finding
    from emulator.containers.engine import Engine
    from tests.check.images import Made

ROOMS = (archives, training, artifacts)
BROKEN: tuple[Broken, ...] = tuple(animal for room in ROOMS for animal in room.BROKEN)
SOUND: tuple[Sound, ...] = tuple(animal for room in ROOMS for animal in room.SOUND)


def ids(animals: tuple[Animal, ...]) -> list[Any]:
    """As parameters: those that are run need an engine."""
    return [
        pytest.param(
            animal,
            id=f"{animal.fails if isinstance(animal, Broken) else 'sound'}: {animal.name}",
            marks=[pytest.mark.docker] if isinstance(animal.subject, Recipe) else [],
        )
        for animal in animals
    ]


def as_archive(image: Recipe | Made | bytes) -> bytes:
    assert not isinstance(image, Recipe)
    return image if isinstance(image, bytes) else image.docker_archive()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = DockerEngine()
    yield engine
    engine.close()


@pytest.fixture
def look(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """What all checks of the families that the animal is about say of it."""

    def look(animal: Animal, families: set[str]) -> list[Finding]:
        arguments = {name: value(tmp_path) if callable(value) else value for name, value in animal.arguments.items()}
        options = Options(claims=animal.claims, fast=True, workbench=OptMl(), **arguments)
        checks = [check for check in CHECKS if check.rule.family in families]
        engine: Engine | None = request.getfixturevalue("engine") if isinstance(animal.subject, Recipe) else None
        read = dockerfile.parse(animal.dockerfile) if animal.dockerfile else None
        with Run(engine, options, read) as run:
            if isinstance(animal.subject, Recipe) and engine is not None:
                run.examine(subject.from_engine(engine, build(animal.subject), run.context.labels))
            elif animal.subject is not None:
                path = tmp_path / "image.tar"
                path.write_bytes(as_archive(animal.subject))
                run.examine(subject.from_path(path))
                checks = [check for check in checks if not check.needs - {"files"}]
            else:  # only its arguments are of interest
                checks = [check for check in checks if check.needs == {"model"}]
            return run.run(checks)

    return look


@pytest.mark.parametrize("animal", ids(BROKEN))
def test_the_kit_names_the_planted_fault_and_nothing_else(animal: Broken, look: Any) -> None:
    (family,) = [check.rule.family for check in CHECKS if check.rule.id == animal.fails]
    room = {family, "artifact"} if animal.fails.startswith("artifact-") else {family}

    findings = look(animal, room)

    faults = {finding.rule_id: finding.seen for finding in findings if finding.counts}
    assert set(faults) == {animal.fails}, faults


@pytest.mark.parametrize("animal", ids(SOUND))
def test_a_sound_one_passes_everything(animal: Sound, look: Any) -> None:
    rooms = {"training"} if isinstance(animal.subject, Recipe) else {check.rule.family for check in CHECKS}

    findings = look(animal, rooms)

    assert {finding.rule_id: finding.seen for finding in findings if finding.status != "pass"} == {}
    assert findings


def test_every_rule_is_broken_by_an_animal_of_the_zoo() -> None:
    names = {animal.fails for animal in BROKEN}

    assert names <= {check.rule.id for check in CHECKS}
    assert {check.rule.id for check in CHECKS if lives_here(check)} - names == set()


def test_every_rule_is_kept_by_an_animal_of_the_zoo() -> None:
    """A sound animal passes all checks of its claims, so one that makes the claim (or brings a model) is enough."""
    claims = {claim for animal in SOUND for claim in animal.claims}
    missing = [check.rule.id for check in CHECKS if lives_here(check) and check.claims and not check.claims & claims]

    assert missing == []
    assert any("model" in animal.arguments for animal in SOUND)


def lives_here(check: Check) -> bool:
    return check.rule.id not in archives.ELSEWHERE and (
        not check.needs - {"files"} or check.rule.family in ("training", "artifact")
    )
