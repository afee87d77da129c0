"""Replays a transcript's calls, one after another, on the server of an image: does it answer as the endpoint did?"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from samebox.check.findings import harmless
from samebox.check.serving.served import INVOCATION_SECONDS
from samebox.check.serving.wire import HttpResponse, NoResponse
from samebox.parity import outputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from samebox.check.checks import Deadline
    from samebox.parity.outputs import Comparison, Tolerance
    from samebox.parity.transcript import Header, RecordedCall

State = Literal["same", "within", "differ", "not compared"]

Ask = Callable[[bytes, Mapping[str, str], float], HttpResponse]  # raises NoResponse

# The members of a request that reach a container, and how; all others the platform keeps to itself (contract §2.3).
_HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "SessionId": "X-Amzn-SageMaker-Session-Id",
}
_NEW_SESSION = "x-amzn-sagemaker-new-session-id"
_MESSAGE_MOST = 2048  # characters of a container's error that AWS passes on
_SILENT_MOST = 3  # so many calls in a row that are not answered in time, and no more is asked


@dataclass(frozen=True)
class Replayed:
    """One call and its result. `recorded` and `now`: the two responses in short ("200", "400", "no answer")."""

    number: int  # counted from 1
    line: int  # of the transcript
    state: State
    words: str  # why, where there is no comparison
    recorded: str
    now: str = ""
    comparison: Comparison | None = None
    recorded_ms: float | None = None
    ms: float | None = None


@dataclass(frozen=True)
class ReplayReport:
    """All calls. `ended_early`: why the last ones were not sent; "" if all were."""

    image: str
    transcript: str
    header: Header
    calls: tuple[Replayed, ...]
    tolerance: Tolerance
    ended_early: str = ""
    notes: tuple[str, ...] = ()
    image_id: str = ""
    started_at: float = 0.0
    seconds: float = 0.0
    version: str = ""

    def of(self, state: State) -> tuple[Replayed, ...]:
        return tuple(call for call in self.calls if call.state == state)

    @property
    def first(self) -> Replayed | None:
        """The first that differs."""
        return next(iter(self.of("differ")), None)

    @property
    def exit_status(self) -> int:
        """0: they agree, 1: they differ, 2: unknown."""
        if self.first is not None:
            return 1
        return 0 if not self.ended_early and (self.of("same") or self.of("within")) else 2

    @property
    def verdict(self) -> str:
        return {0: "It answers as the endpoint did", 1: "It answers otherwise", 2: "It cannot be decided"}[
            self.exit_status
        ]

    @property
    def sentence(self) -> str:
        """How many are what."""
        count = len(self.calls)
        parts = [f"{len(self.of('same'))} the same"]
        if within := self.of("within"):
            parts.append(f"{len(within)} within tolerance (up to {self.largest:.3g} apart)")
        parts.append(f"{len(self.of('differ'))} different")
        if skipped := self.of("not compared"):
            parts.append(f"{len(skipped)} not compared")
        return f"of {count} call{'s' * (count != 1)} {', '.join(parts)}"

    @property
    def largest(self) -> float:
        """The largest difference of two numbers among the calls that agree."""
        agree = [one.comparison for one in self.calls if one.state in ("same", "within")]
        return max((one.largest_absolute for one in agree if one is not None), default=0.0)

    @property
    def latencies(self) -> str:
        """Side by side; "" where nothing was timed."""
        both = [(one.recorded_ms, one.ms) for one in self.calls if one.recorded_ms is not None and one.ms is not None]
        if not both:
            return ""
        sides = [[pair[side] for pair in both] for side in (0, 1)]
        recorded, now = (f"median {statistics.median(side):.1f} ms, longest {max(side):.1f} ms" for side in sides)
        return f"recorded, with the way there and back: {recorded}; here: {now}"


def difference(call: Replayed) -> str:
    """One line about a call whose responses differ."""
    found = call.comparison
    if found is None or found.first is None:
        return call.words
    first = found.first
    parts = [f"row {first.row}, {first.where}: {first.left} recorded, {first.right} now"]
    if found.rows > 1:
        parts.append(f"{found.differing_rows:,} of {found.rows:,} rows differ")
    return harmless("; ".join([*parts, *([found.note] if found.note else [])]))


def replay(
    ask: Ask, ended: Callable[[], str], calls: Iterable[RecordedCall], tolerance: Tolerance, deadline: Deadline
) -> Iterator[Replayed | ReplayStopped]:
    """Yields each call in order; a ReplayStopped comes last if it ended early. Raises what `ended` and the calls raise.

    `ask` sends a body with headers to /invocations, with a time limit in seconds; `ended` returns how the server ended,
    or "" while it runs.
    """
    sessions: dict[str, str] = {}  # as they were called when recorded -> as this server calls them
    silent = 0
    for number, call in enumerate(calls, 1):
        if not deadline.left:
            yield ReplayStopped(f"{deadline.seconds:g} s were over")
            return
        why_not = _not_comparable(call)
        if why_not:
            yield Replayed(number, call.line, "not compared", why_not, _recorded(call), recorded_ms=call.ms)
            continue
        answer = _ask(ask, call, sessions, max(min(deadline.left, INVOCATION_SECONDS), 0.1))
        yield _judged(number, call, answer, tolerance)
        silent = silent + 1 if isinstance(answer, NoResponse) and answer.why == "timeout" else 0
        how = ended() if isinstance(answer, NoResponse) else ""
        if how:
            yield ReplayStopped(f"its server {how} at call {number}")
            return
        if silent == _SILENT_MOST:
            yield ReplayStopped(f"{silent} calls in a row were not answered in time")
            return


@dataclass(frozen=True)
class ReplayStopped:
    """No further call was sent, and why."""

    why: str


def _ask(ask: Ask, call: RecordedCall, sessions: dict[str, str], seconds: float) -> HttpResponse | NoResponse:
    headers = {header: str(call.request[member]) for member, header in _HEADERS.items() if call.request.get(member)}
    session = headers.get(_HEADERS["SessionId"], "")
    if session in sessions:
        headers[_HEADERS["SessionId"]] = sessions[session]
    try:
        answer = ask(call.body, headers, seconds)
    except NoResponse as error:
        return error
    recorded = str(call.response.members.get("NewSessionId", "")) if call.response is not None else ""
    if recorded and _NEW_SESSION in answer.headers:
        # "ID; Expires=…": the ID alone is sent with the calls that follow.
        sessions[recorded.partition(";")[0].strip()] = answer.headers[_NEW_SESSION].partition(";")[0].strip()
    return answer


def _not_comparable(call: RecordedCall) -> str:
    """Why a call cannot be compared with the container's response; "" if it can."""
    if call.request.get("TargetModel"):
        return f"it went to {harmless(str(call.request['TargetModel']))}, a model of a multi-model endpoint"
    if call.response is None:
        return "there was no response when it was recorded"
    if call.error is None:
        return "" if call.response.status < 300 else f"a status {call.response.status} without an error was recorded"
    if call.error.code != "ModelError":
        return f"the endpoint itself refused it ({harmless(call.error.code)}), and asked no container"
    return "" if "OriginalStatusCode" in call.error.members else "what the container answered was not recorded"


def _recorded(call: RecordedCall) -> str:
    if call.error is not None:
        status = call.error.members.get("OriginalStatusCode")
        return "no answer" if status == 0 else str(status or harmless(call.error.code) or "no answer")
    return str(call.response.status) if call.response is not None else "no answer"


def _judged(number: int, call: RecordedCall, answer: HttpResponse | NoResponse, tolerance: Tolerance) -> Replayed:
    def found(state: State, words: str = "", comparison: Comparison | None = None) -> Replayed:
        said = "no answer" if isinstance(answer, NoResponse) else str(answer.status)
        ms = None if isinstance(answer, NoResponse) else answer.seconds * 1000
        return Replayed(number, call.line, state, words, _recorded(call), said, comparison, call.ms, ms)

    assert call.response is not None  # calls without a response are not sent
    original = int(call.error.members["OriginalStatusCode"]) if call.error is not None else None
    if isinstance(answer, NoResponse):
        if original == 0:
            return found("same", "there was no answer either when it was recorded")
        return found("differ", f"{_recorded(call)} recorded, now: {answer}")
    if original is None and not answer.is_good:
        return found("differ", f"{_recorded(call)} recorded, now: {harmless(answer.words)}")
    if original is not None and answer.status != original:
        return found("differ", f"{_recorded(call)} recorded, now: {harmless(answer.words)}")
    now_type = answer.headers.get("content-type", "")
    if call.error is None:
        comparison = outputs.compare(call.response.body, call.response.content_type, answer.body, now_type, tolerance)
    else:
        message = str(call.error.members.get("OriginalMessage", ""))
        text = answer.body.decode(errors="replace")
        # A message of that length was cut; what it was cut from is not whole JSON any more.
        is_cut = len(message) >= _MESSAGE_MOST or len(text) > _MESSAGE_MOST
        text, kind = (text[: len(message)], "text/plain") if is_cut else (text, now_type)
        comparison = outputs.compare(message.encode(), kind, text.encode(), kind, tolerance)
    if not comparison.equal:
        return found("differ", comparison=comparison)
    return found("within" if comparison.largest_absolute else "same", comparison=comparison)


def as_json(report: ReplayReport) -> Mapping[str, Any]:
    """For programs. Members are only ever added; `format` would change with a meaning."""
    return {
        "format": "samebox-replay/1",
        "version": report.version,
        "verdict": {0: "agree", 1: "differ", 2: "cannot be decided"}[report.exit_status],
        "exit_status": report.exit_status,
        "sentence": report.sentence,
        "image": report.image,
        "image_id": report.image_id,
        "transcript": report.transcript,
        "endpoint": report.header.endpoint,
        "region": report.header.region,
        "recorded_at": report.header.recorded_at,
        "tolerance": asdict(report.tolerance),
        "counts": {
            "same": len(report.of("same")),
            "within_tolerance": len(report.of("within")),
            "different": len(report.of("differ")),
            "not_compared": len(report.of("not compared")),
        },
        "first_difference": _call_as_json(report.first) if report.first is not None else None,
        "ended_early": report.ended_early,
        "latencies": report.latencies,
        "notes": list(report.notes),
        "started_at": report.started_at,
        "seconds": round(report.seconds, 3),
        "calls": [_call_as_json(call) for call in report.calls],
    }


def _call_as_json(call: Replayed) -> Mapping[str, Any]:
    return {name: _rounded(value) if name.endswith("ms") else value for name, value in asdict(call).items()}


def _rounded(value: float | None) -> float | None:
    return round(value, 3) if value is not None and math.isfinite(value) else None
