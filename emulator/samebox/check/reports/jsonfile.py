"""The report as one JSON object. Members are only ever added; `format` would be increased with a change of meaning."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from samebox.check.why import WHY

if TYPE_CHECKING:
    from samebox.check.findings import Finding
    from samebox.check.report import Report


def write(report: Report) -> str:
    document = {
        "format": "samebox-check/1",
        "version": report.version,
        "image": report.image,
        "image_id": report.image_id,
        "verdict": report.verdict,
        "sentence": report.sentence,
        "claims": list(report.claims),
        "notes": list(report.notes),
        "started_at": datetime.fromtimestamp(report.started_at, UTC).isoformat(timespec="seconds"),
        "seconds": round(report.seconds, 3),
        "counts": dict(report.counts),
        "findings": [_finding(report, one) for one in report.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    rule = report.rules[finding.rule_id]
    told: dict[str, Any] = {
        "id": finding.rule_id,
        "status": finding.status,
        "title": rule.title,
        "family": rule.family,
        "severity": rule.severity,
        "source": rule.source,
        "why": WHY.get(rule.id, ""),
        "seen": finding.seen,
        "remedy": finding.remedy,
        "line": finding.line,
        "quotes": [{"source": one.source, "text": one.text} for one in finding.quotes],
        "log": list(finding.log),
        "checked": finding.checked,
        "seconds": finding.seconds,
        "accepted": None,
    }
    if finding.accepted:
        until = finding.accepted.until
        told["accepted"] = {
            "reason": finding.accepted.reason,
            "date": finding.accepted.since.isoformat(),
            "until": until.isoformat() if until else None,
        }
    return told
