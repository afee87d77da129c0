"""The one table that a run ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from bench.figures import Row, bar_shown, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

MET = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def table(rows: Sequence[Row], title: str) -> RenderableType:
    """What, peer, bare limit, ours, ratio, bar, met; the notes are numbered and stand below."""
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, caption_justify="left")
    drawn.add_column("what", overflow="fold", min_width=34)
    for name in ("peer", "bare limit", "ours", "ratio"):
        drawn.add_column(name, justify="right", no_wrap=True)
    drawn.add_column("bar", no_wrap=True)
    drawn.add_column("", no_wrap=True)
    notes: list[str] = []
    for row in rows:
        if row.note and row.note not in notes:
            notes.append(row.note)
        mark = f" [dim]({notes.index(row.note) + 1})[/]" if row.note else ""
        drawn.add_row(
            row.what + mark,
            shown(row.peer, row.unit),
            shown(row.bare, row.unit),
            shown(row.ours, row.unit),
            "-" if row.ratio is None else f"{row.ratio:.2f}",
            bar_shown(row.bar, row.unit),
            MET[row.is_met],
        )
    drawn.caption = "\n".join(f"({number}) {note}" for number, note in enumerate(notes, 1))
    drawn.caption_style = "dim"
    return drawn
