"""The result of a replay on a screen: what differs, how many calls are what, and the verdict."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from samebox.check.findings import harmless
from samebox.parity.replay import ReplayReport, difference

_SHOWN_MOST = 10  # different calls on a screen; the first is what a person looks at


_STYLES = {0: "bold green", 1: "bold red", 2: "bold yellow"}


def show(report: ReplayReport, screen: Console, everything: bool = False) -> None:
    """On a screen: what differs, then how many are what, then the verdict."""
    found = report.of("differ")
    shown = report.calls if everything else found[:_SHOWN_MOST]
    if shown:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column in ("call", "line", "", "recorded", "now"):
            table.add_column(column, no_wrap=True)
        table.add_column("", overflow="fold")
        for call in shown:
            style = "red" if call.state == "differ" else "dim"
            words = difference(call) if call.state == "differ" else call.words
            state = {"within": "within tolerance", "differ": "different"}.get(call.state, call.state)
            cells = (str(call.number), str(call.line), state, call.recorded, call.now, words)
            table.add_row(*(Text(cell) for cell in cells), style=style)
        screen.print(table)
        if not everything and len(found) > _SHOWN_MOST:
            screen.print(f"[dim]… and {len(found) - _SHOWN_MOST} more that differ (--verbose shows all)[/]")
    elsewhere = sorted({call.words for call in report.of("not compared")})
    for words in elsewhere[:_SHOWN_MOST] if not everything else ():
        screen.print(f"[dim]not compared: {escape(words)}[/]")
    if report.ended_early:
        screen.print(Text(f"not all calls were sent: {harmless(report.ended_early)}", style="yellow"))
    for note in report.notes:
        screen.print(f"[dim]{escape(harmless(note))}[/]")
    screen.print(Text(f"{report.verdict}: {report.sentence}", style=_STYLES[report.exit_status]))
    if report.first is not None:
        counted = " (rows are counted from 0)" if report.first.comparison is not None else ""
        screen.print(Text(f"the first is call {report.first.number}: {difference(report.first)}{counted}"))
    if report.latencies:
        screen.print(f"[dim]latency {escape(report.latencies)}[/]")
