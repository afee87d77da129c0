"""The server program itself, with handlers that the model brings: health, draining, limits, the log."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from samebox_serve.readiness import ANSWERS, WorkerReadiness
from tests.serve.conftest import HttpReply, send, wait_until_ready

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serve.conftest import StartServer

# The body says how long the prediction takes.
SLEEPER = """
import time
def model_fn(model_dir):
    return lambda seconds: (time.sleep(seconds), seconds)[1]
def input_fn(body, content_type):
    return float(body)
def predict_fn(seconds, model):
    return model(seconds)
def output_fn(prediction, accept):
    return str(prediction), "text/plain"
"""
# The model is loaded when a file appears.
GATED = """
import pathlib, threading
def model_fn(model_dir):
    while not pathlib.Path(model_dir, "go").exists():
        threading.Event().wait(0.02)
    return "loaded"
def transform_fn(model, body, content_type, accept):
    return model
"""

# A prediction begins, and ends when a file appears.
BUSY = """
import pathlib, threading
def model_fn(model_dir):
    return pathlib.Path(model_dir)
def transform_fn(folder, body, content_type, accept):
    (folder / "begun").touch()
    while not (folder / "go").exists():
        threading.Event().wait(0.02)
    return "done"
"""


def test_ping_is_200_only_once_the_model_is_loaded(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(GATED, wait=False)
    first = answered(f"{server.url}/ping")

    assert first.status == 503
    assert first.error == "the model is being loaded"
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(server.invoke, b"x")
        (tmp_path / "model" / "go").touch()
        wait_until_ready(server.url)
        # A request that came too early is answered when the model is there.
        assert early.result(120).body == b"loaded"


def test_a_model_that_does_not_load_logs_the_reason_and_answers_503(start_server: StartServer) -> None:
    server = start_server("def model_fn(model_dir): raise OSError('weights.bin is truncated')", wait=False)
    reply = answered(f"{server.url}/ping", lambda reply: "truncated" in reply.error)

    assert reply.status == 503
    assert reply.error == "the model could not be loaded: OSError: weights.bin is truncated"
    assert server.invoke(b"x").status == 503
    assert any("weights.bin" in str(entry["message"]) for entry in server.entries())
    assert server.stop() == 0


def test_equal_answers_of_ping_are_logged_once_so_that_the_log_ends_with_the_traceback(
    start_server: StartServer,
) -> None:
    server = start_server("def model_fn(model_dir): raise OSError('weights.bin is truncated')", wait=False)
    answered(f"{server.url}/ping", lambda reply: "truncated" in reply.error)
    for _ in range(40):
        send(f"{server.url}/ping")

    pings = [entry for entry in server.entries() if entry.get("path") == "/ping"]
    answers = [str(entry["answer"]) for entry in pings]
    assert len(set(answers)) == len(answers), answers
    assert "the model could not be loaded: OSError: weights.bin is truncated" in answers
    last_lines = server.entries()[-20:]
    assert any("in model_fn" in str(entry.get("traceback")) for entry in last_lines)


def test_an_answer_of_ping_is_news_again_once_it_was_200() -> None:
    readiness = WorkerReadiness(workers=2)
    assert readiness.is_news(503, "the model is being loaded")
    assert readiness.is_news(503, "the model could not be loaded")
    assert not readiness.is_news(503, "the model is being loaded")
    assert not readiness.is_news(200, "the model is loaded")
    assert readiness.is_news(503, "the model is being loaded")


def test_messages_that_change_with_every_ping_do_not_fill_the_log() -> None:
    readiness = WorkerReadiness(workers=1)
    news = [readiness.is_news(503, f"loaded {number} of 10000 rows") for number in range(10_000)]
    assert sum(news) == ANSWERS


def test_a_program_that_is_not_there_is_named(start_server: StartServer) -> None:
    server = start_server("", wait=False, SAGEMAKER_PROGRAM="other.py")
    reply = answered(f"{server.url}/ping", lambda reply: "other.py" in reply.error)

    assert "SAGEMAKER_PROGRAM is other.py" in reply.error


def test_routes_answer_what_the_contract_knows_and_nothing_else(start_server: StartServer) -> None:
    server = start_server(SLEEPER)

    def status(method: str, path: str) -> int:
        return send(server.url + path, b"" if method == "POST" else None, {"Content-Type": "x"}, method).status

    assert status("GET", "/ping") == 200
    for method, path in [("HEAD", "/ping"), ("POST", "/ping"), ("OPTIONS", "/ping"), ("GET", "/invocations")]:
        assert status(method, path) == 405, (method, path)
    for path in ["/ping/", "/", "/invocations/", "/nope"]:
        assert status("GET", path) == 404, path
    assert "/nope" in send(f"{server.url}/nope").error
    assert send(f"{server.url}/invocations").headers["Allow"] == "POST"
    assert json.loads(send(f"{server.url}/execution-parameters").body) == {
        "MaxConcurrentTransforms": 2,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


def test_a_request_in_flight_and_those_that_still_come_are_answered_after_sigterm(start_server: StartServer) -> None:
    server = start_server(SLEEPER)
    results: Counter[object] = Counter()
    lock, stop_at, enough = threading.Lock(), time.monotonic() + 120, threading.Event()

    def client() -> None:
        while time.monotonic() < stop_at:
            try:
                outcome: object = server.invoke(b"0.02").status
            except OSError as error:
                outcome = "refused" if "refused" in str(error) else repr(error)
            with lock:
                results[outcome] += 1
                if results[200] > 8:
                    enough.set()
            if outcome == "refused":
                return

    with ThreadPoolExecutor(9) as pool:
        long_one = pool.submit(server.invoke, b"5")
        clients = [pool.submit(client) for _ in range(8)]
        assert enough.wait(120), results  # a load that runs is what is tested
        code = server.stop()
        assert long_one.result(120) == HttpReply(200, b"5.0", long_one.result().headers)
        for one in clients:
            one.result(120)

    assert code == 0
    # After the port is closed a client is refused, which it can see and retry. Nothing is reset, nothing is an error.
    assert set(results) <= {200, "refused"}, results


def test_ping_is_answered_while_every_worker_is_busy(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(BUSY)
    with ThreadPoolExecutor(8) as pool:
        busy = [pool.submit(server.invoke, b"x") for _ in range(8)]
        until_exists(tmp_path / "model" / "begun")
        statuses = [send(f"{server.url}/ping").status for _ in range(20)]
        unanswered = [one for one in busy if not one.done()]
        (tmp_path / "model" / "go").touch()
        assert [one.result(120).status for one in busy] == [200] * 8

    assert statuses == [200] * 20
    assert len(unanswered) == 8, "no prediction had ended when the pings were answered"


def test_a_stuck_prediction_is_given_up_and_its_worker_replaced(start_server: StartServer) -> None:
    server = start_server(SLEEPER, SAGEMAKER_MODEL_SERVER_TIMEOUT="1", SAGEMAKER_MODEL_SERVER_WORKERS="1")
    reply = server.invoke(b"600")

    assert reply.status == 504
    assert "SAGEMAKER_MODEL_SERVER_TIMEOUT" in reply.error
    wait_until_ready(server.url)
    assert server.invoke(b"0").body == b"0.0"


def test_a_body_over_the_limit_is_413_with_and_without_a_content_length(start_server: StartServer) -> None:
    server = start_server(
        "def model_fn(d): return 0\ndef transform_fn(model, body, kind, accept): return str(len(body))\n",
        SAGEMAKER_MAX_PAYLOAD_IN_MB="1",
    )
    limit = 1024 * 1024

    assert server.invoke(b"x" * limit).body == str(limit).encode()
    for size in (limit + 1, 25 * limit):  # the larger one is in no buffer on its way: the server must take it
        told = server.invoke(b"x" * size)
        assert (told.status, "1 MB" in told.error) == (413, True)
    chunked = send_chunked(server.url, [b"x" * limit, b"x"])
    assert chunked.startswith(b"HTTP/1.1 413 ")
    assert send_chunked(server.url, [b"x" * limit] * 25).startswith(b"HTTP/1.1 413 ")
    assert send_chunked(server.url, [b"ab", b"c"]).endswith(b"\r\n\r\n3")


def test_handlers_that_fail_are_500_with_their_message_and_the_traceback_in_the_log(start_server: StartServer) -> None:
    server = start_server(SLEEPER)
    reply = server.invoke(b"soon")

    assert reply.status == 500
    assert reply.error.startswith("ValueError: could not convert string to float")
    assert b"Traceback" not in reply.body
    server.stop()
    assert any(
        "predict_fn" in str(entry.get("traceback")) or "input_fn" in str(entry.get("traceback"))
        for entry in server.entries()
    )


def test_every_line_of_the_log_is_json_and_no_body_is_in_it(start_server: StartServer) -> None:
    server = start_server(SLEEPER)
    server.invoke(b"0.00123456", **{"X-Amzn-SageMaker-Inference-Id": "id-7"})
    server.stop()

    (request,) = [entry for entry in server.entries() if entry.get("path") == "/invocations"]
    assert (request["status"], request["method"], request["inference_id"]) == (200, "POST", "id-7")
    assert "0.00123456" not in json.dumps(request)
    assert not [entry for entry in server.entries() if entry.get("path") == "/ping" and entry.get("status") == 200]


def test_a_setting_that_cannot_be_used_ends_the_program_with_its_name(start_server: StartServer) -> None:
    server = start_server(SLEEPER, wait=False, SAGEMAKER_MODEL_SERVER_WORKERS="many")

    assert server.process.wait(30) == 1
    assert "SAGEMAKER_MODEL_SERVER_WORKERS" in str(server.entries()[0]["message"])


def test_a_multi_model_endpoint_is_refused_honestly(start_server: StartServer) -> None:
    server = start_server(SLEEPER, wait=False, SAGEMAKER_MULTI_MODEL="true")

    assert server.process.wait(30) == 1
    assert "one model" in str(server.entries()[0]["message"])


def answered(url: str, wanted: object = None, seconds: float = 60) -> HttpReply:
    """The first reply at all, or the first that is wanted."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        try:
            reply = send(url)
        except OSError:
            pass
        else:
            if not callable(wanted) or wanted(reply):
                return reply
        pause.wait(0.05)
    raise AssertionError(f"no such answer from {url} in {seconds} s")


def send_chunked(url: str, chunks: list[bytes]) -> bytes:
    import socket

    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for chunk in chunks:
            connection.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def until_exists(path: Path, seconds: float = 120) -> None:
    """Wait for a file that a handler makes."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not appear within {seconds} s"
        pause.wait(0.02)
