"""The report as SARIF 2.1.0, with which code hosts show findings in a pull request, at the Dockerfile's lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from samebox.check.why import WHY

if TYPE_CHECKING:
    from samebox.check.findings import Finding, Rule
    from samebox.check.report import Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"fail": "error", "warn": "warning"}


def write(report: Report) -> str:
    """Faults and warnings only: reviewers need no results for rules that pass or are skipped."""
    results = [one for one in report.findings if one.status in _LEVELS]
    ids = list(dict.fromkeys(one.rule_id for one in report.findings))
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "samebox check",
                "version": report.version,
                "rules": [_rule(report.rules[rule_id]) for rule_id in ids],
            }
        },
        "invocations": [{"executionSuccessful": all(one.checked for one in report.findings)}],
        "properties": {"image": report.image, "imageId": report.image_id},
        "results": [_result(report, one, ids.index(one.rule_id)) for one in results],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title}. {WHY.get(rule.id, '')} ({rule.source})"},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["sagemaker", rule.family]},
    }


def _result(report: Report, finding: Finding, rule_index: int) -> dict[str, Any]:
    # Code hosts show no result without a place; without a Dockerfile to look into, it is the first line of one.
    place = {
        "artifactLocation": {"uri": report.dockerfile or "Dockerfile"},
        "region": {"startLine": finding.line or 1},
    }
    result: dict[str, Any] = {
        "ruleId": finding.rule_id,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.status],
        "message": {"text": f"{finding.seen}\n{finding.remedy}".strip()},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"samebox/v1": finding.rule_id},
    }
    if finding.accepted:
        result["suppressions"] = [{"kind": "external", "justification": finding.accepted.reason}]
    return result
