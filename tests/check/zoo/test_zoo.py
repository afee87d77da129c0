"""The kit names exactly the planted fault; and each of its rules is broken by somebody here, and kept by somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from samebox.check.registry import CHECKS
from samebox.containers.docker import DockerEngine

from tests.check.zoo.looking import BROKEN, SOUND, asked, faults, is_processor, is_put_to, is_served, look, parameters
from tests.check.zoo.zoo import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from samebox.containers.engine import Engine

    from tests.check.zoo.zoo import Animal, Broken, Sound


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    engine = DockerEngine()
    yield engine
    engine.close()


@pytest.fixture
def engine(animal: Animal, request: pytest.FixtureRequest) -> Engine | None:
    """For those that are run."""
    if not isinstance(animal.subject, Recipe):
        return None
    found: Engine = request.getfixturevalue("docker")
    return found


# Servers are looked at in tests/check/serving/test_animals.py, processors in tests/check/processing/test_animals.py:
# two files are run at once.
def lives_here(animal: Animal) -> bool:
    return not is_served(animal) and not is_processor(animal)


@pytest.mark.parametrize("animal", parameters(one for one in BROKEN if lives_here(one)))
def test_the_kit_names_the_planted_fault_and_nothing_else(
    animal: Broken, tmp_path: Path, engine: Engine | None
) -> None:
    found = faults(look(animal, tmp_path, engine))

    assert set(found) == {animal.fails}, found


@pytest.mark.parametrize("animal", parameters(one for one in SOUND if lives_here(one)))
def test_a_sound_one_passes_everything(animal: Sound, tmp_path: Path, engine: Engine | None) -> None:
    findings = look(animal, tmp_path, engine)

    assert {finding.rule_id: finding.seen for finding in findings if finding.status != "pass"} == {}
    assert findings


# The law of the zoo


@pytest.mark.parametrize("rule_id", [check.rule.id for check in CHECKS])
def test_every_rule_is_broken_by_an_animal(rule_id: str) -> None:
    assert [animal.name for animal in BROKEN if animal.fails == rule_id and puts(rule_id, animal)] != []


@pytest.mark.parametrize("rule_id", [check.rule.id for check in CHECKS])
def test_every_rule_is_kept_by_an_animal(rule_id: str) -> None:
    """One that it is put to: of a sound animal nothing is skipped."""
    (check,) = [check for check in CHECKS if check.rule.id == rule_id]
    assert [animal.name for animal in SOUND if is_put_to(check, animal)] != []


def test_no_animal_breaks_a_rule_that_there_is_not() -> None:
    assert {animal.fails for animal in BROKEN} <= {check.rule.id for check in CHECKS}


def puts(rule_id: str, animal: Animal) -> bool:
    return any(check.rule.id == rule_id and is_put_to(check, animal) for check in asked(animal))
