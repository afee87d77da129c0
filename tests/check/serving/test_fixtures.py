"""The serving checks name exactly the planted fault of a server in a container, and none of a valid one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.check import subject
from samebox.check.checks import CannotCheck, Options
from samebox.check.runner import Run
from samebox.check.serving import SERVING
from samebox.check.static import programs
from samebox.commands.model_archive import unpack
from samebox.containers.docker import DockerEngine
from tests.check.fixtures.checking import BROKEN, VALID, faults, is_served, parameters, run_kit, says
from tests.check.fixtures.recipes import Recipe, build
from tests.check.fixtures.serving import ALL, BASE

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


@pytest.mark.parametrize("fixture", parameters(one for one in BROKEN if is_served(one)))
def test_exactly_the_planted_fault_is_named(engine: Engine, fixture: BrokenFixture, tmp_path: Path) -> None:
    findings = run_kit(fixture, tmp_path, engine)
    found = faults(findings)
    assert list(found) == [fixture.fails], found
    assert says(findings, fixture.says), [one for one in findings if one.counts]


@pytest.mark.parametrize("fixture", parameters(one for one in VALID if is_served(one)))
def test_a_valid_server_keeps_every_rule(engine: Engine, fixture: Valid, tmp_path: Path) -> None:
    found = run_kit(fixture, tmp_path, engine)
    assert faults(found) == {}
    assert {one.rule_id for one in found} == {
        check.rule.id for check in SERVING if check.is_of_interest(fixture.claims)
    }


def test_one_keeps_every_rule_that_there_is(engine: Engine, tmp_path: Path) -> None:
    (whole,) = [fixture for fixture in VALID if is_served(fixture) and fixture.claims == ALL]
    found = run_kit(whole, tmp_path, engine)
    assert {one.rule_id: one.seen for one in found if one.status != "pass"} == {}
    assert {one.rule_id for one in found} == {check.rule.id for check in SERVING}


MISQUOTED = """ENTRYPOINT ['python3', '/srv/app.py']"""


@pytest.mark.docker
@pytest.mark.parametrize(
    ("recipe", "rule_id"),
    [
        (Recipe({"srv/app.py": "#!/usr/bin/env python3\n"}, (MISQUOTED,), BASE), "image-entrypoint-exec-form"),
        (Recipe({}, ("RUN ln -s /srv/app.py /usr/local/bin/serve",), BASE), "serve-program"),
        (Recipe({"usr/local/bin/serve": "\ufeff#!/bin/sh\n"}, (), BASE), "serve-program"),
    ],
    ids=["single quotes", "a link to nothing", "a byte order mark"],
)
def test_a_fault_of_the_image_is_not_reported_again_when_it_does_not_start(
    engine: Engine, recipe: Recipe, rule_id: str
) -> None:
    checks = (*programs.CHECKS, *SERVING)
    with Run(engine, Options(claims=frozenset({"serve"}), fast=True)) as run:
        run.examine(subject.from_engine(engine, build(recipe), run.context.labels))
        found = run.run(checks)
    assert set(faults(found)) == {rule_id}
    assert {one.rule_id: one.seen for one in found}["serve-starts"] == f"nothing starts: see {rule_id}"


def test_a_model_that_cannot_be_unpacked_is_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"no tar")
    with pytest.raises(CannotCheck, match="cannot be unpacked"):
        unpack(path, tmp_path / "model")
