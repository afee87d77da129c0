"""Responses of /invocations: to valid and invalid payloads, and to the headers around them. Contract §2.2, §2.3."""

from __future__ import annotations

from dataclasses import replace

from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving.served import (
    ENGINE,
    FAST_SECONDS,
    INVOCATION_SECONDS,
    SERVED,
    Payload,
    answered,
    first_answers,
    in_vain,
    must_be_of_use,
    patience,
)
from samebox.check.serving.server import RunningServer, running
from samebox.check.serving.streaming import is_stream
from samebox.check.serving.wire import HttpResponse, NoResponse

# The sizes that the platform passes: its limit today, and the default of its batch transform.
MEGABYTE = 1 << 20
LARGE = (6, 25)
UNKNOWN_TYPE = "application/x-samebox-unknown"
_MISSING = {404: "there is no such route", 405: "it does not take POST", 501: "it does not take POST"}

ANSWERS = Rule(
    "serve-invocations",
    "POST /invocations answers, and answers every given payload with 2xx",
    "contract §2.2",
    "fail",
    "serving",
    "Have a route POST /invocations; its log shows why it rejects a payload.",
)
TIME = Rule(
    "serve-invocation-time",
    "An invocation is answered within 60 s",
    "contract §2.2",
    "fail",
    "serving",
    "Predict faster, send smaller payloads, or deploy it as an asynchronous endpoint, which waits 60 minutes.",
)
BAD_BODY = Rule(
    "serve-bad-body",
    "Invalid requests are rejected with a 4xx",
    "contract §2.3",
    "fail",
    "serving",
    "Catch exceptions of parsing and answer 400 with a message: it reaches the caller as ModelError, and a 5xx rings "
    "your alarms.",
)
CONTENT_TYPE = Rule(
    "serve-content-type",
    "Content-Type may have parameters, and an unknown one is a 4xx, not a 5xx",
    "contract §2.3",
    "warn",
    "serving",
    "Compare only what is before the semicolon, ignoring case; answer 415 to types that you do not read.",
)
ACCEPT = Rule(
    "serve-accept",
    "Any Accept header is handled",
    "contract §2.3",
    "warn",
    "serving",
    "Take */* and lists (application/json, text/csv;q=0.5); answer 406, or your own type, to all others.",
)
HEADERS = Rule(
    "serve-unknown-headers",
    "Unknown headers are ignored",
    "contract §2.3",
    "fail",
    "serving",
    "SageMaker and the proxies before it add headers: ignore unknown ones.",
)
LARGE_BODY = Rule(
    "serve-large-body",
    "Bodies of 6 MB and 25 MB are read and answered",
    "contract §2.3",
    "fail",
    "serving",
    "Raise the server's limit (nginx: client_max_body_size 0), and read a body before you refuse it.",
)

RESPONSE_HEADERS = Rule(
    "serve-response-headers",
    "Response headers are no longer than SageMaker passes on",
    "contract §2.3; aws/deep-learning-containers#4668; sagemaker-runtime: InvokeEndpointOutput",
    "warn",
    "serving",
    "Move long values into the body: all headers together have 4,096 bytes, X-Amzn-SageMaker-Custom-Attributes 1,024 "
    "visible ASCII characters.",
)

# AWS on asynchronous endpoints: "headers with length greater than 4096 bytes"; the other limits are the API's.
MOST_HEADER_BYTES = 4096
LONGEST_HEADERS = {
    "content-type": 1024,
    "x-amzn-sagemaker-custom-attributes": 1024,
    "x-amzn-sagemaker-new-session-id": 256,
    "x-amzn-sagemaker-closed-session-id": 256,
}

# Broken in ways that a parser notices; each under the type that it pretends to be.
BAD_BODIES = (
    Payload("JSON that is cut off", b'{"instances": [[1.0, 2.', "application/json"),
    Payload("bytes that are no JSON", b"\x00\xff\xfe\x80 no json \x00", "application/json"),
    Payload("an empty body", b"", "application/json"),
)


def answers(context: Context) -> Finding:
    vain = in_vain(context)
    if vain is not None and vain.rule_id == ANSWERS.id:
        return vain.quoted_in(ANSWERS.broken(vain.words, "Its log says why; the payload makes no difference."))
    must_be_of_use(context)
    seen = []
    for one, answer in first_answers(context):
        if isinstance(answer, NoResponse):
            if answer.begun is not None and is_stream(context, answer.begun):  # serve-stream-ends judges it
                seen.append(f"{one.name}: {answer.begun.status}, a stream without an end")
                continue
            if answer.why != "timeout":  # serve-invocation-time judges it
                return ANSWERS.broken(f"{one.name}: {answer}")
            seen.append(f"{one.name}: none yet")
        elif answer.status in _MISSING:
            return ANSWERS.broken(f"{one.name}: {answer.status}, {_MISSING[answer.status]}")
        elif one.is_given and not answer.is_good:
            return ANSWERS.broken(f"{one.name} ({one.content_type}): {answer.words}")
        else:
            seen.append(f"{one.name}: {answer.status} in {answer.seconds * 1000:.0f} ms")
    return ANSWERS.passed("; ".join(seen))


def time(context: Context) -> Finding:
    slowest, name = 0.0, ""
    for one, answer in first_answers(context):
        begun = answer.begun if isinstance(answer, NoResponse) else answer
        if begun is not None and is_stream(context, begun):
            seconds = begun.parts[0].seconds if begun.parts else begun.seconds  # serve-stream-time judges its end
        elif not isinstance(answer, NoResponse):
            seconds = answer.seconds
        elif answer.why != "timeout":
            raise CannotCheck(f"{one.name} is not answered: see {ANSWERS.id}")
        elif patience(context) < INVOCATION_SECONDS:
            return TIME.warned(f"{one.name}: no answer within {patience(context):.0f} s; --fast waits no longer")
        else:
            return TIME.broken(f"{one.name}: no answer within {INVOCATION_SECONDS:.0f} s")
        if seconds >= slowest:
            slowest, name = seconds, one.name
    words = f"{name}: {slowest:.2f} s"
    return TIME.warned(f"{words} of 60 s") if slowest > INVOCATION_SECONDS / 2 else TIME.passed(words)


def bad_body(context: Context) -> Finding:
    server = running(context)
    must_be_of_use(context)
    well, faults = [], []
    for one in BAD_BODIES:
        try:
            answer = _invoke(server, one, min(FAST_SECONDS, patience(context)))
        except NoResponse as error:
            return BAD_BODY.broken(f"{one.name}: {error}", "Answer 400: who sends it waits for an answer.")
        if 400 <= answer.status < 500:
            well.append(f"{one.name}: {answer.status}")
        elif answer.is_good and not one.body:
            well.append(f"{one.name}: {answer.status}")  # there are models that want nothing
        else:
            faults.append(f"{one.name}: {answer.words}")
    return BAD_BODY.warned("; ".join(faults)) if faults else BAD_BODY.passed("; ".join(well))


def content_type(context: Context) -> Finding:
    server, one = running(context), answered(context)
    plain, limit = _plain(context, server, one), min(FAST_SECONDS, patience(context))
    try:
        charset = _invoke(server, replace(one, content_type=f"{one.content_type}; charset=utf-8"), limit)
        unknown = _invoke(server, replace(one, content_type=UNKNOWN_TYPE), limit)
    except NoResponse as error:
        return CONTENT_TYPE.broken(f"with a Content-Type that it may not know: {error}")
    if _differ(plain, charset):
        return CONTENT_TYPE.broken(
            f"{one.content_type}: {plain.status}, but {one.content_type}; charset=utf-8: {charset.words}"
        )
    if unknown.status >= 500 > plain.status:
        return CONTENT_TYPE.broken(f"{UNKNOWN_TYPE}: {unknown.words}")
    return CONTENT_TYPE.passed(f"with charset=utf-8 {charset.status}, of an unknown type {unknown.status}")


def accept(context: Context) -> Finding:
    server, one = running(context), answered(context)
    plain, limit = _plain(context, server, one), min(FAST_SECONDS, patience(context))
    statuses = []
    for value in ("*/*", "application/json, text/csv;q=0.5", UNKNOWN_TYPE):
        try:
            answer = _invoke(server, one, limit, {"Accept": value})
        except NoResponse as error:
            return ACCEPT.broken(f"Accept: {value}: {error}")
        if answer.status >= 500 > plain.status:
            return ACCEPT.broken(f"Accept: {value}: {answer.words}")
        statuses.append(f"{value}: {answer.status}")
    return ACCEPT.passed("; ".join(statuses))


def unknown_headers(context: Context) -> Finding:
    server, one = running(context), answered(context)
    plain, limit = _plain(context, server, one), min(FAST_SECONDS, patience(context))
    more = {
        "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
        "X-Amzn-SageMaker-Inference-Id": "0f1e2d",
        "X-Amzn-SageMaker-Target-Variant": "AllTraffic",
        "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
        "X-Forwarded-For": "169.254.255.130",
        "x-samebox-unknown": "x" * 1024,  # a header of the API may be that long
    }
    try:
        answer = _invoke(server, one, limit, more)
    except NoResponse as error:
        return HEADERS.broken(f"with {', '.join(more)}: {error}")
    if _differ(plain, answer):
        return HEADERS.broken(f"{plain.status} without, {answer.words} with {', '.join(more)}")
    return HEADERS.passed(f"{answer.status}, with and without")


def response_headers(context: Context) -> Finding:
    longest, faults = 0, []
    for one, answer in first_answers(context):
        begun = answer.begun if isinstance(answer, NoResponse) else answer
        if begun is None:
            continue
        longest = max(longest, begun.head_bytes)
        if begun.head_bytes > MOST_HEADER_BYTES:
            faults.append(f"{one.name}: headers of {begun.head_bytes:,} bytes, {MOST_HEADER_BYTES:,} at most")
        for name, most in LONGEST_HEADERS.items():
            value = begun.headers.get(name, "")
            if len(value) > most:
                faults.append(f"{one.name}: {name} of {len(value):,} characters, {most:,} at most")
            elif not value.isascii():
                faults.append(f"{one.name}: {name} is not ASCII")
    if not longest:
        raise CannotCheck(f"nothing is answered: see {ANSWERS.id}")
    return RESPONSE_HEADERS.broken("; ".join(faults)) if faults else RESPONSE_HEADERS.passed(f"{longest} bytes")


def large_body(context: Context) -> Finding:
    server, limit = running(context), patience(context)
    answered(context)  # one that has no time for a small body has none for a large one
    seen: list[str] = []
    refused = False
    for size in LARGE:
        body = b'{"samebox": "' + b"x" * (size * MEGABYTE - 15) + b'"}'
        try:
            answer = _invoke(server, Payload(f"{size} MB", body, "application/json"), limit)
        except NoResponse as error:
            return LARGE_BODY.broken("; ".join([*seen, f"{size} MB: {error}"]))
        refused = refused or answer.status == 413
        seen.append(f"{size} MB: {answer.status} in {answer.seconds:.2f} s")
    if refused:
        return LARGE_BODY.warned(
            "; ".join(seen), "It refuses (413) what SageMaker passes on; raise the limit if models need it."
        )
    return LARGE_BODY.passed("; ".join(seen))


def _invoke(server: RunningServer, one: Payload, seconds: float, more: dict[str, str] | None = None) -> HttpResponse:
    return server.ask("POST", "/invocations", one.body, {**one.headers, **(more or {})}, seconds=seconds)


def _plain(context: Context, server: RunningServer, one: Payload) -> HttpResponse:
    """The answer with nothing odd about the request. Raises CannotCheck where there is none."""
    try:
        return _invoke(server, one, min(FAST_SECONDS, patience(context)))
    except NoResponse as error:
        raise CannotCheck(f"{one.name} is not answered ({error}): see {ANSWERS.id}") from None


def _differ(one: HttpResponse, other: HttpResponse) -> bool:
    """In what a caller would notice; the same request may be answered 400 and 422."""
    return one.status // 100 != other.status // 100


CHECKS = (
    Check(ANSWERS, answers, ENGINE, SERVED, seconds=300),
    Check(TIME, time, ENGINE, SERVED, seconds=300),
    Check(BAD_BODY, bad_body, ENGINE, SERVED),
    Check(CONTENT_TYPE, content_type, ENGINE, SERVED),
    Check(ACCEPT, accept, ENGINE, SERVED),
    Check(HEADERS, unknown_headers, ENGINE, SERVED),
    Check(RESPONSE_HEADERS, response_headers, ENGINE, SERVED, seconds=300),
    Check(LARGE_BODY, large_body, ENGINE, SERVED, seconds=150),
)
