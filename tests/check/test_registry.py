"""What holds for every check there is: its id is stable and tells what it is about, its words are whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from samebox.check.registry import CHECKS, RETIRED
from samebox.check.why import WHY

if TYPE_CHECKING:
    from samebox.check.checks import Check

BEGINNINGS = ("image-", "train-", "serve-", "artifact-", "multi-model-", "transform-", "processing-", "serverless-")


def test_each_rule_has_a_reason_in_a_sentence_and_no_reason_is_left_over() -> None:
    assert set(WHY) == {check.rule.id for check in CHECKS}
    for rule_id, reason in WHY.items():
        assert re.fullmatch(r"[^\s].{20,240}[.`]", reason), f"{rule_id}: {reason}"


def test_no_two_checks_share_an_id() -> None:
    ids = [check.rule.id for check in CHECKS]
    assert len(ids) == len(set(ids))


def test_an_id_that_was_published_is_never_given_anew() -> None:
    assert {check.rule.id for check in CHECKS} & set(RETIRED) == set()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.rule.id))
def test_a_rule_has_a_requirement_a_source_and_a_remedy(check: Check) -> None:
    rule = check.rule
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)
    assert rule.id.startswith(BEGINNINGS)
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.source
    assert 10 < len(rule.remedy) < 260
    assert check.seconds > 0


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.rule.id))
def test_a_check_that_starts_a_program_is_of_interest_only_for_who_claims_it(check: Check) -> None:
    if check.rule.id.startswith(("train-", "serve-", "multi-model-", "transform-", "processing-", "serverless-")):
        assert check.claims
