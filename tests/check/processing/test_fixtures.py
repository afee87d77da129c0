"""The processing checks name exactly the planted fault of a processor in a container, and none of a valid one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.containers.docker import DockerEngine
from tests.check.fixtures.checking import BROKEN, VALID, faults, is_processor, parameters, run_kit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from samebox.containers.engine import Engine
    from tests.check.fixtures.recipes import BrokenFixture, Valid


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = DockerEngine()
    yield engine
    engine.close()


@pytest.mark.parametrize("fixture", parameters(one for one in BROKEN if is_processor(one)))
def test_exactly_the_planted_fault_is_named(engine: Engine, fixture: BrokenFixture, tmp_path: Path) -> None:
    found = faults(run_kit(fixture, tmp_path, engine))

    assert list(found) == [fixture.fails], found


@pytest.mark.parametrize("fixture", parameters(one for one in VALID if is_processor(one)))
def test_a_valid_processor_keeps_every_rule(engine: Engine, fixture: Valid, tmp_path: Path) -> None:
    found = run_kit(fixture, tmp_path, engine)

    assert {one.rule_id: one.seen for one in found if one.status != "pass"} == {}
    assert found
