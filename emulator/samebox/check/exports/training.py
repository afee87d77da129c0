"""Assertions for the training rules: a job without channels, in its own container, under a tree like SageMaker's."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from samebox.check.exports.assertions import CommandEnds, Test
from samebox.check.exports.image import has, mended_entrypoint
from samebox.check.training.failing import EXIT_CODE
from samebox.check.training.rules import COMPLETES, LOGS, MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samebox.check.checks import Context

_SECONDS = 600  # neither tool would end a job that hangs
_NAMED = "echo 127.0.0.1 algo-1 >> /etc/hosts"  # programs wait until their host's name is known
_HOSTS = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}


def tests(context: Context) -> Iterator[Test]:
    if "train" not in context.claims or why_not(context):
        return
    words = [*mended_entrypoint(context.subject), "train"]
    if has(context.subject, "timeout"):
        words = ["timeout", str(_SECONDS), *words]
    job, tree = f"{_NAMED} && {shlex.join(words)}", _tree(context)
    yield Test(COMPLETES, "exit code 0", _script(job, tree))
    yield Test(LOGS, "it logs", replace(_script(f"{job} 2>&1 || true", tree), line=r".*\S.*"))
    if has(context.subject, "find"):
        found = CommandEnds(
            ("find", "/opt/ml/model", "-type", "f"), "/.*", before=(tree, ("sh", "-c", job)), alone=True
        )
        yield Test(MODEL, "a file is in /opt/ml/model afterwards", found)
    # Root may write to any folder. Where there is a file in the folder's place, not even root can.
    failing = f"rm -rf /opt/ml/model && : > /opt/ml/model && if {job}; then exit 1; fi"
    yield Test(EXIT_CODE, "no exit code 0 when /opt/ml/model cannot be written", _script(failing, tree))


def _script(script: str, *before: tuple[str, ...]) -> CommandEnds:
    return CommandEnds(("sh", "-c", script), before=before, alone=True)


def why_not(context: Context) -> str:
    """A reason for having none of them here, or nothing."""
    if context.options.data is not None:
        return "the data is on this machine, and a container of the tool would not see it."
    if context.subject.config.user.partition(":")[0] not in ("", "root", "0"):
        return "/opt/ml is made by the test, and the image's USER may not."
    if not has(context.subject, "sh", "mkdir"):
        return "/opt/ml is made by a shell, and the image has none."
    if "$" in json.dumps(dict(context.options.hyperparameters)):
        return "container-structure-test takes $ in a hyperparameter for a variable."
    return ""


def _tree(context: Context) -> tuple[str, ...]:
    folders = ("input/config", "input/data", "model", "output/data")
    documents = {
        "hyperparameters": dict(context.options.hyperparameters),
        "inputdataconfig": {},
        "resourceconfig": _HOSTS,
    }
    lines = [f"mkdir -p {' '.join(f'/opt/ml/{one}' for one in folders)}"]
    for name, document in documents.items():
        text = shlex.quote(json.dumps(document, separators=(",", ":")))
        lines.append(f"printf %s {text} > /opt/ml/input/config/{name}.json")
    return ("sh", "-c", " && ".join(lines))
