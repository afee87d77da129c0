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
from tests.check.images import Made
from tests.check.zoo import artifacts, training
from tests.check.zoo.zoo import Animal, Broken, Recipe, Sound, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.check.findings import Finding
    from emulator.containers.engine import Engine

ROOMS = (training, artifacts)
BROKEN: tuple[Broken, ...] = tuple(animal for room in ROOMS for animal in room.BROKEN)
SOUND: tuple[Sound, ...] = tuple(animal for room in ROOMS for animal in room.SOUND)
# The static checks have tests of their own, over archives: tests/check/static.
FAMILIES = {"training", "artifact"}


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
            elif isinstance(animal.subject, Made):
                path = tmp_path / "image.tar"
                path.write_bytes(animal.subject.docker_archive())
                run.examine(subject.from_path(path))
            else:  # only its arguments are of interest
                checks = [check for check in checks if not check.needs & {"files", "engine"}]
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
    rooms = {"training"} if "train" in animal.claims else {"artifact", "serverless"}

    findings = look(animal, rooms)

    assert {finding.rule_id: finding.seen for finding in findings if finding.status != "pass"} == {}
    assert findings


def test_every_rule_is_broken_by_an_animal_of_the_zoo() -> None:
    names = {animal.fails for animal in BROKEN}
    known = {check.rule.id for check in CHECKS}
    # What only reads has its own broken images, in tests/check/static.
    run = {check.rule.id for check in CHECKS if "engine" in check.needs or "model" in check.needs}

    assert names <= known
    assert {rule for rule in run - names if rule.startswith(("train-", "artifact-"))} == set()


def test_every_rule_is_kept_by_an_animal_of_the_zoo() -> None:
    """A sound animal passes all checks of its claims, so a claim (or a model) that one has is enough."""
    claims = {claim for animal in SOUND for claim in animal.claims}
    for check in CHECKS:
        if check.rule.id.startswith(("train-", "artifact-")):
            assert not check.claims or check.claims & claims, check.rule.id
