"""Writes goss.yaml and goss_wait.yaml for dgoss, which runs goss in a container of the image. Format of goss 0.4.

goss expands its files as Go templates (text/template) before it parses them. Our own templates stay as they are; braces
in text of the image or the user are escaped.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from samebox.check.exports import reasons, text
from samebox.check.exports.assertions import (
    AccountExists,
    CommandEnds,
    FileAbsent,
    FileExists,
    FileHas,
    FileNotEmpty,
    FileRunnable,
    PortReachable,
    RequestAnswered,
)
from samebox.check.exports.image import has
from samebox.check.exports.text import Exported
from samebox.check.serving.served import SERVED
from samebox.check.static.cuda import NO_DRIVER
from samebox.platform.serving import BIND_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.check.checks import Context
    from samebox.check.exports.assertions import Test
    from samebox.check.findings import Rule

NAME = "goss.yaml"
WAIT_NAME = "goss_wait.yaml"  # dgoss knows it by this name
_ORDER = ("file", "user", "group", "command", "addr", "http")
_COMMAND_MILLISECONDS = 120_000
_PORT = "8080"
_BOUND_PORT = "{{getEnv `SAGEMAKER_BIND_TO_PORT` `8080`}}"
_OWN_ADDRESS = "{{getEnv `HOSTNAME`}}"  # /etc/hosts leads from it to an address that others reach, too
_ABOUT = (
    "What goss can say of the rules of SageMaker's contract, inside a container of the image. Each test bears the id "
    "of its rule: `samebox check --list` explains it, and `samebox check IMAGE` checks it and more. Made for one image "
    "and what it is for: make it anew when these change. Written for goss 0.4 and its dgoss, which wants sh in the "
    "image."
)
_NO_SHELL = "This image has no sh, and dgoss cannot be used on it: see container-structure-test.yaml."
_WAIT_ABOUT = "What dgoss waits for before it runs goss.yaml: the server's start window is 8 minutes."
_Row = dict[str, Any]


def write(context: Context, rules: Sequence[Rule], tests: Sequence[Test]) -> Exported:
    sections: dict[str, list[tuple[str, _Row]]] = {name: [] for name in _ORDER}
    waits: list[tuple[str, _Row]] = []
    expressed = set()
    port = _BOUND_PORT if context.subject.config.labels.get(BIND_LABEL) == "true" else _PORT
    for test in tests:
        found = _row(test, port)
        if found is None:
            continue
        if isinstance(test.assertion, RequestAnswered) and test.assertion.is_readiness:
            waits.append((_plain(test.name), found[1]))
        else:
            sections[found[0]].append((_plain(test.name), found[1]))
            expressed.add(test.rule.id)
    shell = [] if has(context.subject, "sh") else [_NO_SHELL]
    lines = text.header([_ABOUT, *shell], _how(context))
    for name, rows in sections.items():
        if rows:
            lines += [f"{name}:", *text.named(rows), ""]
    left = text.left_out(
        [(one.id, why) for one in rules if one.id in expressed and (why := reasons.partly(context, one))],
        [(one.id, reasons.of_goss(context, one)) for one in rules if one.id not in expressed],
    )
    files = {NAME: "\n".join([*lines[:-1], *(_plain(line) for line in left)]) + "\n"}
    if waits:
        files[WAIT_NAME] = "\n".join([*text.header([_WAIT_ABOUT], _how(context)), "http:", *text.named(waits)]) + "\n"
    return Exported("goss", files, sum(map(len, sections.values())), len(expressed))


def _how(context: Context) -> str:
    if context.claims & (SERVED | {"multi-model"}):
        many = "" if context.claims & SERVED else "-e SAGEMAKER_MULTI_MODEL=true "
        model = "" if many else '-v "$PWD/model:/opt/ml/model:ro" '
        return f"GOSS_WAIT_OPTS='-r 480s -s 1s > /dev/null' dgoss run {many}{model}IMAGE serve"
    return "dgoss run --entrypoint tail IMAGE -f /dev/null"


def _row(test: Test, port: str) -> tuple[str, _Row] | None:
    """The section of the file, and the entry in it."""
    given = test.assertion
    if test.rule is NO_DRIVER:
        return None
    match given:
        case FileExists(path):
            return "file", {"path": _plain(path), "exists": True}
        case FileRunnable(path, by_anybody):
            odd = "[1357]$" if by_anybody else "[1357][0-7]{0,2}$"
            return "file", {"path": _plain(path), "exists": True, "mode": {"match-regexp": odd}}
        case FileAbsent(path):
            return "file", {"path": _plain(path), "exists": False}
        case FileNotEmpty(path):
            return "file", {"path": _plain(path), "exists": True, "size": {"gt": 0}}
        case FileHas(path, pattern, found):
            # A list of patterns would be asked line by line, and lose the ends of lines.
            wanted: _Row = {"match-regexp": _plain(pattern)}
            return "file", {"path": _plain(path), "exists": True, "contents": wanted if found else {"not": wanted}}
        case AccountExists(name, is_group):
            return "group" if is_group else "user", {
                "groupname" if is_group else "username": _plain(name),
                "exists": True,
            }
        case CommandEnds(alone=False):
            return "command", _command(given)
        case PortReachable(milliseconds):
            return "addr", {"address": f"tcp://{_OWN_ADDRESS}:{port}", "reachable": True, "timeout": milliseconds}
        case RequestAnswered():
            return "http", _request(given, port)
    return None


def _command(given: CommandEnds) -> _Row:
    is_script = given.words[:2] == ("sh", "-c")
    row: _Row = {"exec": _plain(given.words[2] if is_script else shlex.join(given.words)), "exit-status": 0}
    if given.line:
        row["stdout"] = [f"/^{_plain(given.line)}$/"]
    if given.silent:
        row["stdout"] = ["!/./"]
    row["timeout"] = _COMMAND_MILLISECONDS
    return row


def _request(given: RequestAnswered, port: str) -> _Row:
    row: _Row = {
        "url": f"http://127.0.0.1:{port}{given.path}",
        "method": given.method,
        "status": _status(given),
        "no-follow-redirects": True,
        "timeout": given.milliseconds,
    }
    if given.headers:
        row["request-headers"] = [f"{name}: {_plain(value)}" for name, value in given.headers.items()]
    if given.method == "POST":
        row["request-body"] = _plain(given.body)
    return row


def _status(given: RequestAnswered) -> Any:
    if given.only:
        return {"or": list(given.only)}
    if given.lowest == given.highest:
        return given.lowest
    bounds: list[Any] = [{"ge": given.lowest}, {"le": given.highest}]
    return {"and": [*bounds, *({"not": status} for status in given.never)]}


def _plain(words: str) -> str:
    """Text with its template braces escaped."""
    return words.replace("{{", "{{`{{`}}")
