"""samebox record against a runtime of a few lines: what it writes, what it answers an application, what it refuses."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from samebox import cli
from samebox.parity import transcript
from samebox.parity.transcript import Reader, RecordedCall

ACCOUNT, SECRET = "123456789012", "a-secret-that-nobody-may-read"
IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>x</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""
MODEL_ERROR = (
    b'{"ErrorCode":"CLIENT_ERROR_FROM_MODEL","LogStreamArn":"arn:aws:logs:x","OriginalMessage":"no such row",'
    b'"Message":"Received client error (400) from primary","OriginalStatusCode":400}'
)


class RuntimeHandler(BaseHTTPRequestHandler):
    """The few answers of AWS that are needed; with a body `fail` a ModelError, with `wait` none until `go` is set."""

    protocol_version = "HTTP/1.1"
    server: "RuntimeServer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = self.path.split("/")[2] if self.path.startswith("/endpoints/") else ""
        if self.path == "/":
            self.answer(200, IDENTITY.encode(), {"Content-Type": "text/xml"})
            return
        self.server.seen.append((self.path, dict(self.headers.items()), body))
        if name == "nobody":
            message = json.dumps({"message": "Endpoint nobody of account 123456789012 not found."}).encode()
            self.answer(400, message, {"x-amzn-ErrorType": "ValidationError:http://internal.amazon.com/"})
        elif body == b"fail":
            self.answer(424, MODEL_ERROR, {"x-amzn-ErrorType": "ModelError", "x-amzn-RequestId": "42"})
        elif body == b"drop":
            self.close_connection = True
        else:
            if body == b"wait":
                self.server.waiting.set()
                self.server.go.wait(30)
            kind = self.headers.get("Accept", "text/csv")
            headers = {"Content-Type": kind, "x-Amzn-Invoked-Production-Variant": "AllTraffic", "X-Other": "kept"}
            self.answer(200, body.upper(), headers)

    def do_GET(self) -> None:
        status = 200 if self.server.is_emulator else 404
        self.answer(status, b'{"ready": true, "data_dir": "/d", "version": "1"}', {"Content-Type": "application/json"})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class RuntimeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RuntimeHandler)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.waiting, self.go = threading.Event(), threading.Event()
        self.is_emulator = True
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RuntimeServer]:
    with RuntimeServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token-that-nobody-may-read")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        yield running
        running.go.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n")
    return path


def calls(path: Path) -> list[RecordedCall]:
    with Reader(path) as reader:
        return list(reader)


def record(*words: str | Path) -> int:
    return cli.main(["record", "digits", *map(str, words)])


# Its own calls


def test_calls_and_answers_are_written_down(
    server: RuntimeServer, payload: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = payload.with_name("t.jsonl")
    assert record("--payload", payload, "--accept", "application/json", "--times", "2", "--output", output) == 0
    first, second = calls(output)
    assert first.request == {"ContentType": "text/csv", "Accept": "application/json"}
    assert first.body == second.body == b"a,b\n"
    assert first.response == transcript.RecordedResponse(
        200, {"ContentType": "application/json", "InvokedProductionVariant": "AllTraffic"}, b"A,B\n"
    )
    said = capsys.readouterr().err
    assert f"With the emulator at {server.url}, account {ACCOUNT}, eu-west-1" in said
    assert f"2 calls recorded in {output}" in said
    with Reader(output) as reader:
        assert (reader.header.endpoint, reader.header.region, reader.header.url) == ("digits", "eu-west-1", server.url)


def test_the_type_is_the_given_one_or_that_of_the_file_name(server: RuntimeServer, tmp_path: Path) -> None:
    for name in ("a.json", "a.npy", "a.unknown"):
        (tmp_path / name).write_bytes(b"1")
    several = [word for name in ("a.json", "a.npy", "a.unknown") for word in ("--payload", tmp_path / name)]
    assert record(*several, "--output", tmp_path / "t") == 0
    assert record(*several, "--content-type", "x/y", "--output", tmp_path / "u") == 0
    types = ["application/json", "application/x-npy", "application/octet-stream"]
    assert [call.request["ContentType"] for call in calls(tmp_path / "t")] == types
    assert [call.request["ContentType"] for call in calls(tmp_path / "u")] == ["x/y"] * 3


def test_no_credentials_are_written(server: RuntimeServer, payload: Path) -> None:
    output = payload.with_name("t.jsonl")
    assert record("--payload", payload, "--output", output) == 0
    assert "Authorization" in server.seen[0][1]
    text = output.read_text()
    for secret in (SECRET, ACCOUNT, "nobody-may-read", "Authorization", "Signature", "X-Amz", "Token"):
        assert secret.lower() not in text.lower()


def test_an_error_of_the_model_is_a_call_too(
    server: RuntimeServer, payload: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    payload.write_text("fail")
    output = payload.with_name("t.jsonl")
    assert record("--payload", payload, "--output", output) == 0
    (call,) = calls(output)
    assert call.response == transcript.RecordedResponse(424)
    assert call.error is not None
    assert (call.error.code, call.error.message) == ("ModelError", "Received client error (400) from primary")
    assert call.error.members["OriginalStatusCode"] == 400
    assert call.error.members["OriginalMessage"] == "no such row"
    assert "rows.csv: ModelError: Received client error (400)" in capsys.readouterr().err
    assert len(server.seen) == 1, "it is not tried again"


def test_a_missing_endpoint_is_reported_with_the_message_of_aws(
    server: RuntimeServer, payload: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = payload.with_name("t.jsonl")
    assert cli.main(["record", "nobody", "--payload", str(payload), "--output", str(output)]) == 1
    assert "ValidationError: Endpoint nobody of account 123456789012 not found." in capsys.readouterr().err
    assert not output.exists()


def test_what_is_there_is_not_written_over(
    server: RuntimeServer, payload: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = payload.with_name("t.jsonl")
    assert record("--payload", payload, "--output", output) == 0
    assert record("--payload", payload, "--output", output) == 2
    assert f"{output} exists; --append adds to it." in capsys.readouterr().err
    assert record("--payload", payload, "--output", output, "--append") == 0
    assert len(calls(output)) == 2
    assert cli.main(["record", "other", "--payload", str(payload), "--output", str(output), "--append"]) == 2
    assert "is a transcript of digits in eu-west-1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to record: give --payload FILE …, or --listen PORT"),
        (["--payload", "/nowhere/rows.csv"], "--payload /nowhere/rows.csv: No such file or directory"),
        (["--listen", "0.0.0.0:1"], "on loopback only"),
        (["--listen", "example.com:1"], "on loopback only"),
        (["--listen", "port"], "expected a port, such as 8181"),
        (["--listen", "99999"], "expected a port, such as 8181"),
        (["--listen", "1", "--times", "2"], "--payload and what belongs to it are not for it"),
        (["--payload", __file__, "--times", "0"], "--times 0: expected 1 or more"),
        (["--payload", __file__, "--output", "/"], "--output / is a folder"),
        (
            ["--payload", __file__, "--output", "/nowhere/t.jsonl"],
            "--output /nowhere/t.jsonl: No such file or directory",
        ),
    ],
)
def test_contradictory_options_are_reported(
    server: RuntimeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert record("--output", tmp_path / "t", *words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "t").exists()
    assert server.seen == []


def test_an_invalid_name_is_reported(server: RuntimeServer, payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["record", "no_name/x", "--payload", str(payload), "--output", "t"]) == 2
    assert "'no_name/x' is not an endpoint's name" in capsys.readouterr().err


def test_what_is_no_emulator_is_asked_about(
    server: RuntimeServer, payload: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.is_emulator = False
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    words = ("--payload", payload, "--output", payload.with_name("t"))
    assert record(*words) == 2
    said = capsys.readouterr().err
    assert f"With AWS account {ACCOUNT} in eu-west-1 ({server.url})" in said
    assert "AWS may bill them" in said
    assert server.seen == []
    assert record(*words, "--yes") == 0


def test_a_closed_connection_is_one_sentence(
    server: RuntimeServer, payload: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    payload.write_text("drop")
    output = payload.with_name("t")
    assert record("--payload", payload, "--output", output) == 1
    assert "rows.csv: ConnectionClosedError: Connection was closed before we received a valid response" in (
        capsys.readouterr().err
    )
    assert not output.exists()


def test_the_members_that_are_written_are_those_of_the_api() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker-runtime")
    operation: Any = model.operation_model("InvokeEndpoint")
    assert set(operation.input_shape.members) - {"EndpointName", "Body"} == transcript.REQUEST_MEMBERS
    assert set(operation.output_shape.members) - {"Body"} == transcript.RESPONSE_MEMBERS
    errors = {member for shape in operation.error_shapes for member in shape.members}
    assert errors - {"Message"} == transcript.ERROR_MEMBERS


# An application's calls


class RecordProcess:
    """`samebox record --listen` in a process of its own, as a person runs it."""

    def __init__(self, output: Path, *more: str) -> None:
        self.output = output
        words = ["record", "digits", "--listen", "0", "--output", str(output), *more]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "samebox.cli", *words], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.said = ""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if match := re.search(r"export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=(http://127\.0\.0\.1:(\d+))", line):
                self.url, self.port = match.group(1), int(match.group(2))
                return
        raise AssertionError(f"it ended: {self.said}")

    def client(self) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        return boto3.client("sagemaker-runtime", endpoint_url=self.url, region_name="eu-west-1", config=config)

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        assert self.process.stderr is not None
        self.said += self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(60)


@pytest.fixture
def listener(server: RuntimeServer, tmp_path: Path) -> Iterator[RecordProcess]:
    running = RecordProcess(tmp_path / "t.jsonl")
    yield running
    if running.process.poll() is None:
        running.end()
    elif running.process.stderr is not None:
        running.process.stderr.close()


def test_an_applications_calls_are_passed_on_and_kept(server: RuntimeServer, listener: RecordProcess) -> None:
    answer = listener.client().invoke_endpoint(
        EndpointName="digits", Body=b"\xffrow", ContentType="application/x-npy", CustomAttributes="trace=1"
    )
    assert answer["Body"].read() == b"\xffrow".upper()
    assert (answer["InvokedProductionVariant"], answer["ContentType"]) == ("AllTraffic", "text/csv")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-other"] == "kept"
    assert listener.end() == 0
    assert f"1 call recorded in {listener.output}" in listener.said
    (call,) = calls(listener.output)
    assert call.body == b"\xffrow"
    assert call.request == {"ContentType": "application/x-npy", "CustomAttributes": "trace=1"}
    path, headers, _ = server.seen[0]
    assert path == "/endpoints/digits/invocations"
    assert ACCOUNT in headers["Authorization"], "it is signed with the person's own credentials"


def test_an_error_reaches_the_application_as_it_was(listener: RecordProcess) -> None:
    with pytest.raises(ClientError) as caught:
        listener.client().invoke_endpoint(EndpointName="digits", Body=b"fail")
    answer: Any = caught.value.response
    assert answer["Error"] == {"Code": "ModelError", "Message": "Received client error (400) from primary"}
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (400, "no such row")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] == "42"
    status, raw = listener.ask("POST", "/endpoints/digits/invocations", b"fail")
    assert (status, raw) == (424, json.loads(MODEL_ERROR))
    assert listener.end() == 0
    assert [call.error is not None for call in calls(listener.output)] == [True, True]


def test_odd_values_in_headers_are_passed_on_and_can_be_read_again(
    server: RuntimeServer, listener: RecordProcess
) -> None:
    headers = {"X-Amzn-SageMaker-Custom-Attributes": "caf\xe9\tx"}
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", "/endpoints/digits/invocations", b"x", headers)
        assert connection.getresponse().read() == b"X"
    assert listener.end() == 0, listener.said
    (call,) = calls(listener.output)
    assert call.request["CustomAttributes"] == "caf\xe9\tx"


def test_what_botocore_would_not_send_is_the_applications_error(server: RuntimeServer, listener: RecordProcess) -> None:
    status, answer = listener.ask("POST", "/endpoints/digits/invocations", b"x", {"X-Amzn-SageMaker-Target-Model": ""})
    assert status == 400
    assert "Invalid length for parameter TargetModel" in answer["message"]
    assert server.seen == []


def test_another_endpoints_calls_are_passed_on_and_not_kept(listener: RecordProcess) -> None:
    with pytest.raises(ClientError, match="Endpoint nobody of account 123456789012 not found"):
        listener.client().invoke_endpoint(EndpointName="nobody", Body=b"x")
    listener.client().invoke_endpoint(EndpointName="other", Body=b"x")
    assert listener.end() == 0
    assert "0 calls recorded; 2 calls of other endpoints passed on, not recorded" in listener.said
    assert not listener.output.exists()


def test_a_runtime_that_does_not_answer_is_an_error_to_the_application(listener: RecordProcess) -> None:
    status, answer = listener.ask("POST", "/endpoints/digits/invocations", b"drop")
    assert status == 503
    assert "samebox record had no answer: Connection was closed" in answer["message"]
    assert listener.end() == 0
    (call,) = calls(listener.output)
    assert call.response is None
    assert call.error is not None


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "said"),
    [
        ("POST", "/endpoints/digits/invocations-response-stream", {}, 501, "InvokeEndpointWithResponseStream is not"),
        ("POST", "/endpoints/digits/async-invocations", {}, 501, "InvokeEndpointAsync is not recorded"),
        ("POST", "/elsewhere", {}, 404, "takes POST /endpoints/NAME/invocations"),
        ("GET", "/endpoints/digits/invocations", {}, 501, "Unsupported method"),
        ("POST", "/endpoints/digits/invocations", {"Origin": "https://example.com"}, 403, "programs of this machine"),
        ("POST", "/endpoints/digits/invocations", {"Host": "example.com"}, 403, "programs of this machine"),
        ("POST", "/endpoints/digits/invocations", {"Transfer-Encoding": "chunked"}, 411, "without a Content-Length"),
        ("POST", "/endpoints/digits/invocations", {"Content-Length": "-1"}, 411, "without a Content-Length"),
    ],
)
def test_what_it_does_not_take_is_refused_in_awss_form(
    server: RuntimeServer,
    listener: RecordProcess,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    said: str,
) -> None:
    found, answer = listener.ask(method, path, b"", headers)
    assert found == status
    assert said in answer["message"]
    assert server.seen == []


def test_a_stream_that_is_not_run_is_an_error_that_boto3_knows(listener: RecordProcess) -> None:
    with pytest.raises(ClientError, match=r"NotImplemented.*InvokeEndpointWithResponseStream is not recorded"):
        listener.client().invoke_endpoint_with_response_stream(EndpointName="digits", Body=b"x")


def test_a_body_that_is_too_large_is_refused_and_read(server: RuntimeServer, listener: RecordProcess) -> None:
    status, answer = listener.ask("POST", "/endpoints/digits/invocations", b"x" * 26_214_401)
    assert (status, answer["message"]) == (413, "HTTP content length exceeded 26214400 bytes.")
    assert server.seen == []


def test_ctrl_c_waits_for_the_call_that_is_on_its_way(server: RuntimeServer, listener: RecordProcess) -> None:
    answers: list[bytes] = []

    def invoke() -> None:
        answers.append(listener.client().invoke_endpoint(EndpointName="digits", Body=b"wait")["Body"].read())

    application = threading.Thread(target=invoke)
    application.start()
    assert server.waiting.wait(30)
    listener.process.send_signal(signal.SIGINT)
    server.go.set()
    application.join(30)
    assert answers == [b"WAIT"]
    assert listener.process.wait(30) == 0
    assert [call.body for call in calls(listener.output)] == [b"wait"]


def test_sigterm_ends_it_as_ctrl_c_does(listener: RecordProcess) -> None:
    listener.client().invoke_endpoint(EndpointName="digits", Body=b"x")
    assert listener.end(signal.SIGTERM) == 0
    assert len(calls(listener.output)) == 1


def test_kill_leaves_whole_lines(listener: RecordProcess) -> None:
    for _ in range(3):
        listener.client().invoke_endpoint(EndpointName="digits", Body=b"x")
    listener.process.kill()
    listener.process.wait(30)
    assert len(calls(listener.output)) == 3


def test_an_address_that_is_taken_leaves_nothing_behind(
    server: RuntimeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = server.server_address[1]
    assert record("--listen", str(port), "--output", tmp_path / "t") == 2
    assert f"--listen {port}: Address already in use" in capsys.readouterr().err
    assert not (tmp_path / "t").exists()
