"""Calls are sent again as a container gets them, and each answer is held against the recorded one."""

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from samebox.check.checks import Deadline
from samebox.check.serving.wire import HttpResponse, NoResponse
from samebox.check.serving.wire import ask as ask_over_http
from samebox.parity import replay_page
from samebox.parity.outputs import Tolerance
from samebox.parity.replay import Replayed, ReplayReport, ReplayStopped, as_json, difference, replay
from samebox.parity.transcript import Error, Header, RecordedCall, RecordedResponse
from tests.browser import assert_fits_a_phone

HEADER = Header("digits", "eu-west-1", "2026-11-22T18:00:00.000Z")
Behaviour = Callable[[bytes, Mapping[str, str]], tuple[int, bytes, dict[str, str]] | None]


class ReplayedServer:
    """A server that behaves as a test says; None: it hangs up without an answer."""

    def __init__(self, behaviour: Behaviour) -> None:
        container = self
        self.seen: list[Mapping[str, str]] = []
        self.end = ""

        class ReplayHandler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/invocations"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                container.seen.append({name.lower(): value for name, value in self.headers.items()})
                answer = behaviour(body, self.headers)  # type: ignore[arg-type]  # it is read like a mapping
                if answer is None:
                    return
                status, content, headers = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), ReplayHandler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float) -> HttpResponse:
        port = int(self.server.server_address[1])
        return ask_over_http(("127.0.0.1", port), "POST", "/invocations", body, headers, seconds=seconds)

    def replay(self, *calls: RecordedCall) -> list[Replayed | ReplayStopped]:
        return list(replay(self.ask, lambda: self.end, calls, Tolerance(), Deadline(60)))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def container() -> Iterator[Callable[[Behaviour], ReplayedServer]]:
    made: list[ReplayedServer] = []

    def make(behaviour: Behaviour) -> ReplayedServer:
        made.append(ReplayedServer(behaviour))
        return made[-1]

    yield make
    for one in made:
        one.close()


Make = Callable[[Behaviour], ReplayedServer]
CSV = {"Content-Type": "text/csv"}


def call(body: bytes, answer: bytes, **more: Any) -> RecordedCall:
    return RecordedCall(
        {"ContentType": "text/csv"}, body, RecordedResponse(200, {"ContentType": "text/csv"}, answer), **more
    )


def model_error(body: bytes, status: int, message: str) -> RecordedCall:
    members = {"OriginalStatusCode": status, "OriginalMessage": message}
    return RecordedCall({}, body, RecordedResponse(424), Error("ModelError", "Received …", members))


def states(found: list[Replayed | ReplayStopped]) -> list[str]:
    return [one.state if isinstance(one, Replayed) else one.why for one in found]


def test_each_answer_is_the_same_within_tolerance_or_different(container: Make) -> None:
    answers = {b"1": b"0.5\n", b"2": b"0.50000001\n", b"3": b"0.5\n0.75\n"}
    found = container(lambda body, _: (200, answers[body], CSV)).replay(
        call(b"1", b"0.5\n"), call(b"2", b"0.5\n"), call(b"3", b"0.5\n0.7\n", line=7)
    )
    assert states(found) == ["same", "within", "differ"]
    last = found[-1]
    assert isinstance(last, Replayed)
    assert (last.number, last.line, last.recorded, last.now) == (3, 7, "200", "200")
    assert difference(last) == "row 1, column 0: 0.7 recorded, 0.75 now; 1 of 2 rows differ"
    assert last.ms is not None


def test_the_container_gets_the_headers_that_the_platform_passes_on_and_no_other(container: Make) -> None:
    server = container(lambda body, _: (200, b"", CSV))
    request = {
        "ContentType": "text/csv",
        "Accept": "application/json",
        "CustomAttributes": "trace=1",
        "SessionId": "s-1",
        "TargetVariant": "blue",
        "InferenceId": "i",
        "EnableExplanations": "true",
    }
    server.replay(RecordedCall(request, b"x", RecordedResponse(200, {}, b"")))
    (headers,) = server.seen
    assert headers["content-type"] == "text/csv"
    assert headers["accept"] == "application/json"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=1"
    assert headers["x-amzn-sagemaker-session-id"] == "s-1"
    assert {name for name in headers if name.startswith("x-")} == {
        "x-amzn-sagemaker-custom-attributes",
        "x-amzn-sagemaker-session-id",
    }


def test_a_session_is_called_what_this_server_calls_it(container: Make) -> None:
    new = {"X-Amzn-SageMaker-New-Session-Id": "now-1; Expires=2026-11-23T00:00:00Z"}
    server = container(lambda body, _: (200, b"", new if body == b"first" else {}))
    opened = RecordedResponse(200, {"NewSessionId": "then-1; Expires=2026-11-22T00:00:00Z"}, b"")
    server.replay(
        RecordedCall({"SessionId": "NEW_SESSION"}, b"first", opened),
        RecordedCall({"SessionId": "then-1"}, b"second", RecordedResponse(200)),
        RecordedCall({"SessionId": "another"}, b"third", RecordedResponse(200)),
    )
    assert [one["x-amzn-sagemaker-session-id"] for one in server.seen] == ["NEW_SESSION", "now-1", "another"]


def test_another_status_is_a_difference(container: Make) -> None:
    server = container(lambda body, _: (500, b"Traceback \x1b[2J", CSV) if body == b"1" else (204, b"", CSV))
    found = server.replay(call(b"1", b"0.5\n"), call(b"2", b""))
    assert states(found) == ["differ", "same"]
    assert isinstance(found[0], Replayed)
    assert found[0].words.startswith("200 recorded, now: 500")
    assert "\x1b" not in found[0].words


def test_a_recorded_error_is_held_against_what_the_container_answers(container: Make) -> None:
    server = container(lambda body, _: (int(body), b"no such row", {"Content-Type": "text/plain"}))
    found = server.replay(
        model_error(b"400", 400, "no such row"),
        model_error(b"500", 400, "no such row"),
        model_error(b"400", 400, "no such column"),
        model_error(b"200", 400, "no such row"),
    )
    assert states(found) == ["same", "differ", "differ", "differ"]
    assert [one.recorded for one in found if isinstance(one, Replayed)] == ["400"] * 4
    assert [one.now for one in found if isinstance(one, Replayed)] == ["400", "500", "400", "200"]


def test_an_errors_message_that_was_cut_is_compared_as_far_as_it_goes(container: Make) -> None:
    body = json.dumps({"error": "x" * 5000}).encode()
    server = container(lambda _, __: (400, body, {"Content-Type": "application/json"}))
    found = server.replay(
        model_error(b"", 400, body.decode()[:2048]), model_error(b"", 400, "y" + body.decode()[1:2048])
    )
    assert states(found) == ["same", "differ"]


def test_no_answer_is_a_difference_unless_there_was_none(container: Make) -> None:
    found = container(lambda _, __: None).replay(call(b"1", b"0.5\n"), model_error(b"2", 0, "timed out"))
    assert states(found) == ["differ", "same"]
    assert isinstance(found[0], Replayed)
    assert found[0].words == "200 recorded, now: the connection was closed without an answer"


def test_responses_that_are_not_the_containers_are_not_compared(container: Make) -> None:
    server = container(lambda _, __: (200, b"", CSV))
    found = server.replay(
        RecordedCall({}, b"", None, Error("EndpointConnectionError", "")),
        RecordedCall({}, b"", RecordedResponse(400), Error("ValidationError", "Endpoint x not found")),
        RecordedCall({}, b"", RecordedResponse(424), Error("ModelError", "")),
        RecordedCall({"TargetModel": "a.tar.gz"}, b"", RecordedResponse(200)),
        RecordedCall({}, b"", RecordedResponse(500)),
    )
    assert states(found) == ["not compared"] * 5
    assert [one.words for one in found if isinstance(one, Replayed)] == [
        "there was no response when it was recorded",
        "the endpoint itself refused it (ValidationError), and asked no container",
        "what the container answered was not recorded",
        "it went to a.tar.gz, a model of a multi-model endpoint",
        "a status 500 without an error was recorded",
    ]
    assert server.seen == []


def test_a_server_that_ended_is_asked_no_more(container: Make) -> None:
    server = container(lambda _, __: None)
    server.end = "ended with exit code 1"
    found = server.replay(call(b"1", b""), call(b"2", b""))
    assert states(found) == ["differ", "its server ended with exit code 1 at call 1"]


def test_a_server_that_answers_nothing_in_time_is_not_waited_for_without_end() -> None:
    def ask(body: bytes, headers: Mapping[str, str], seconds: float) -> HttpResponse:
        raise NoResponse("timeout", "no answer in time")

    found = list(replay(ask, lambda: "", [call(b"", b"")] * 5, Tolerance(), Deadline(60)))
    assert states(found) == ["differ", "differ", "differ", "3 calls in a row were not answered in time"]


def test_the_time_limit_is_of_all_calls_together() -> None:
    deadline = Deadline(5)
    deadline.cancel()
    found = list(replay(lambda *_: pytest.fail("asked"), lambda: "", [call(b"", b"")], Tolerance(), deadline))
    assert states(found) == ["5 s were over"]


# The report


def report(*calls: Replayed, ended_early: str = "") -> ReplayReport:
    return ReplayReport("image", "t.jsonl", HEADER, calls, Tolerance(), ended_early, version="1")


def replayed(container: ReplayedServer, *calls: RecordedCall) -> tuple[Replayed, ...]:
    return tuple(one for one in container.replay(*calls) if isinstance(one, Replayed))


def test_the_verdict_is_of_what_could_be_compared(container: Make) -> None:
    server = container(lambda _, __: (200, b"0.5\n", CSV))
    same, differ = replayed(server, call(b"", b"0.5\n"), call(b"", b"0.6\n"))
    (skipped,) = replayed(server, RecordedCall({}, b"", None, Error("", "")))
    assert report(same, skipped).exit_status == 0
    assert report(same, differ).exit_status == 1
    assert report(skipped).exit_status == 2
    assert report(same, ended_early="60 s were over").exit_status == 2
    assert report(differ, ended_early="60 s were over").exit_status == 1
    assert report(same, differ, skipped).sentence == "of 3 calls 1 the same, 1 different, 1 not compared"
    assert report(same).sentence == "of 1 call 1 the same, 0 different"


def test_latencies_stand_side_by_side() -> None:
    calls = [Replayed(n, n, "same", "", "200", "200", None, ms, ms / 2) for n, ms in enumerate((10.0, 20.0, 90.0), 1)]
    assert report(*calls).latencies == (
        "recorded, with the way there and back: median 20.0 ms, longest 90.0 ms; here: median 10.0 ms, longest 45.0 ms"
    )
    assert report().latencies == ""


def test_the_report_for_programs_is_complete(container: Make) -> None:
    server = container(lambda _, __: (200, b"nan\n", CSV))
    document = json.loads(
        json.dumps(as_json(report(*replayed(server, call(b"", b"nan\n"), call(b"", b"0.5\n")))), allow_nan=False)
    )
    assert (document["verdict"], document["exit_status"]) == ("differ", 1)
    assert document["counts"] == {"same": 1, "within_tolerance": 0, "different": 1, "not_compared": 0}
    assert document["first_difference"]["number"] == 2
    assert document["first_difference"]["comparison"]["first"] == {
        "row": 0,
        "where": "column 0",
        "left": "0.5",
        "right": "nan",
    }


def test_the_page_has_the_verdict_on_top_and_lets_no_answer_be_markup(container: Make) -> None:
    server = container(lambda _, __: (200, b"<script>alert(1)</script>", {"Content-Type": "text/plain"}))
    recorded = RecordedCall({}, b"", RecordedResponse(200, {"ContentType": "text/plain"}, b"<b>fine</b>"))
    page = replay_page.write(report(*replayed(server, recorded)))
    assert "<h1>It answers otherwise</h1>" in page
    assert "&lt;b&gt;fine&lt;/b&gt;" in page
    assert "<script" not in page
    assert page.index("<h1>") < page.index("Call 1, line 0") < page.index("All calls (1)")


@pytest.mark.parametrize("words", ["short", "x" * 400, "/a/long/path" * 40])
def test_the_page_fits_a_phone(tmp_path: Path, words: str, container: Make) -> None:
    server = container(lambda _, __: (200, words.encode(), {"Content-Type": "text/plain"}))
    recorded = RecordedResponse(200, {"ContentType": "text/plain"}, b"y" * 400)
    calls = replayed(server, RecordedCall({}, b"", recorded), RecordedCall({"TargetModel": words}, b"", recorded))
    wide = dataclasses.replace(report(*calls, ended_early=words), image=words, transcript=words, notes=(words,))
    assert_fits_a_phone(replay_page.write(wide).replace("<details>", "<details open>"), tmp_path)
