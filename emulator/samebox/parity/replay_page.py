"""A replay as one self-contained page of HTML: the verdict on top, then the differences, then all calls."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from samebox.check.reports.page import STYLE
from samebox.parity.replay import difference

if TYPE_CHECKING:
    from samebox.parity.replay import Replayed, ReplayReport

_STYLE = """
main { max-width: 58rem; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .15rem .8rem; margin: .35rem 0 0; }
.pair .at { color: var(--soft); font-size: .8rem; }
.pair .value { font: .88em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.row { border-top: 1px solid var(--rule); padding: .45rem 0; } .row p { margin: 0; }
.row .name { display: inline-block; min-width: 2.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.row .differ { color: var(--fail); font-weight: 600; } .row .not { color: var(--warn); }
"""
_STATES = {0: "pass", 1: "fail", 2: "warn"}
_WORDS = {"same": "the same", "within": "within tolerance", "differ": "different", "not compared": "not compared"}
_CARDS_MOST = 50
_ROWS_MOST = 2000


def write(report: ReplayReport) -> str:
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


def _different(report: ReplayReport) -> str:
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
        rows = f"; {found.differing_rows:,} of {found.rows:,} rows differ" if found.rows > 1 else ""
        lines += [
            f'<p class="soft">first at row {first.row}, {escape(first.where)} (counted from 0){rows}</p>',
            '<div class="pair"><span class="at">recorded</span><span class="at">now</span>',
            f'<span class="value">{escape(first.left)}</span><span class="value">{escape(first.right)}</span></div>',
            f'<p class="soft">{escape(found.note)}</p>' if found.note else "",
        ]
    return "".join([*lines, "</article>"])


def _all(report: ReplayReport) -> str:
    rows = "".join(_row(call) for call in report.calls[:_ROWS_MOST])
    more = len(report.calls) - _ROWS_MOST
    rest = f'<p class="soft">… and {more:,} more; --json has all</p>' if more > 0 else ""
    return f"<details><summary>All calls ({len(report.calls):,})</summary>{rows}{rest}</details>"


def _row(call: Replayed) -> str:
    mark = {"differ": ' class="differ"', "not compared": ' class="not"'}.get(call.state, "")
    words = difference(call) if call.state == "differ" else call.words or _form(call)
    statuses = call.recorded if call.recorded == call.now or not call.now else f"{call.recorded}, now {call.now}"
    times = [] if call.recorded_ms is None or call.ms is None else [f"{call.recorded_ms:.1f} ms, now {call.ms:.1f} ms"]
    facts = " · ".join([statuses, *times])
    more = f'<p class="soft">{escape(words)}</p>' if words else ""
    return (
        f'<div class="row"><span class="name">{call.number}</span> <span{mark}>{_WORDS[call.state]}</span> '
        f'<span class="soft">· {escape(facts)}</span>{more}</div>'
    )


def _form(call: Replayed) -> str:
    found = call.comparison
    if found is None:
        return ""
    rows = f"{found.form}, {found.rows:,} row{'s' * (found.rows != 1)}"
    parts = [rows, *([f"up to {found.largest_absolute:.3g} apart"] if found.largest_absolute else [])]
    return "; ".join([*parts, *([found.note] if found.note else [])])
