"""The report on a terminal: failures first, each with its remedy; then a line for each reason to skip rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from samebox.check.why import WHY
from samebox.platform.log_tail import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from samebox.check.checks import Check
    from samebox.check.findings import Finding
    from samebox.check.report import Report

STYLES = {"pass": "green", "fail": "bold red", "warn": "yellow", "skipped": "dim", "accepted": "cyan"}
MOST_SKIPPED = 8  # that are listed for one reason, unless everything is shown
VERDICTS = {"pass": "bold green", "warn": "bold yellow", "fail": "bold red"}


def word(finding: Finding) -> str:
    return "accepted" if finding.accepted else finding.status


def show(report: Report, console: Console, everything: bool = False, logs: bool = False) -> None:
    """`everything`: also a row for each check that passed or was skipped; `logs`: all of each failed program's log."""
    shown = [one for one in report.ordered() if everything or one.status in ("fail", "warn")]
    if shown:
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 1, 0))
        table.add_column(no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        for finding in shown:
            table.add_row(Text(word(finding), style=STYLES[word(finding)]), _words(report, finding, logs))
        console.print(table)
    for why, ids in _skipped(report):
        which = ", ".join(ids) if everything or len(ids) <= MOST_SKIPPED else f"{len(ids)} rules (--verbose lists them)"
        console.print(f"[dim]skipped: {escape(which)}: {escape(why)}[/]", highlight=False)
    for note in report.notes:
        console.print(f"[dim]{escape(note)}[/]", highlight=False)
    console.print(Text(f"{report.image}: {report.sentence}", style=VERDICTS[report.verdict]))
    console.print(f"[dim]{escape(summary(report))}[/]", highlight=False)


def summary(report: Report) -> str:
    """`31 passed, 2 warnings, …`; what is none is left out."""
    words = {"pass": "passed", "fail": "failed", "warn": "warned", "accepted": "accepted", "skipped": "skipped"}
    parts = [f"{report.counts[key]} {words[key]}" for key in words if report.counts[key]]
    claims = f"; checked for {', '.join(report.claims)}" if report.claims else ""
    return f"{', '.join(parts) or 'no checks'} in {report.seconds:.1f} s{claims}"


def listing(checks: Iterable[Check], console: Console) -> None:
    """All checks there are, for --list: a table on a screen; for a file or a pipe a line each, parted by tabs."""
    rows = [(one.rule.id, one.rule.title, one.rule.source, _claims(one)) for one in checks]
    if not console.is_terminal:
        for row in rows:
            console.file.write("\t".join(row) + "\n")  # not printed: rich makes blanks of tabs
        return
    table = Table(box=None, pad_edge=False)
    for column in ("id", "holds when", "source", "of"):
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def _claims(check: Check) -> str:
    of = ", ".join(sorted(check.claims)) or "every image"
    return of + "".join(f", --{one}" for one in sorted(check.further))


def _words(report: Report, finding: Finding, logs: bool = False) -> Text:
    rule = report.rules[finding.rule_id]
    text = Text.assemble((rule.title, "bold"), (f"  {finding.rule_id}  {rule.source}", "dim"), f"\n{finding.seen}")
    quotes = [(one.source, one.text.splitlines()) for one in finding.quotes]
    if logs and finding.log:
        kept = "all of its log" if len(finding.log) < MOST_LINES else f"the last {MOST_LINES:,} lines of its log"
        quotes.append((kept, list(finding.log)))
    for source, lines in quotes:
        text.append(f"\n{source}:", "dim")
        text.append("".join(f"\n    {line}" for line in lines))
    if finding.status in ("fail", "warn") and (reason := WHY.get(finding.rule_id)):
        text.append(f"\nWhy: {reason}", "dim")
    if finding.status in ("fail", "warn") and finding.remedy:
        where = f" ({report.dockerfile or 'Dockerfile'}:{finding.line})" if finding.line else ""
        text.append(f"\nFix{where}: {finding.remedy}", "green")
    if finding.accepted:
        until = f" until {finding.accepted.until}" if finding.accepted.until else ""
        text.append(f"\naccepted on {finding.accepted.since}{until}: {finding.accepted.reason}", "cyan")
    return text


def _skipped(report: Report) -> list[tuple[str, list[str]]]:
    reasons: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.status == "skipped":
            reasons.setdefault(finding.seen, []).append(finding.rule_id)
    return list(reasons.items())
