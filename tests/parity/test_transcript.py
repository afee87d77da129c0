"""What is written is read again; what is malformed is named by its line; no credentials are in it."""

import base64
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samebox.parity.transcript import (
    REQUEST_MEMBERS,
    BadTranscript,
    Error,
    Header,
    Occupied,
    Reader,
    RecordedCall,
    RecordedResponse,
    Writer,
    call_of,
    document_of,
    now,
)

# How long an example takes says nothing here, on a machine that is busy.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEADER = Header("digits", "eu-west-1", "2026-11-22T18:00:00.000Z", "https://runtime.sagemaker.example", "0.1.0")
FIRST = '{"samebox_transcript": 1, "endpoint": "digits", "region": "eu-west-1", "recorded_at": "then"}\n'
GOOD = '{"request": {"ContentType": "text/csv", "Body": "1"}, "response": {"status": 200, "Body": "2"}}\n'


def calls(path: Path) -> list[RecordedCall]:
    with Reader(path) as reader:
        return list(reader)


def written(path: Path, *several: RecordedCall) -> Path:
    with Writer(path, HEADER) as writer:
        for call in several:
            writer.write(call)
    return path


def malformed(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadTranscript) as caught:
        calls(path)
    return str(caught.value)


def test_a_line_is_a_call_with_the_members_of_the_api(tmp_path: Path) -> None:
    call = RecordedCall(
        {"ContentType": "text/csv", "Accept": "application/json"},
        b"5.1,3.5\n",
        RecordedResponse(
            200, {"ContentType": "application/json", "InvokedProductionVariant": "AllTraffic"}, b'{"class": "\xc3\xa4"}'
        ),
        at="2026-11-22T18:00:01.250Z",
        ms=12.34567,
    )
    lines = written(tmp_path / "t.jsonl", call).read_text().splitlines()
    assert json.loads(lines[0]) == {
        "samebox_transcript": 1,
        "endpoint": "digits",
        "region": "eu-west-1",
        "recorded_at": "2026-11-22T18:00:00.000Z",
        "url": "https://runtime.sagemaker.example",
        "samebox": "0.1.0",
    }
    assert json.loads(lines[1]) == {
        "at": "2026-11-22T18:00:01.250Z",
        "ms": 12.346,
        "request": {"ContentType": "text/csv", "Accept": "application/json", "Body": "5.1,3.5\n"},
        "response": {
            "status": 200,
            "ContentType": "application/json",
            "InvokedProductionVariant": "AllTraffic",
            "Body": '{"class": "ä"}',
        },
    }


def test_an_error_is_kept_beside_its_status(tmp_path: Path) -> None:
    error = Error("ModelError", "Received client error", {"OriginalStatusCode": 400, "OriginalMessage": "no such row"})
    path = written(
        tmp_path / "t.jsonl",
        RecordedCall({}, b"x", RecordedResponse(424), error),
        RecordedCall({}, b"y", None, Error("", "no route")),
    )
    first, second = calls(path)
    assert (first.error, first.response) == (error, RecordedResponse(424))
    assert (second.error, second.response) == (Error("", "no route"), None)


def test_half_a_character_in_an_error_can_be_written(tmp_path: Path) -> None:
    error = Error("ModelError", "\ud800", {"OriginalMessage": "ä\udfff"})
    assert calls(written(tmp_path / "t.jsonl", RecordedCall({}, b"x", RecordedResponse(424), error)))[0].error == error


MEMBERS = st.dictionaries(
    st.sampled_from(sorted(REQUEST_MEMBERS)), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=9)
)


@PATIENT
@given(request=MEMBERS, body=st.binary(), answer=st.binary(), status=st.integers(100, 599))
def test_every_call_is_read_as_it_was_written(request: dict[str, str], body: bytes, answer: bytes, status: int) -> None:
    call = RecordedCall(request, body, RecordedResponse(status, {"ContentType": "a/b"}, answer), at=now(), ms=1.5)
    line = json.dumps(document_of(call), ensure_ascii=False).encode()
    assert b"\n" not in line
    assert call_of(json.loads(line)) == call


def test_bytes_that_are_no_text_are_base64(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl", RecordedCall({}, b"\x93NUMPY\x01", RecordedResponse(200, {}, b"\xff")))
    document = json.loads(path.read_text().splitlines()[1])
    assert document["request"] == {"BodyBase64": base64.b64encode(b"\x93NUMPY\x01").decode()}
    assert calls(path)[0].body == b"\x93NUMPY\x01"


def test_members_that_are_not_known_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        FIRST.replace('"then"', '"then", "ticket": 7')
        + '{"tag": [1], "request": {"New": "a"}, "response": {"status": 200, "Newer": {"b": 1}}, "ms": 2}\n'
    )
    with Reader(path) as reader:
        (call,) = reader
        assert reader.header.more == {"ticket": 7}
    assert call.more == {"tag": [1]}
    assert document_of(call) == json.loads(path.read_text().splitlines()[1])


def test_blank_lines_do_not_count_but_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(f"\n{FIRST}\n{GOOD}\n")
    assert [call.line for call in calls(path)] == [4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; a transcript begins with a header"),
        ("1,2,3\n", "line 1: no JSON: "),
        ("[]\n", "line 1: expected a JSON object, not []"),
        (GOOD, "line 1: no transcript's header"),
        ('{"samebox_transcript": 2}\n', "line 1: format 2 is not known; this samebox reads 1"),
        ('{"samebox_transcript": 1, "endpoint": 5}\n', "line 1: endpoint is not text"),
        (FIRST + GOOD + "{oops\n", "line 3: no JSON: "),
        (FIRST + GOOD + GOOD[:30], "line 3: no JSON: Unterminated"),
        (FIRST + GOOD[:30], "(it is the last one, and has no end)"),
        (FIRST + "[" * 100_000 + "\n", "line 2: no JSON: "),
        (FIRST.encode() + b'{"request": {"Body": "\xff"}}\n', "line 2: it is not UTF-8"),
        (FIRST + "{}\n", "line 2: request is missing"),
        (FIRST + '{"request": 1}\n', "line 2: request is not an object"),
        (FIRST + '{"request": {}}\n', "line 2: it has neither a response nor an error"),
        (FIRST + '{"request": {}, "response": {}}\n', "line 2: response.status is null"),
        (FIRST + '{"request": {}, "response": {"status": true}}\n', "line 2: response.status is true"),
        (FIRST + '{"request": {"Body": 1}, "response": {"status": 200}}\n', "line 2: request.Body is not text"),
        (FIRST + '{"request": {"Body": "\\ud800"}, "error": {}}\n', "request.Body has half a character in it"),
        (FIRST + '{"request": {"BodyBase64": "="}, "error": {}}\n', "request.BodyBase64 is not base64"),
        (FIRST + '{"request": {"BodyBase64": 1}, "error": {}}\n', "request.BodyBase64 is not base64"),
        (FIRST + '{"request": {"BodyBase64": "", "Body": ""}, "error": {}}\n', "both Body and BodyBase64"),
        (FIRST + '{"request": {"Accept": "a\\r\\nX: y"}, "error": {}}\n', "request.Accept is not text of one line"),
        (FIRST + '{"request": {"SessionId": 1}, "error": {}}\n', "request.SessionId is not text of one line"),
        (FIRST + '{"request": {}, "error": {"Code": 1}}\n', "error.Code and error.Message are texts"),
        (FIRST + '{"request": {}, "error": {"OriginalStatusCode": "4"}}\n', "error.OriginalStatusCode is not a number"),
        (FIRST + '{"request": {}, "error": {}, "ms": "1"}\n', "line 2: ms is not a number"),
        (FIRST + '{"request": {}, "error": {}, "at": 1}\n', "line 2: at is not text"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    told = malformed(tmp_path / "t.jsonl", text)
    assert said in told
    assert str(tmp_path / "t.jsonl") in told


def test_calls_before_a_malformed_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(FIRST + GOOD + "{}\n")
    with Reader(path) as reader:
        several = iter(reader)
        assert next(several).body == b"1"
        with pytest.raises(BadTranscript, match="line 3"):
            next(several)


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("mine\n")
    with pytest.raises(Occupied, match="is there already; --append adds to it"):
        Writer(path, HEADER)
    assert path.read_text() == "mine\n"


def test_append_adds_to_the_same_endpoints_calls(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl", call_of(json.loads(GOOD)))
    with Writer(path, HEADER, append=True) as writer:
        writer.write(call_of(json.loads(GOOD)))
        assert writer.count == 1
    assert len(calls(path)) == 2


def test_append_makes_a_file_that_is_not_there_and_takes_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("new", "empty"):
        with Writer(tmp_path / name, HEADER, append=True) as writer:
            writer.write(call_of(json.loads(GOOD)))
        assert len(calls(tmp_path / name)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FIRST.replace("digits", "other"), "is a transcript of other in eu-west-1"),
        ("a,b\n", "nothing is added to what is not a transcript"),
        (FIRST + GOOD[:20], "ends within a line"),
    ],
)
def test_append_refuses_what_these_calls_do_not_belong_to(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(Occupied, match=said):
        Writer(path, HEADER, append=True)
    assert path.read_text() == text


def test_two_recorders_do_not_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with Writer(path, HEADER), pytest.raises(Occupied, match="another `samebox record`"):
        Writer(path, HEADER, append=True)


def test_a_transcript_is_its_owners_alone(tmp_path: Path) -> None:
    assert written(tmp_path / "t.jsonl").stat().st_mode & 0o077 == 0


def test_a_line_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.jsonl"
    with Writer(path, HEADER) as writer:
        writer.write(call_of(json.loads(GOOD)))
        before, write = path.read_bytes(), os.write
        rooms = iter([10])

        def full(file: int, data: Any) -> int:
            for room in rooms:
                return write(file, bytes(data[:room]))
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            writer.write(call_of(json.loads(GOOD)))
        monkeypatch.undo()
        assert path.read_bytes() == before
        writer.write(call_of(json.loads(GOOD)))
    assert len(calls(path)) == 2


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with Writer(path, HEADER) as writer:

        def write(number: int) -> None:
            for _ in range(20):
                writer.write(RecordedCall({}, b"x" * 5000 * number, RecordedResponse(200)))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(calls(path)) == 160
