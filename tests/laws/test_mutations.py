"""Each invariant has a recorded mutation that still fits its file; `scripts/mutations` sees the tests fail."""

import ast
from pathlib import Path

import pytest

from tests.laws import invariants
from tests.laws.invariants import ROOT
from tests.laws.mutations import Mutation, recorded, without
from tests.laws.mutations.run import try_out

ROWS = invariants.rows((ROOT / "CONTRIBUTING.md").read_text())
MUTATIONS = recorded()


def rows_that_begin(words: str) -> list[str]:
    return [one for one in ROWS if one.startswith(words)]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: f"{one.file}-{one.test.rpartition('::')[2]}")
def test_a_mutation_fits_its_file_and_its_invariant(mutation: Mutation) -> None:
    (invariant,) = rows_that_begin(mutation.invariant)
    assert mutation.test in invariants.enforcers(ROWS[invariant])
    text = (ROOT / mutation.file).read_text()
    mutated = mutation.applied(text)
    assert mutated != text
    if mutation.file.endswith(".py"):
        ast.parse(mutated)  # a file that cannot be read would fail every test


def test_each_invariant_has_a_mutation_or_a_reason_for_none() -> None:
    mutated = [invariant for one in MUTATIONS for invariant in rows_that_begin(one.invariant)]
    excused = [invariant for words in without() for invariant in rows_that_begin(words)]
    assert len(excused) == len(without())
    assert set(mutated).isdisjoint(excused)
    backlog = {invariant for invariant, enforcer in ROWS.items() if enforcer == invariants.BACKLOG}
    assert {*mutated, *excused, *backlog} == set(ROWS)


@pytest.mark.parametrize(
    ("find", "replace", "verdict"),
    [("2 *", "3 *", "red"), ("number * 1", "number", "green"), ("def double", "def triple", "broken")],
)
def test_a_mutation_that_no_test_notices_is_reported(find: str, replace: str, verdict: str, tmp_path: Path) -> None:
    code = "def double(number):\n    return 2 * number * 1\n"
    (tmp_path / "one.py").write_text(code)
    (tmp_path / "test_one.py").write_text("from one import double\n\n\ndef test_one():\n    assert double(2) == 4\n")
    result = try_out(tmp_path, Mutation("", "one.py", find, replace, "test_one.py::test_one"))
    assert result.verdict == verdict
    assert (tmp_path / "one.py").read_text() == code


def test_a_test_that_fails_without_the_mutation_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("ONE = 1\n")
    (tmp_path / "test_one.py").write_text("def test_one():\n    assert 1 == 2\n")
    assert try_out(tmp_path, Mutation("", "one.py", "1", "2", "test_one.py::test_one")).verdict == "red before"
