"""Assertions for the serving rules: requests to a server that runs beside the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.exports.assertions import PortReachable, RequestAnswered, Test
from samebox.check.serving import environments, health, invocations, multi_model, starting
from samebox.check.serving.served import PROBE, SERVED, payloads
from samebox.check.serving.waiting import PING_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from samebox.check.checks import Context
    from samebox.check.findings import Rule
    from samebox.check.serving.served import Payload

_JSON = "application/json"
_NO_ROUTE = (404, 405, 501)
_MOST_BYTES = 100_000  # of a payload that is written into a test
_UNKNOWN_MODEL = "samebox-unknown"


def tests(context: Context) -> Iterator[Test]:
    yield from _starts()
    yield from _invocations(context)
    parameters = RequestAnswered("GET", "/execution-parameters", only=(200, 404, 405))
    yield Test(environments.PARAMETERS, "it answers 200, or there are none", parameters)
    if "multi-model" in context.claims and not context.claims & SERVED:
        yield from _models()


def _models() -> Iterator[Test]:
    """Of a server that was started with SAGEMAKER_MULTI_MODEL=true."""
    says = "/ping answers 200 before a model is loaded"
    yield Test(multi_model.STARTS, says, RequestAnswered("GET", "/ping", 200, 200, is_readiness=True))
    yield Test(multi_model.STARTS, says, RequestAnswered("GET", "/ping", 200, 200))
    for method, path in (("GET", ""), ("POST", "/invoke"), ("DELETE", "")):
        path = f"/models/{_UNKNOWN_MODEL}{path}"
        request = _post("{}", _JSON, path, 404, 404) if method == "POST" else RequestAnswered(method, path, 404, 404)
        yield Test(multi_model.UNLOADED, f"{method} {path} is answered 404", request)


def not_text(context: Context) -> list[str]:
    """Names of payloads that cannot be written into a test."""
    return [one.name for one in payloads(context) if _text(one) is None]


def _starts() -> Iterator[Test]:
    ping = RequestAnswered("GET", "/ping", 200, 200)
    yield Test(starting.READY, "/ping answers 200", RequestAnswered("GET", "/ping", 200, 200, is_readiness=True))
    yield Test(starting.LISTENS, "its port is reached from elsewhere than 127.0.0.1", PortReachable(10_000))
    yield Test(health.CONNECT, "a connection within 250 ms", PortReachable(int(health.CONNECT_SECONDS * 1000)))
    yield Test(starting.PING_PATH, "GET /ping answers 200, and does not redirect", ping)
    in_time = RequestAnswered("GET", "/ping", 200, 200, milliseconds=int(PING_SECONDS * 1000))
    yield Test(health.PING_TIME, f"/ping within {PING_SECONDS:g} s", in_time)


def _invocations(context: Context) -> Iterator[Test]:
    given = [(one, text) for one in payloads(context) if (text := _text(one)) is not None]
    for one, text in given:
        if not one.is_given:
            probe = _post(text, one.content_type, lowest=200, highest=599, never=_NO_ROUTE)
            yield Test(invocations.ANSWERS, f"{PROBE.name} is answered, by a route that takes POST", probe)
            continue
        yield Test(invocations.ANSWERS, f"{one.name} is answered 2xx", _post(text, one.content_type))
    for one, text in given:
        limit = _post(text, one.content_type, lowest=100, highest=599, milliseconds=60_000)
        yield Test(invocations.TIME, f"{one.name} within 60 s", limit)
    cut = invocations.BAD_BODIES[0]
    yield Test(
        invocations.BAD_BODY,
        f"{cut.name} is refused",
        _post(cut.body.decode(), cut.content_type, "/invocations", 400, 499),
    )
    known = min((row for row in given if row[0].is_given), key=lambda row: len(row[1]), default=None)
    if known is not None:
        yield from _headers(*known)


def _headers(one: Payload, text: str) -> Iterator[Test]:
    yield Test(
        invocations.CONTENT_TYPE,
        f"{one.content_type}; charset=utf-8 is answered 2xx",
        _post(text, f"{one.content_type}; charset=utf-8"),
    )
    yield Test(
        invocations.CONTENT_TYPE,
        "a type that it does not know is not an error of the server's",
        _post(text, "application/x-samebox-unknown", lowest=200, highest=499),
    )
    for accept in ("*/*", "application/json, text/csv;q=0.5", "application/x-samebox-unknown"):
        yield _with(invocations.ACCEPT, f"Accept: {accept}", one, text, {"Accept": accept}, 499)
    more = {"X-Amzn-SageMaker-Inference-Id": "0f1e2d", "X-Forwarded-For": "169.254.255.130", "X-Samebox-Unknown": "x"}
    yield _with(invocations.HEADERS, "headers that it does not know", one, text, more, 299)


def _with(rule: Rule, says: str, one: Payload, text: str, headers: Mapping[str, str], highest: int) -> Test:
    request = RequestAnswered(
        "POST", "/invocations", 200, highest, (), (), text, {"Content-Type": one.content_type, **headers}, 60_000
    )
    return Test(rule, says, request)


def _post(
    body: str,
    content_type: str,
    path: str = "/invocations",
    lowest: int = 200,
    highest: int = 299,
    never: tuple[int, ...] = (),
    milliseconds: int = 60_000,
) -> RequestAnswered:
    return RequestAnswered("POST", path, lowest, highest, never, (), body, {"Content-Type": content_type}, milliseconds)


def _text(one: Payload) -> str | None:
    """As it can stand in a test; None for what is not text, or too much."""
    try:
        text = one.body.decode()
    except UnicodeDecodeError:
        return None
    return text if len(text) <= _MOST_BYTES and "\0" not in text else None
