"""The coverage as a page of Markdown: docs/coverage.md, which `scripts/fidelity` writes."""

from collections.abc import Iterable, Sequence

from samebox.services.coverage import (
    SERVICES,
    CoveredOperation,
    Grade,
    MemberNote,
    by_reason,
    refused,
    without_effect,
)

_HEAD = """# Coverage

`scripts/fidelity` writes this page from the code; `samebox coverage` shows the same, and `samebox coverage OPERATION`
what is to be known of one. Each operation in botocore's models of these services is

- **run**: it does what it does on AWS, but for the [members without effect](#accepted-but-not-acted-on) and
  [those that are refused](#refused);
- **stored**: what it is given is kept, listed, shown and checked as on AWS, and there is nothing to run;
- **absent**: answered with status 501, which names the operation and the reason.

What can run and does not is absent, never stored. An operation that is run is called through a client by a test
(`tests/laws/test_coverage.py` finds the calls). Tests hold each grade to what a whole emulator answers
(`tests/laws/test_emulator_never_500.py`), try out each member of each operation that is run
(`tests/laws/test_members_act.py`), and each noun that is stored (`tests/laws/test_kinds.py`).
"""


def write(operations: Sequence[CoveredOperation]) -> str:
    """The whole page."""
    services = [name for name in SERVICES if any(one.service == name for one in operations)]
    parts = [
        _HEAD,
        _summary(operations, services),
        *(_of_service(name, [one for one in operations if one.service == name]) for name in services),
        _notes(
            "Accepted but not acted on",
            "These members are accepted, stored and returned, but have no effect, or less than on AWS.",
            "On AWS",
            without_effect(operations),
        ),
        _notes(
            "Refused",
            "These members are answered 501 unless they have a value that runs.",
            "Runs with",
            refused(operations),
        ),
    ]
    return "\n".join(parts)


def _summary(operations: Sequence[CoveredOperation], services: Sequence[str]) -> str:
    lines = ["| Service | Operations | Run | Stored | Absent |", "| --- | --- | --- | --- | --- |"]
    for name in services:
        grades = [one.grade for one in operations if one.service == name]
        counts = " | ".join(str(grades.count(grade)) for grade in Grade)
        lines.append(f"| [{name}](#{name}) | {len(grades)} | {counts} |")
    return "\n".join([*lines, ""])


def _of_service(name: str, operations: Sequence[CoveredOperation]) -> str:
    lines = [f"## {name}", ""]
    for title, grade in (("Run", Grade.RUNS), ("Stored", Grade.STORED)):
        names = [one.name for one in operations if one.grade is grade]
        if names:
            lines += [f"**{title}**: {', '.join(names)}", ""]
    absent = by_reason(operations)
    if absent:
        lines += ["| Absent | Why |", "| --- | --- |"]
        lines += [f"| {_shortened(names, operations)} | {reason} |" for reason, names in absent.items()]
        lines.append("")
    return "\n".join(lines)


def _shortened(names: Sequence[str], operations: Sequence[CoveredOperation]) -> str:
    is_all = len(names) == len(operations)
    return f"all {len(names)}" if is_all and len(names) > 1 else ", ".join(names)


def _notes(title: str, sentence: str, column: str, notes: Iterable[MemberNote]) -> str:
    lines = [f"## {title}", "", sentence, "", f"| Operation | Member | {column} |", "| --- | --- | --- |"]
    lines += [f"| {note.operation} | {', '.join(f'`{path}`' for path in note.paths)} | {note.text} |" for note in notes]
    return "\n".join([*lines, ""])
