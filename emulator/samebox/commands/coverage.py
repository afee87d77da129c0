"""`samebox coverage`: which operations of AWS run, are only stored, or are absent, and why. Needs no emulator."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from samebox.commands import coverage_markdown, coverage_page, reporting
from samebox.commands.outcome import Stop
from samebox.services import coverage
from samebox.services.coverage import SERVICES, CoveredOperation, Grade

_STYLES = {Grade.RUNS: "green", Grade.STORED: "cyan", Grade.ABSENT: "dim"}


def run(given: argparse.Namespace) -> int:
    reports = {"json": as_json, "html": coverage_page.write, "markdown": coverage_markdown.write}
    wanted = [(path, write) for form, write in reports.items() if (path := getattr(given, form))]
    reporting.look_at(path for path, _ in wanted)
    operations = chosen(coverage.covered(), given.about)
    for path, write in wanted:
        reporting.write(path, write(operations))
    if all(path != "-" for path, _ in wanted):
        show(operations, Console(file=sys.stdout, soft_wrap=True), bool(given.about))
    return 0


def chosen(operations: Sequence[CoveredOperation], about: str | None) -> Sequence[CoveredOperation]:
    """All, those of a service, or the one of this name. Raises Stop where there is none."""
    if not about:
        return operations
    found = [one for one in operations if about.lower() in (one.service, one.name.lower())]
    if not found:
        raise Stop(
            f"{about} is neither an operation nor one of the services {', '.join(SERVICES)}. "
            "`samebox coverage --json -` lists all operations.",
            status=2,
        )
    return found


def counted(operations: Sequence[CoveredOperation]) -> dict[str, Counter[Grade]]:
    """How many operations of each service have each grade."""
    return {
        service: Counter(one.grade for one in operations if one.service == service)
        for service in SERVICES
        if any(one.service == service for one in operations)
    }


def show(operations: Sequence[CoveredOperation], console: Console, one_by_one: bool) -> None:
    """On a terminal: how many of each service; with `one_by_one`, each with its reason and its members."""
    if not one_by_one:
        console.print(_summary(operations))
        console.print("`samebox coverage SERVICE` or `samebox coverage OPERATION` lists them, and why.", style="dim")
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in operations:
        table.add_row(one.name, f"[{_STYLES[one.grade]}]{one.grade.value}[/]", one.reason)
    console.print(table)
    for title, notes in (
        ("Accepted, and without the effect that it has on AWS:", coverage.without_effect(operations)),
        ("Answered 501, but with these values:", coverage.refused(operations)),
    ):
        if notes:
            console.print(title, style="bold")
        for note in notes:
            console.print(f"{note.operation} {', '.join(note.paths)}: {note.text}", markup=False, highlight=False)


def _summary(operations: Sequence[CoveredOperation]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("service")
    for grade in Grade:
        table.add_column(grade.value, justify="right", style=_STYLES[grade])
    for service, counts in counted(operations).items():
        table.add_row(service, *(str(counts[grade]) for grade in Grade))
    return table


def as_json(operations: Sequence[CoveredOperation]) -> str:
    """One object: each operation with grade, reason and members."""
    document = {
        "format": "samebox-coverage/1",
        "operations": [
            {
                "service": one.service,
                "operation": one.name,
                "grade": one.grade.value,
                "reason": one.reason,
                "accepted": [{"member": row.path, "on_aws": row.reason} for row in one.without_effect()],
                "refused": [{"member": row.path, "runs_with": list(row.values)} for row in one.refused()],
            }
            for one in operations
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
