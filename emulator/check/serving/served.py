"""What a server is asked, where nobody says what, and its first answers: to payloads that were given, or to a probe."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.check.checks import CannotCheck
from emulator.check.serving.server import running
from emulator.check.serving.wire import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emulator.check.checks import Claim, Context, Need
    from emulator.check.serving.wire import Answer

ENGINE: frozenset[Need] = frozenset({"engine"})
SERVED: frozenset[Claim] = frozenset({"serve", "transform", "serverless", "streaming"})
INVOCATION_SECONDS = 60.0  # contract §2.2
FAST_SECONDS = 15.0
# What AWS's own containers call these; the rest is what everybody calls it.
_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".csv": "text/csv",
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".libsvm": "text/x-libsvm",
    ".parquet": "application/x-parquet",
    ".recordio": "application/x-recordio-protobuf",
}


@dataclass(frozen=True)
class Payload:
    """A body of /invocations. `is_given`: a person gave it, and so it must be answered well."""

    name: str
    body: bytes
    content_type: str
    is_given: bool = True

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Content-Type": self.content_type}


PROBE = Payload("a probe, {}", b"{}", "application/json", is_given=False)


def payloads(context: Context) -> list[Payload]:
    """Those that were given, else the probe."""
    return [Payload(path.name, path.read_bytes(), content_type(path)) for path in context.options.payloads] or [PROBE]


def payload(context: Context) -> Payload:
    """One, the smallest that there is: for checks that ask often."""
    return min(payloads(context), key=lambda one: len(one.body))


def content_type(path: Path) -> str:
    return _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def patience(context: Context) -> float:
    """How long an invocation is waited for."""
    longest = context.options.patience or (FAST_SECONDS if context.options.fast else INVOCATION_SECONDS)
    return max(min(longest, context.deadline.left - 2), 0.1)


def first_answers(context: Context) -> list[tuple[Payload, Answer | NoAnswer]]:
    """Of every payload, asked once for all who want to know."""

    def ask() -> list[tuple[Payload, Answer | NoAnswer]]:
        server = running(context)
        found: list[tuple[Payload, Answer | NoAnswer]] = []
        for one in payloads(context):
            try:
                seconds = patience(context)
                found.append((one, server.ask("POST", "/invocations", one.body, one.headers, seconds=seconds)))
            except NoAnswer as error:
                found.append((one, error))
        return found

    return context.shared.get("answers of /invocations", ask)


def answered(context: Context) -> Payload:
    """The payload for checks that ask often, where it is answered in time. Raises CannotCheck where it is not."""
    smallest = payload(context)
    for one, answer in first_answers(context):
        if one == smallest and isinstance(answer, NoAnswer):
            rule = "serve-invocation-time" if answer.why == "timeout" else "serve-invocations"
            raise CannotCheck(f"{one.name} is not answered ({answer}): see {rule}")
    return smallest
