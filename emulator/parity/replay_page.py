"""A replay as one page of HTML that needs nothing else: the verdict on top, then what differs, then all calls."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from emulator.check.reports.page import STYLE
from emulator.parity.replay import difference

if TYPE_CHECKING:
    from emulator.parity.replay import Replayed, Report

_STYLE = """
main { max-width: 58rem; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .15rem .8rem; margin: .35rem 0 0; }
.pair .at { color: var(--soft); font-size: .8rem; }
.pair .value { font: .88em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: .5rem 0 0; font-size: .88rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-top: 1px solid var(--rule); }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.differ { color: var(--fail); font-weight: 600; } .not { color: var(--warn); }
"""
_STATES = {0: "pass", 1: "fail", 2: "warn"}
_WORDS = {"same": "the same", "within": "within tolerance", "differ": "different", "not compared": "not compared"}
_CARDS_MOST = 50
_ROWS_MOST = 2000


def write(report: Report) -> str:
    when = datetime.fromtimestamp(report.started_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    header = report.header
    source = f"{header.endpoint or 'an endpoint'}{f' in {header.region}' if header.region else ''}"
    recorded = f"{source}{f', recorded {header.recorded_at}' if header.recorded_at else ''} ({report.transcript})"
    notes = [*report.notes, *([f"not all was sent: {report.ended_early}"] if report.ended_early else [])]
    if report.latencies:
        notes.append(f"Latency, {report.latencies}.")
    said = "".join(f'<p class="soft">{escape(note)}</p>' for note in notes)
    identity = f'<p class="soft"><code>{escape(report.image_id)}</code></p>' if report.image_id else ""
    tolerance = f"tolerance {report.tolerance.absolute:g} + {report.tolerance.relative:g} of the value"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report.verdict)}: {escape(report.image)}</title>
<style>{STYLE}{_STYLE}</style>
</head>
<body>
<main>
<header class="{_STATES[report.exit_status]}">
<h1>{escape(report.verdict)}</h1>
<p><strong>{escape(report.image)}</strong>: {escape(report.sentence)}</p>
<p>Calls of {escape(recorded)}</p>
{identity}<p class="soft">{tolerance}; {when}; {report.seconds:.1f} s; samebox {escape(report.version)}</p>
{said}</header>
{_different(report)}
{_all(report)}
</main>
</body>
</html>
"""


def _different(report: Report) -> str:
    found = report.of("differ")
    cards = "\n".join(_card(call) for call in found[:_CARDS_MOST])
    more = len(found) - _CARDS_MOST
    return cards + (f'<p class="soft">… and {more} more, below</p>' if more > 0 else "")


def _card(call: Replayed) -> str:
    found = call.comparison
    lines = [f'<article class="fail"><p class="state">Different</p><h2>Call {call.number}, line {call.line}</h2>']
    if found is None or found.first is None:
        lines.append(f'<p class="seen">{escape(call.words)}</p>')
    else:
        first = found.first
        rows = f": {found.differing_rows:,} of {found.rows:,} rows differ" if found.rows > 1 else ""
        lines += [
            f'<p class="soft">first at row {first.row}, {escape(first.where)} (counted from 0){rows}</p>',
            '<div class="pair"><span class="at">recorded</span><span class="at">now</span>',
            f'<span class="value">{escape(first.left)}</span><span class="value">{escape(first.right)}</span></div>',
            f'<p class="soft">{escape(found.note)}</p>' if found.note else "",
        ]
    return "".join([*lines, "</article>"])


def _all(report: Report) -> str:
    rows = "".join(_row(call) for call in report.calls[:_ROWS_MOST])
    more = len(report.calls) - _ROWS_MOST
    rest = f'<p class="soft">… and {more:,} more; --json has all</p>' if more > 0 else ""
    return (
        f'<details><summary>All calls ({len(report.calls):,})</summary><div class="table"><table>'
        '<tr><th class="number">call</th><th></th><th>recorded</th><th>now</th><th class="number">ms recorded</th>'
        f'<th class="number">ms now</th><th></th></tr>{rows}</table></div>{rest}</details>'
    )


def _row(call: Replayed) -> str:
    mark = {"differ": ' class="differ"', "not compared": ' class="not"'}.get(call.state, "")
    words = difference(call) if call.state == "differ" else call.words or _form(call)
    return (
        f'<tr><td class="number">{call.number}</td><td{mark}>{_WORDS[call.state]}</td><td>{escape(call.recorded)}</td>'
        f'<td>{escape(call.now)}</td><td class="number">{_ms(call.recorded_ms)}</td>'
        f'<td class="number">{_ms(call.ms)}</td><td>{escape(words)}</td></tr>'
    )


def _form(call: Replayed) -> str:
    found = call.comparison
    if found is None:
        return ""
    rows = f"{found.form}, {found.rows:,} row{'s' * (found.rows != 1)}"
    parts = [rows, *([f"up to {found.largest_absolute:.3g} apart"] if found.largest_absolute else [])]
    return "; ".join([*parts, *([found.note] if found.note else [])])


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
