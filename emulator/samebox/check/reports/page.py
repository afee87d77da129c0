"""The report as one self-contained page of HTML: the verdict on top, readable on a phone and on paper."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from samebox.check.reports.terminal import summary, word
from samebox.check.why import WHY

if TYPE_CHECKING:
    from samebox.check.findings import Finding
    from samebox.check.report import Report

# Of every page that samebox writes.
STYLE = """
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #16191f; --soft: #58606b; --rule: #d9dde3;
  --fail: #b3261e; --warn: #8a5a00; --pass: #1b6e3c; --accepted: #14607a; --skipped: #58606b; }
@media (prefers-color-scheme: dark) { :root { --back: #14171b; --card: #1d2126; --ink: #e8eaed; --soft: #a3abb5;
  --rule: #343a42; --fail: #ff8a80; --warn: #f2c063; --pass: #7bd69c; --accepted: #7cc7e0; --skipped: #a3abb5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
header, article, details { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem;
  padding: .9rem 1rem; margin: 0 0 .8rem; }
header { border-top: .4rem solid var(--state); }
article { border-left: .3rem solid var(--state); }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .3rem; color: var(--state); }
h2 { font-size: 1.05rem; line-height: 1.35; margin: 0; }
h3 { font-size: 1rem; margin: 1.2rem 0 .5rem; }
p { margin: .35rem 0 0; }
code, pre { font: .88em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.soft { color: var(--soft); font-size: .88rem; }
.state { color: var(--state); font-size: .88rem; font-weight: 700; margin: 0 0 .1rem; }
pre { white-space: pre-wrap; margin: .3rem 0 0; font-size: .82rem; }
.mend { border-left: .2rem solid var(--pass); padding-left: .6rem; white-space: pre-line; }
.seen { white-space: pre-line; }
summary { cursor: pointer; font-weight: 600; }
dl { margin: .6rem 0 0; } dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0; white-space: pre-line; }
.fail { --state: var(--fail); } .warn { --state: var(--warn); } .pass { --state: var(--pass); }
.accepted { --state: var(--accepted); } .skipped { --state: var(--skipped); }
"""
_WORDS = {"fail": "Does not hold", "warn": "Worth a look", "accepted": "Accepted"}
_CODE = re.compile(r"`([^`]+)`")
_VERDICTS = {"fail": "Not ready", "warn": "Ready, with remarks", "pass": "Ready"}


def write(report: Report) -> str:
    ordered = report.ordered()
    loud = [one for one in ordered if one.status in ("fail", "warn")]
    cards = "\n".join(_card(report, one) for one in loud)
    skipped = _quiet(report, "Skipped", [one for one in ordered if one.status == "skipped"])
    passed = _quiet(report, "Passed", [one for one in ordered if one.status == "pass"])
    notes = "".join(f'<p class="soft">{_prose(note)}</p>' for note in report.notes)
    when = datetime.fromtimestamp(report.started_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    identity = f'<p class="soft"><code>{escape(report.image_id)}</code></p>' if report.image_id else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(_VERDICTS[report.verdict])}: {escape(report.image)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header class="{report.verdict}">
<h1>{escape(_VERDICTS[report.verdict])}</h1>
<p><strong>{escape(report.image)}</strong>: {escape(report.sentence)}</p>
{identity}<p class="soft">{escape(summary(report))}; {when}; samebox {escape(report.version)}</p>
{notes}</header>
{cards}
{skipped}
{passed}
</main>
</body>
</html>
"""


def _card(report: Report, finding: Finding) -> str:
    rule = report.rules[finding.rule_id]
    state = word(finding)
    lines = [
        f'<article class="{state}" id="{escape(finding.rule_id)}">',
        f'<p class="state">{_WORDS[state]}</p>',
        f"<h2>{_prose(rule.title)}</h2>",
        f'<p class="seen">{escape(finding.seen)}</p>',
    ]
    lines += [f'<p class="soft">{escape(one.source)}:</p><pre>{escape(one.text)}</pre>' for one in finding.quotes]
    if reason := WHY.get(finding.rule_id):
        lines.append(f'<p class="why">Why it matters: {_prose(reason)}</p>')
    if finding.remedy:
        where = f"{escape(report.dockerfile or 'Dockerfile')}, line {finding.line}: " if finding.line else ""
        lines.append(f'<p class="mend">{where}{_prose(finding.remedy)}</p>')
    if finding.accepted:
        until = f" until {finding.accepted.until}" if finding.accepted.until else ""
        lines.append(f"<p>Accepted on {finding.accepted.since}{until}: {escape(finding.accepted.reason)}</p>")
    if finding.log:
        text = escape("\n".join(finding.log))
        lines.append(f"<details><summary>Its log ({len(finding.log)} lines)</summary><pre>{text}</pre></details>")
    lines.append(f'<p class="soft"><code>{escape(finding.rule_id)}</code> · {escape(rule.source)}</p></article>')
    return "\n".join(lines)


def _prose(text: str) -> str:
    """Our own text, in which `backticks` are code; text of an image is never formatted."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _quiet(report: Report, title: str, findings: list[Finding]) -> str:
    if not findings:
        return ""
    rows = "\n".join(
        f'<dt id="{escape(one.rule_id)}">{_prose(report.rules[one.rule_id].title)}</dt>'
        f'<dd class="soft">{escape(one.seen)}\n<code>{escape(one.rule_id)}</code></dd>'
        for one in findings
    )
    return f"<details><summary>{title} ({len(findings)})</summary><dl>{rows}</dl></details>"
