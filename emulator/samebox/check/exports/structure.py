"""Writes container-structure-test.yaml: schema 2.0.0, as of its version 1.19.

Three limits of that tool shape the file. It has one metadata test for the whole image, so comments name the rule of
each member. It expands every $ in commands and paths. It has no time limit for a command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from samebox.check.exports import reasons, text
from samebox.check.exports.assertions import (
    AccountExists,
    CommandEnds,
    EntrypointIs,
    FileAbsent,
    FileExists,
    FileHas,
    FileNotEmpty,
    FileRunnable,
    LabelIs,
    PortExposed,
    VariableMatches,
)
from samebox.check.exports.image import literal
from samebox.check.exports.text import Exported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.check.checks import Context
    from samebox.check.exports.assertions import Assertion, Test
    from samebox.check.findings import Rule

NAME = "container-structure-test.yaml"
_HOW = "container-structure-test test --image IMAGE --config container-structure-test.yaml"
_ABOUT = (
    "What container-structure-test can say of the rules of SageMaker's contract. Each test bears the id of its rule: "
    "`samebox check --list` explains it, and `samebox check IMAGE` checks it and more. Made for one image and what it "
    "is for: make it anew when these change. Written for container-structure-test 1.19, schemaVersion 2.0.0."
)
_Row = dict[str, Any]


def write(context: Context, rules: Sequence[Rule], tests: Sequence[Test]) -> Exported:
    lists: dict[str, list[_Row]] = {"commandTests": [], "fileExistenceTests": [], "fileContentTests": []}
    metadata: list[tuple[Test, str, Any]] = []
    expressed = set()
    for test in tests:
        row = _row(test)
        member = _member(test.assertion)
        if row is not None:
            lists[row[0]].append(row[1])
        elif member is not None:
            metadata.append((test, *member))
        else:
            continue
        expressed.add(test.rule.id)
    lines = [*text.header([_ABOUT], _HOW), 'schemaVersion: "2.0.0"']
    for name, rows in lists.items():
        if rows:
            lines += ["", f"{name}:", *text.items(rows)]
    lines += _metadata(metadata)
    lines += text.left_out(
        [(one.id, why) for one in rules if one.id in expressed and (why := reasons.partly(context, one))],
        [(one.id, reasons.of_structure(context, one)) for one in rules if one.id not in expressed],
    )
    count = sum(map(len, lists.values())) + bool(metadata)
    return Exported("container-structure-test", {NAME: "\n".join(lines) + "\n"}, count, len(expressed))


def _row(test: Test) -> tuple[str, _Row] | None:
    """The list of the file, and the entry in it."""
    given, name = test.assertion, {"name": test.name}
    match given:
        case CommandEnds():
            return ("commandTests", {**name, **_command(given)}) if _has_no_dollar(given) else None
        case AccountExists(group, True):
            return "fileContentTests", {
                **name,
                "path": "/etc/group",
                "expectedContents": [f"(?m)^{literal(group)}:"],
            }
        case AccountExists(user):
            return "fileContentTests", {
                **name,
                "path": "/etc/passwd",
                "expectedContents": [f"(?m)^{literal(user)}:"],
            }
        case _ if "$" in getattr(given, "path", ""):
            return None
        case FileExists(path):
            return "fileExistenceTests", {**name, "path": path, "shouldExist": True}
        case FileRunnable(path, by_anybody):
            by = "other" if by_anybody else "any"
            return "fileExistenceTests", {**name, "path": path, "shouldExist": True, "isExecutableBy": by}
        case FileAbsent(path):
            return "fileExistenceTests", {**name, "path": path, "shouldExist": False}
        case FileNotEmpty(path):
            return "fileContentTests", {**name, "path": path, "expectedContents": ["(?s)."]}
        case FileHas(path, pattern, found):
            return "fileContentTests", {
                **name,
                "path": path,
                "expectedContents" if found else "excludedContents": [pattern],
            }
    return None


def _command(given: CommandEnds) -> _Row:
    row: _Row = {"setup": [list(one) for one in given.before]} if given.before else {}
    row["command"] = given.words[0]
    if given.words[1:]:
        row["args"] = list(given.words[1:])
    if given.line:
        row["expectedOutput"] = [f"(?m)^{given.line}$"]
    if given.silent:
        row["excludedOutput"] = ["(?s)."]
    row["exitCode"] = 0
    return row


def _has_no_dollar(given: CommandEnds) -> bool:
    return not any("$" in word for words in (given.words, *given.before) for word in words)


def _member(given: Assertion) -> tuple[str, Any] | None:
    """Of the metadata test: its name, and its value or one item of it."""
    match given:
        case EntrypointIs(words):
            return "entrypoint", list(words)
        case LabelIs(name, value):
            return "labels", {"key": name, "value": value}
        case PortExposed(port):
            return "exposedPorts", port
        case VariableMatches(name, None):
            return "unboundEnvVars", {"key": name}
        case VariableMatches(name, pattern):
            return "envVars", {"key": name, "value": pattern, "isRegex": True}
    return None


def _metadata(members: Sequence[tuple[Test, str, Any]]) -> list[str]:
    if not members:
        return []
    lines = ["", "metadataTest:"]
    for name in dict.fromkeys(name for _, name, _ in members):
        here = [(test, given) for test, one, given in members if one == name]
        for rule_id in dict.fromkeys(test.rule.id for test, _ in here):
            lines += text.comment(rule_id, "  ")
        if name == "entrypoint":
            lines.append(f"  {name}: {text.value(here[0][1])}")
        else:
            lines += [f"  {name}:", *(f"    - {text.value(given)}" for _, given in here)]
    return lines
