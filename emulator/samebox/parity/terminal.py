"""The report on a terminal: the differences between the images, the predictions, and the verdict last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from samebox.log_excerpt import excerpt
from samebox.parity import differences
from samebox.parity.agreement import at_one
from samebox.parity.inventory import shared
from samebox.parity.known import WEIGHTS

if TYPE_CHECKING:
    from rich.console import Console

    from samebox.parity.agreement import Compared, ParityReport

_STYLES = {"likely": "bold red", "possibly": "yellow", "hardly": "dim"}
_STATES = {"same": "green", "within": "green", "differ": "bold red", "not compared": "yellow"}
_GRADES = {"pass": "bold green", "warn": "bold yellow", "fail": "bold red"}
_LOG_LINES = 10  # of a log in which no exception stands
_MOST = 12  # of those that may possibly matter, before the rest is a number
STATE_WORDS = {"same": "same", "within": "within tolerance", "differ": "differ", "not compared": "not compared"}


def show(report: ParityReport, console: Console, everything: bool = False) -> None:
    """`everything`: also all that hardly matters."""
    _contents(report, console, everything)
    _predictions(report, console)
    for note in report.notes:
        console.print(f"[dim]{escape(note)}[/]", highlight=False)
    console.print(Text(f"{report.verdict}: {report.sentence}", style=_GRADES[report.grade]))
    if report.asked:
        console.print(Text(report.of_contents, style="dim"))
    console.print(f"[dim]{escape(layers(report))}; {report.seconds:.1f} s[/]", highlight=False)


def layers(report: ParityReport) -> str:
    """`26 of 28 layers are shared (1.64 of 1.68 GB)`."""
    count, size = shared(report.left, report.right)
    if report.left.image_id and report.left.image_id == report.right.image_id:
        return "both are the same image"
    return (
        f"{count} of {len(report.right.layers)} layers of {report.right.image} are {report.left.image}'s, too "
        f"({_bytes(size)} of {_bytes(report.right.size_bytes)})"
    )


def _contents(report: ParityReport, console: Console, everything: bool) -> None:
    counts = differences.counts(report.differences)
    for weight in WEIGHTS:
        found = [one for one in report.differences if one.weight == weight]
        if not found or (weight == "hardly" and not everything):
            continue
        most = len(found) if everything or weight == "likely" else _MOST
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left", title_style="bold")
        table.title = f"{weight} to change a prediction" if weight == "likely" else f"{weight} changes a prediction"
        table.add_column("", style=_STYLES[weight], overflow="fold", ratio=3)
        table.add_column(report.left.image, overflow="fold", ratio=2)
        table.add_column(report.right.image, overflow="fold", ratio=2)
        if weight != "hardly":
            table.add_column("why", style="dim", overflow="fold", ratio=5)
        for one in found[:most]:
            name = one.name if one.group == "Python packages" else f"{one.group}: {one.name}"
            why = f"{one.why} [{one.source}]" if one.source and weight == "likely" else one.why
            words = (name, one.left, one.right) if weight == "hardly" else (name, one.left, one.right, why)
            table.add_row(*map(Text, words))
        console.print(table)
        if len(found) > most:
            console.print(f"[dim]… and {len(found) - most} more (--verbose shows them)[/]", highlight=False)
        console.print()
    if counts["hardly"] and not everything:
        these = "difference that hardly matters" if counts["hardly"] == 1 else "differences that hardly matter"
        console.print(f"[dim]{counts['hardly']} {these} (--verbose, --html)[/]", highlight=False)


def _predictions(report: ParityReport, console: Console) -> None:
    for place in report.predicted:
        if place.problem:
            console.print(Text(f"{place.place}: {place.problem}", style="yellow"))
        elif place.how:
            console.print(f"[dim]{escape(place.place)}: {escape(place.how)}, {place.seconds:.1f} s[/]", highlight=False)
        for line in excerpt(place.log, last=_LOG_LINES):
            console.print(Text(f"  {line}", style="dim"))
        for note in place.notes:
            console.print(f"[dim]{escape(place.place)}: {escape(note)}[/]", highlight=False)
    shown = [(name, found) for name, found in report.by_input if name]
    if not shown:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("input", "between", "answers", ""):
        table.add_column(column, overflow="fold")
    for name, found in shown:
        if at_one(found):
            table.add_row(
                Text(name), Text("all" if len(found) > 1 else "both"), _state(found[0]), Text(detail(found[0]))
            )
            continue
        for one in found:
            table.add_row(Text(name), Text(f"{one.left}, {one.right}"), _state(one), Text(detail(one)))
    console.print(table)
    for one in report.compared:
        if one.rows is not None and one.comparison is not None and one.comparison.first is not None:
            console.print(Text(f"{one.input}, row {one.comparison.first.row}", style="bold"))
            for name, row in zip((one.left, one.right), one.rows, strict=True):
                console.print(Text.assemble((f"  {name}: ", "dim"), row))


def _state(one: Compared) -> Text:
    return Text(STATE_WORDS[one.state], style=_STATES[one.state])


def detail(one: Compared) -> str:
    """The details of a comparison, beside its state."""
    found = one.comparison
    if found is None:
        return one.problem
    parts = [f"{found.rows:,} {'row' if found.rows == 1 else 'rows'}"] if found.rows else []
    if one.state == "differ" and found.differing_rows:
        parts.append(f"{found.differing_rows:,} {'differs' if found.differing_rows == 1 else 'differ'}")
    if found.largest_absolute:
        parts.append(f"up to {found.largest_absolute:.3g} apart")
    if one.state == "differ" and found.first is not None:
        first = found.first
        parts.append(f"first at row {first.row}, {first.where}: {first.left} against {first.right}")
    if found.note:
        parts.append(found.note)
    return "; ".join(parts)


def _bytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
