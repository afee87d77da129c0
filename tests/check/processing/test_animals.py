"""The processing checks name exactly the planted fault of a processor in a container, and none of a sound one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from samebox.containers.docker import DockerEngine

from tests.check.zoo.looking import BROKEN, SOUND, faults, is_processor, look, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from samebox.containers.engine import Engine

    from tests.check.zoo.zoo import Broken, Sound


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = DockerEngine()
    yield engine
    engine.close()


@pytest.mark.parametrize("animal", parameters(one for one in BROKEN if is_processor(one)))
def test_exactly_the_planted_fault_is_named(engine: Engine, animal: Broken, tmp_path: Path) -> None:
    found = faults(look(animal, tmp_path, engine))

    assert list(found) == [animal.fails], found


@pytest.mark.parametrize("animal", parameters(one for one in SOUND if is_processor(one)))
def test_a_sound_processor_keeps_every_rule(engine: Engine, animal: Sound, tmp_path: Path) -> None:
    found = look(animal, tmp_path, engine)

    assert {one.rule_id: one.seen for one in found if one.status != "pass"} == {}
    assert found
