"""The report as one self-contained page of HTML: the verdict on top, readable on a phone and on paper."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from samebox.check.reports.page import STYLE
from samebox.parity.agreement import at_one
from samebox.parity.differences import ABSENT
from samebox.parity.inventory import GROUPS
from samebox.parity.known import WEIGHTS
from samebox.parity.terminal import STATE_WORDS, detail, layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from samebox.parity.agreement import Compared, ParityReport
    from samebox.parity.differences import Disparity
    from samebox.parity.known import Weight
    from samebox.parity.predict import Predicted

_STYLE = """
main { max-width: 58rem; }
h1 { font-size: 1.6rem; }
.same, .within { --state: var(--pass); } .differ { --state: var(--fail); } .not { --state: var(--warn); }
.likely { --state: var(--fail); } .possibly { --state: var(--warn); } .hardly { --state: var(--rule); }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .15rem .8rem; margin: .35rem 0 0; }
.pair > * { min-width: 0; } .pair .at { color: var(--soft); font-size: .8rem; }
.pair .value { font: .88em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.row { border-top: 1px solid var(--rule); padding: .45rem 0; } .row:first-of-type { border-top: 0; }
.name { font-weight: 600; } .unlike { color: var(--warn); }
.images { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 .7rem; margin: .5rem 0 0; }
pre { white-space: pre-wrap; margin: .4rem 0 0; color: var(--soft); max-height: 16rem; overflow: auto; }
h2.group { font-size: .95rem; color: var(--soft); margin: 1rem 0 .2rem; }
"""
_TITLES: dict[Weight, str] = {
    "likely": "Likely to change predictions",
    "possibly": "May possibly change predictions",
    "hardly": "Differ, and hardly matter",
}


def write(report: ParityReport) -> str:
    when = datetime.fromtimestamp(report.started_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    notes = "".join(f'<p class="soft">{escape(note)}</p>' for note in report.notes)
    contents = f"<p>{escape(report.of_contents)}</p>" if report.asked else ""
    tolerance = (
        f"tolerance {report.tolerance.absolute:g} + {report.tolerance.relative:g} of the value; "
        if report.asked
        else ""
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report.verdict)}: {escape(report.left.image)} and {escape(report.right.image)}</title>
<style>{STYLE}{_STYLE}</style>
</head>
<body>
<main>
<header class="{report.grade}">
<h1>{escape(report.verdict)}</h1>
<p><strong>{escape(report.sentence)}</strong></p>
{contents}
<div class="images"><span class="soft">train</span><code>{escape(report.left.image)}</code>
<span class="soft">serve</span><code>{escape(report.right.image)}</code></div>
<p class="soft">{escape(layers(report))}</p>
<p class="soft">{tolerance}{when}; {report.seconds:.1f} s; samebox {escape(report.version)}</p>
{notes}</header>
{_predictions(report)}
{"".join(_differences(report, weight) for weight in WEIGHTS)}
{_side_by_side(report)}
</main>
</body>
</html>
"""


def _predictions(report: ParityReport) -> str:
    if not report.asked:
        return ""
    cards = [_compared(one) for one in report.compared if one.state in ("differ", "not compared")]
    rows = []
    for _, found in report.by_input:
        fine = [one for one in found if one.state in ("same", "within")]
        rows += [_line(fine[0], len(found))] if at_one(found) else [_line(one) for one in fine]
    if rows:
        title = "These agree" if cards else "All answers agree"
        cards.append(f'<article class="same"><h2>{title}</h2>{"".join(rows)}</article>')
    is_open = " open" if any(one.log for one in report.predicted) else ""
    places = "".join(_place(one) for one in report.predicted)
    cards.append(f"<details{is_open}><summary>Where, and how</summary>{places}</details>")
    return "<h3>Predictions</h3>" + "\n".join(cards)


def _compared(one: Compared) -> str:
    first = one.comparison.first if one.comparison else None
    found = ""
    if first is not None:
        where = f"first at row {first.row}, {escape(first.where)} (counted from 0)"
        found = f'<p class="soft">{where}</p>{_pair(one.left, first.left, one.right, first.right)}'
        if one.rows is not None and one.rows != (first.left, first.right):
            found += f'<p class="soft">the whole row</p>{_pair(one.left, one.rows[0], one.right, one.rows[1])}'
    title = escape(one.input or one.right or one.left)
    between = f"{escape(one.left)} and {escape(one.right)}: " if one.input else ""
    state = "not" if one.state == "not compared" else one.state
    words = escape(detail(one).removeprefix(f"{one.left}: ") if first is None else _without_first(one))
    return (
        f'<article class="{state}"><p class="state">{STATE_WORDS[one.state].capitalize()}</p><h2>{title}</h2>'
        f'<p class="seen">{between}{words}</p>{found}</article>'
    )


def _without_first(one: Compared) -> str:
    found = one.comparison
    assert found is not None
    parts = [f"{found.differing_rows:,} of {found.rows:,} rows"] if found.rows else []
    if found.largest_absolute:
        parts.append(f"up to {found.largest_absolute:.3g} apart")
    return "; ".join([*parts, *([found.note] if found.note else [])])


def _line(one: Compared, pairs: int = 1) -> str:
    """`pairs`: how many comparisons this line speaks for, where all of them are the same."""
    words = detail(one)
    more = f'<p class="soft">{escape(words)}</p>' if words else ""
    between = "the same everywhere" if pairs > 1 else ""
    between = between or f"{escape(one.left)} and {escape(one.right)}: {STATE_WORDS[one.state]}"
    return f'<div class="row"><span class="name">{escape(one.input)}</span> · {between}{more}</div>'


def _place(one: Predicted) -> str:
    words = "".join(f"<p>{escape(part)}</p>" for part in (one.problem, *one.notes) if part)
    log = f"<pre>{escape(chr(10).join(one.log))}</pre>" if one.log else ""
    how = " · ".join([*([escape(one.how)] if one.how else []), f"{one.seconds:.1f} s"])
    name = f'<span class="name">{escape(one.place)}</span>'
    return f'<div class="row">{name} <span class="soft">{how}</span>{words}{log}</div>'


def _differences(report: ParityReport, weight: Weight) -> str:
    found = [one for one in report.differences if one.weight == weight]
    if not found:
        return ""
    if weight == "likely":
        return f"<h3>{_TITLES[weight]} ({len(found)})</h3>" + "".join(_card(report, one) for one in found)
    if weight == "hardly":  # many, and each of little weight
        names = (f"{one.group}: {one.name}" for one in found)
        facts = "".join(_fact(name, one.left, one.right) for name, one in zip(names, found, strict=True))
        return f"<details><summary>{_TITLES[weight]} ({len(found)})</summary>{_heads(report)}{facts}</details>"
    rows = "".join(f'<div class="row">{_words(report, one)}</div>' for one in found)
    return f"<details open><summary>{_TITLES[weight]} ({len(found)})</summary>{rows}</details>"


def _card(report: ParityReport, one: Disparity) -> str:
    return f'<article class="{one.weight}">{_words(report, one)}</article>'


def _words(report: ParityReport, one: Disparity) -> str:
    source = f'<p class="soft">{escape(one.source)}</p>' if one.source else ""
    return (
        f'<span class="name">{escape(one.name)}</span> <span class="soft">{escape(one.group)}</span>'
        f"{_pair(report.left.image, one.left, report.right.image, one.right)}<p>{escape(one.why)}</p>{source}"
    )


def _pair(left: str, ours: str, right: str, theirs: str) -> str:
    return (
        f'<div class="pair"><span class="at">{escape(left)}</span><span class="at">{escape(right)}</span>'
        f'<span class="value">{escape(ours)}</span><span class="value">{escape(theirs)}</span></div>'
    )


def _side_by_side(report: ParityReport) -> str:
    ours, theirs = report.left.facts(), report.right.facts()
    groups: Iterable[str] = (group for group in GROUPS if group != "programs")
    parts: list[str] = []
    for group in groups:
        one, other = ours.get(group, {}), theirs.get(group, {})
        names: Sequence[str] = sorted({*one, *other}, key=str.lower)
        if names:
            rows = "".join(_fact(name, one.get(name), other.get(name)) for name in names)
            parts.append(f'<h2 class="group">{escape(group)}</h2>{rows}')
    return f"<details><summary>Side by side</summary>{_heads(report)}{''.join(parts)}</details>"


def _heads(report: ParityReport) -> str:
    """Above values that stand beside each other."""
    heads = (f'<span class="at">{escape(name)}</span>' for name in (report.left.image, report.right.image))
    return f'<div class="pair">{"".join(heads)}</div>'


def _fact(name: str, one: str | None, other: str | None) -> str:
    unlike = "" if one == other else " unlike"
    values = "".join(f'<span class="value{unlike}">{escape(value or ABSENT)}</span>' for value in (one, other))
    return f'<div class="row"><span class="name">{escape(name)}</span><div class="pair">{values}</div></div>'
