"""What a server is asked, where nobody says what: a payload that was given, or a harmless probe."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emulator.check.checks import Claim, Context, Need

ENGINE: frozenset[Need] = frozenset({"engine"})
SERVED: frozenset[Claim] = frozenset({"serve", "transform", "serverless"})
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
    longest = FAST_SECONDS if context.options.fast else INVOCATION_SECONDS
    return max(min(longest, context.deadline.left - 2), 0.1)
