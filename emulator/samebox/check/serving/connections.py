"""HTTP connections as different clients use them: keep-alive, and bodies in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.checks import CannotCheck, Check, Claim, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving.invocations import BAD_BODIES, UNKNOWN_TYPE
from samebox.check.serving.served import ENGINE, FAST_SECONDS, SERVED, answered, patience
from samebox.check.serving.server import running
from samebox.check.serving.wire import NoResponse, RawConnection

if TYPE_CHECKING:
    from collections.abc import Mapping

TRANSFORM: frozenset[Claim] = frozenset({"transform"})  # alone sends a body in chunks

KEEP_ALIVE = Rule(
    "serve-keep-alive",
    "A connection that the server keeps open serves further requests",
    "contract §2.2, RFC 9112 §9.3",
    "fail",
    "serving",
    "Read every request's body to its end, also of those that are refused, and say Connection: close before you close.",
)
CHUNKED = Rule(
    "serve-chunked-body",
    "A body in chunks is answered like one with a Content-Length",
    "contract §3.2",
    "fail",
    "serving",
    "Read Transfer-Encoding: chunked: batch transform sends it with MaxPayloadInMB=0. Put a server before yours that "
    "does (gunicorn, uvicorn, nginx).",
)


def keep_alive(context: Context) -> Finding:
    server, one = running(context), answered(context)
    # The third is what any client may send, and most servers refuse.
    steps: tuple[tuple[str, str, bytes | None, Mapping[str, str]], ...] = (
        ("GET", "/ping", None, {}),
        ("POST", "/invocations", one.body, one.headers),
        ("POST", "/invocations", BAD_BODIES[0].body, {"Content-Type": UNKNOWN_TYPE}),
        ("GET", "/ping", None, {}),
    )
    limit = min(FAST_SECONDS, patience(context))
    before, status = "a connection", 0
    with RawConnection(server.address) as connection:
        for number, (method, path, body, headers) in enumerate(steps):
            try:
                answer = connection.ask(method, path, body, headers, seconds=limit)
            except NoResponse as error:
                if number == 0 or error.why == "timeout":
                    raise CannotCheck(f"{method} {path}: {error}") from None
                if status >= 500:
                    # A server may give up a connection on which it failed; that it failed is another rule's finding.
                    raise CannotCheck(f"after {before} it closes the connection: see serve-bad-body") from None
                return KEEP_ALIVE.broken(f"after {before}, {method} {path} on the same connection: {error}")
            if path == "/ping" and answer.status != 200:
                return KEEP_ALIVE.broken(f"after {before}, /ping on the same connection answers {answer.words}")
            if answer.closes:
                why = "each request needs a new connection"
                return KEEP_ALIVE.passed(f"it closes the connection, as announced, after {method} {path}: {why}")
            before, status = f"{method} {path} ({answer.status})", answer.status
    return KEEP_ALIVE.passed(f"{len(steps)} requests on one connection")


def chunked(context: Context) -> Finding:
    server, one = running(context), answered(context)
    limit = min(FAST_SECONDS, patience(context))
    try:
        plain = server.ask("POST", "/invocations", one.body, one.headers, seconds=limit)
    except NoResponse as error:
        raise CannotCheck(f"{one.name} is not answered ({error}): see serve-invocations") from None
    try:
        answer = server.ask("POST", "/invocations", one.body, one.headers, chunked=True, seconds=limit)
    except NoResponse as error:
        words = f"{one.name} in chunks: {error}"
    else:
        if answer.status // 100 == plain.status // 100:
            return CHUNKED.passed(f"{answer.status} both ways")
        words = f"{one.name}: {plain.status} with Content-Length, {answer.words} in chunks"
    return CHUNKED.broken(words)


CHECKS = (
    Check(KEEP_ALIVE, keep_alive, ENGINE, SERVED),
    Check(CHUNKED, chunked, ENGINE, TRANSFORM),
)
