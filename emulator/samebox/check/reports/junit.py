"""The report as JUnit XML for CI systems: one test case per rule, one suite per family."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from samebox.check.why import WHY

if TYPE_CHECKING:
    from samebox.check.findings import Finding
    from samebox.check.report import Report

# XML 1.0 cannot represent these, escaped or not; the output of a container may contain them.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(report: Report) -> str:
    """A warning is a passed case with a message in system-out: JUnit has no warnings."""
    top = ElementTree.Element("testsuites", _numbers(list(report.findings), f"samebox check {report.image}"))
    family_of = {one.rule_id: report.rules[one.rule_id].family for one in report.findings}
    in_order = sorted(report.findings, key=lambda one: list(family_of.values()).index(family_of[one.rule_id]))
    for family, findings in groupby(in_order, key=lambda one: family_of[one.rule_id]):
        members = list(findings)
        suite = ElementTree.SubElement(top, "testsuite", _numbers(members, family))
        suite.set("timestamp", datetime.fromtimestamp(report.started_at, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
        for finding in members:
            _case(suite, report, finding)
    ElementTree.indent(top)
    return ElementTree.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, report: Report, finding: Finding) -> None:
    rule = report.rules[finding.rule_id]
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {"classname": f"samebox.{rule.family}", "name": finding.rule_id, "time": f"{finding.seconds:.3f}"},
    )
    quotes = "".join(f"\n{one.source}:\n{one.text}" for one in finding.quotes)
    words = _clean(f"{rule.title}\n{finding.seen}{quotes}\n{WHY.get(rule.id, '')}\n{finding.remedy}\n{rule.source}")
    if finding.status == "skipped":
        ElementTree.SubElement(case, "skipped", {"message": _clean(finding.seen)})
    elif finding.accepted:
        reason = f"accepted on {finding.accepted.since}: {finding.accepted.reason}"
        ElementTree.SubElement(case, "skipped", {"message": _clean(reason)})
    elif finding.status == "fail":
        kind = "failure" if finding.checked else "error"
        element = ElementTree.SubElement(case, kind, {"message": _clean(finding.seen), "type": finding.rule_id})
        element.text = words
    elif finding.status == "warn":
        ElementTree.SubElement(case, "system-out").text = f"warning: {words}"


def _numbers(findings: list[Finding], name: str) -> dict[str, str]:
    failed = [one for one in findings if one.status == "fail" and one.counts]
    return {
        "name": _clean(name),
        "tests": str(len(findings)),
        "failures": str(sum(one.checked for one in failed)),
        "errors": str(sum(not one.checked for one in failed)),
        "skipped": str(sum(one.status == "skipped" or one.accepted is not None for one in findings)),
        "time": f"{sum(one.seconds for one in findings):.3f}",
    }


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
