"""The coverage as one self-contained page of HTML, a section for each service."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib.metadata import version

from samebox.check.reports.page import STYLE
from samebox.services.coverage import (
    SERVICES,
    CoveredOperation,
    Grade,
    MemberNote,
    by_reason,
    refused,
    without_effect,
)

_STYLE = """
main { max-width: 62rem; }
header { --state: var(--accepted); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-top: 1px solid var(--rule); }
td.number, th.number { text-align: right; }
.names { color: var(--soft); font-size: .92rem; }
"""
_CODE = re.compile(r"`([^`]+)`")


def write(operations: Sequence[CoveredOperation]) -> str:
    """The whole page."""
    services = [name for name in SERVICES if any(one.service == name for one in operations)]
    sections = "\n".join(_section(name, [one for one in operations if one.service == name]) for name in services)
    accepted = _notes("Accepted but not acted on", "On AWS", without_effect(operations))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coverage of samebox {escape(version("samebox"))}</title>
<style>{STYLE}{_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>What samebox runs of AWS</h1>
<p>Each operation runs, is only stored, or is absent: answered with status 501.</p>
{_summary(operations, services)}
<p class="soft">samebox {escape(version("samebox"))}</p>
</header>
{sections}
{accepted}
{_notes("Refused", "Runs with", refused(operations))}
</main>
</body>
</html>
"""


def _summary(operations: Sequence[CoveredOperation], services: Sequence[str]) -> str:
    head = "".join(f'<th class="number">{grade.value}</th>' for grade in Grade)
    rows = []
    for name in services:
        grades = [one.grade for one in operations if one.service == name]
        counts = "".join(f'<td class="number">{grades.count(grade)}</td>' for grade in Grade)
        rows.append(f'<tr><td><a href="#{name}">{name}</a></td>{counts}</tr>')
    return f"<table><tr><th>service</th>{head}</tr>{''.join(rows)}</table>"


def _section(name: str, operations: Sequence[CoveredOperation]) -> str:
    parts = []
    for grade, state in ((Grade.RUNS, "pass"), (Grade.STORED, "accepted")):
        names = [one.name for one in operations if one.grade is grade]
        if names:
            parts.append(
                f'<article class="{state}"><p class="state">{grade.value}</p>'
                f'<p class="names">{escape(", ".join(names))}</p></article>'
            )
    rows = "".join(
        f'<tr><td>{escape(reason)}</td><td class="names">{escape(", ".join(names))}</td></tr>'
        for reason, names in by_reason(operations).items()
    )
    if rows:
        parts.append(f"<details><summary>absent</summary><table>{rows}</table></details>")
    return f'<h3 id="{name}">{name}</h3>{"".join(parts)}'


def _notes(title: str, column: str, notes: Iterable[MemberNote]) -> str:
    rows = "".join(_note(note) for note in notes)
    if not rows:
        return ""
    head = f"<tr><th>operation</th><th>member</th><th>{column}</th></tr>"
    return f"<details><summary>{title}</summary><table>{head}{rows}</table></details>"


def _note(note: MemberNote) -> str:
    paths = "<br>".join(f"<code>{escape(path)}</code>" for path in note.paths)
    text = _CODE.sub(r"<code>\1</code>", escape(note.text))
    return f"<tr><td>{escape(note.operation)}</td><td>{paths}</td><td>{text}</td></tr>"
