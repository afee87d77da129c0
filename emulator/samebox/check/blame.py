"""The line of the Dockerfile that a finding is about, for checks that name none."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebox.check.dockerfile import Dockerfile
    from samebox.check.findings import Finding, Rule

# What starts the program, or brings it into the image: for whatever is seen of the program when it runs.
_PROGRAM = ("ENTRYPOINT", "CMD", "COPY", "ADD", "RUN")
# How a rule's id begins -> the instructions that decide it. The first that the Dockerfile has counts.
_INSTRUCTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("image-user", ("USER",)),
    ("image-exposed-port", ("EXPOSE",)),
    ("image-capability-labels", ("LABEL",)),
    ("multi-model-label", ("LABEL",)),
    ("image-python", ("RUN",)),
    ("image-size", ("RUN",)),
    ("image-layer", ("RUN",)),
    ("image-caches", ("RUN",)),
    ("image-ca-certificates", ("RUN",)),
    ("image-world-writable", ("COPY", "ADD", "RUN")),
    ("serverless-file-permissions", ("COPY", "ADD", "RUN")),
    ("serverless-image-size", ("RUN",)),
    ("image-secrets", ("COPY", "ADD", "RUN")),
    ("image-opt-ml-hidden", ("COPY", "ADD", "RUN")),
    ("image-shebang-crlf", ("COPY", "ADD")),
    ("image-", ()),
    ("", _PROGRAM),
)


def with_line(finding: Finding, rule: Rule, dockerfile: Dockerfile | None) -> Finding:
    """The finding with a line, if it is a fault and there is a Dockerfile. What is wrong with a model has none."""
    if dockerfile is None or finding.line is not None or finding.status not in ("fail", "warn") or not finding.checked:
        return finding
    if rule.family == "artifact":
        return finding
    words = next(words for prefix, words in _INSTRUCTIONS if rule.id.startswith(prefix))
    lines = (dockerfile.line(word) for word in (*words, "FROM"))
    return dataclasses.replace(finding, line=next((line for line in lines if line is not None), None))
