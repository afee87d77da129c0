"""Each operation of AWS has a grade, an absent one its reason, and docs/coverage.md is what the code says.

That a grade is what the emulator answers is seen in test_emulator_never_500.py.
"""

import pytest

from samebox.commands import coverage_markdown
from samebox.services.absent import ABSENT, AbsentOperations
from samebox.services.coverage import SERVICES, Grade, covered
from samebox.wire.models import Models
from tests.laws.test_documents import ROOT

COVERED = covered()


def test_each_operation_of_the_models_has_one_grade() -> None:
    models = Models(SERVICES)
    every = [(service, name) for service in SERVICES for name in models.service(service).operations]
    assert sorted((one.service, one.name) for one in COVERED) == sorted(every)


def test_an_absent_operation_has_one_reason() -> None:
    absent = [one for one in COVERED if one.grade is Grade.ABSENT]
    reasons = {
        f"{one.service}:{one.name}": [row.reason for row in ABSENT if row.covers(one.service, one.name)]
        for one in absent
    }
    assert {name: found for name, found in reasons.items() if len(found) != 1} == {}


@pytest.mark.parametrize("row", ABSENT, ids=lambda row: f"{row.service}-{row.reason[:30]}")
def test_a_reason_is_that_of_an_absent_operation(row: AbsentOperations) -> None:
    assert any(row.covers(one.service, one.name) for one in COVERED if one.grade is Grade.ABSENT), "its row goes"


def test_the_page_is_that_of_the_code() -> None:
    page = ROOT / "docs" / "coverage.md"
    assert page.read_text() == coverage_markdown.write(COVERED), "scripts/fidelity writes it"
