"""A fault whose check names no line is shown at the line of the Dockerfile that decides it."""

from __future__ import annotations

import pytest

from samebox.check import blame, dockerfile
from samebox.check.registry import CHECKS

TEXT = """\
FROM debian:12 AS build
RUN make
FROM debian:12
RUN pip install x
COPY --chmod=0755 serve /usr/local/bin/serve
USER app
EXPOSE 5000
ENTRYPOINT ["python3", "/app.py"]
"""
RULES = {check.rule.id: check.rule for check in CHECKS}


@pytest.mark.parametrize(
    ("rule_id", "line"),
    [
        ("serve-starts", 8),
        ("train-completes", 8),
        ("processing-exit-code", 8),
        ("image-user", 6),
        ("image-exposed-port", 7),
        ("image-architecture", 3),
        ("image-manifest-type", 3),
        ("image-caches", 4),
        ("image-secrets", 5),
        ("multi-model-label", 3),
        ("artifact-links", None),
    ],
)
def test_a_fault_has_the_line_that_decides_it(rule_id: str, line: int | None) -> None:
    rule = RULES[rule_id]
    assert blame.with_line(rule.broken("seen"), rule, dockerfile.parse(TEXT)).line == line


def test_a_line_that_a_check_named_stays() -> None:
    rule = RULES["serve-starts"]
    assert blame.with_line(rule.broken("seen", line=2), rule, dockerfile.parse(TEXT)).line == 2


def test_what_passes_or_was_not_checked_has_no_line() -> None:
    rule = RULES["serve-starts"]
    for finding in (rule.passed("fine"), rule.skipped("no engine"), rule.unknown("out of time")):
        assert blame.with_line(finding, rule, dockerfile.parse(TEXT)).line is None


def test_without_a_dockerfile_there_is_no_line() -> None:
    rule = RULES["serve-starts"]
    assert blame.with_line(rule.broken("seen"), rule, None).line is None
    assert blame.with_line(rule.broken("seen"), rule, dockerfile.parse("")).line is None
