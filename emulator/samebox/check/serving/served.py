"""Default payloads for the serving checks, and the server's first response to each."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.check.checks import CannotCheck
from samebox.check.findings import Quote
from samebox.check.serving.server import running
from samebox.check.serving.wire import NoResponse
from samebox.log_excerpt import exception_in, excerpt, headline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from samebox.check.checks import Claim, Context, Need
    from samebox.check.findings import Finding
    from samebox.check.serving.wire import HttpResponse

ENGINE: frozenset[Need] = frozenset({"engine"})
SERVED: frozenset[Claim] = frozenset({"serve", "transform", "serverless", "streaming"})
INVOCATION_SECONDS = 60.0  # contract §2.2
FAST_SECONDS = 15.0
GIVE_MODEL = "If it wants a model to start, give one: --model model.tar.gz."
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


# What servers say in the body of a /ping with 200 that should be none.
_UNWELL = re.compile(r"unhealthy|not ready|unavailable|fail|error|loading", re.IGNORECASE)
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


def first_answers(context: Context) -> list[tuple[Payload, HttpResponse | NoResponse]]:
    """The first response to each payload; sent once, and shared by all checks."""

    def ask() -> list[tuple[Payload, HttpResponse | NoResponse]]:
        server = running(context)
        found: list[tuple[Payload, HttpResponse | NoResponse]] = []
        for one in payloads(context):
            try:
                seconds = patience(context)
                found.append((one, server.ask("POST", "/invocations", one.body, one.headers, seconds=seconds)))
            except NoResponse as error:
                found.append((one, error))
        return found

    return context.shared.get("answers of /invocations", ask)


@dataclass(frozen=True)
class InVain:
    """Every request gets the same error. `rule_id`: the rule that reports it."""

    rule_id: str
    words: str
    log: tuple[str, ...]

    def quoted_in(self, finding: Finding) -> Finding:
        """The finding with the program's log."""
        return finding.quoting((Quote("its log", "\n".join(excerpt(self.log))),), self.log)


def in_vain(context: Context) -> InVain | None:
    """The error that every request gets although /ping answers 200, or None. Found once, shared by all checks."""
    return context.shared.get("in vain", lambda: _in_vain(context))


def must_be_of_use(context: Context) -> None:
    """Raises CannotCheck where every request gets the same error: what else is found would be that, once more."""
    found = in_vain(context)
    if found is not None:
        raise CannotCheck(f"every request gets the same error: see {found.rule_id}")


def _in_vain(context: Context) -> InVain | None:
    found = [answer for _, answer in first_answers(context)]
    answers = [answer for answer in found if not isinstance(answer, NoResponse)]
    if len(answers) < len(found) or any(answer.status < 500 for answer in answers):
        return None
    server, limit = running(context), min(FAST_SECONDS, patience(context))
    try:
        answers += [
            server.ask("POST", "/invocations", one.body, one.headers, seconds=limit)
            for one in (PROBE, Payload("nothing", b"", "application/json"), Payload("text", b"samebox", "text/plain"))
        ]
        ping = server.ask("GET", "/ping", seconds=limit)
    except NoResponse:
        return None
    if len({(answer.status, answer.body) for answer in answers}) > 1:
        return None
    log = tuple(line for line in server.said() if "/ping" not in line and "/invocations" not in line)
    said = f"; its log: {headline(exception_in(log) or log[-1:])}" if log else ""
    body = f" ({ping.words.partition(' ')[2]})" if ping.body.strip() else ""
    if answers[0].status == 503 or _UNWELL.search(ping.words):
        words = f"every request is answered {answers[0].words}, while /ping says {ping.status}{body}{said}"
        return InVain("serve-ping-means-ready", words, log)
    # What the probe makes of a server that wants something else is not a fault; what was given is to be answered.
    if payloads(context) == [PROBE]:
        return None
    return InVain("serve-invocations", f"every request is answered {answers[0].words}, whatever it is{said}", log)


def answered(context: Context) -> Payload:
    """The payload for checks that ask often, where it is answered in time. Raises CannotCheck where it is not."""
    must_be_of_use(context)
    smallest = payload(context)
    for one, answer in first_answers(context):
        if one == smallest and isinstance(answer, NoResponse):
            rule = "serve-invocation-time" if answer.why == "timeout" else "serve-invocations"
            raise CannotCheck(f"{one.name} is not answered ({answer}): see {rule}")
    return smallest
