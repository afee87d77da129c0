"""The proxy between a real client and a real upstream, both over sockets."""

import asyncio
import contextlib
import http.client
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvicorn
import uvloop

from samebox.asgi import RequestHead, Scope
from samebox.traffic.forward import Failure, Forward, ProxyResponse

App = Callable[[Any, Any, Any], Awaitable[None]]


@contextlib.contextmanager
def serving(app: App) -> Iterator[int]:
    """A uvicorn of our own kind with `app`; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", http="httptools", lifespan="off", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)

    async def run() -> None:
        await server.serve([listening])
        if isinstance(app, Forward):
            await app.close()

    def main() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=main)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(60)
        listening.close()


@contextlib.contextmanager
def forwarding(forward: Forward) -> Iterator[http.client.HTTPConnection]:
    with serving(forward) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            yield connection
        finally:
            connection.close()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the request's method, target and headers, and with its body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    seen = [(b"x-seen-" + name, value) for name, value in scope["headers"]]
    target = scope["raw_path"] + b"?" + scope["query_string"]
    headers = [
        *seen,
        (b"x-target", target),
        (b"x-method", scope["method"].encode()),
        (b"x-twice", b"1"),
        (b"x-twice", b"2"),
    ]
    await send({"type": "http.response.start", "status": 207, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def ask(connection: http.client.HTTPConnection, method: str = "GET", target: str = "/", **more: Any) -> Any:
    connection.request(method, target, **more)
    answer = connection.getresponse()
    return answer, answer.read()


@contextlib.contextmanager
def scripted(*answers: bytes, then_close: bool = True) -> Iterator[tuple[int, list[bytes]]]:
    """An upstream that reads a request's head and sends the next answer, a connection each unless kept."""
    asked: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    done = threading.Event()

    def run() -> None:
        with contextlib.suppress(OSError):
            for answer in answers:
                connection, _ = listening.accept()
                connection.settimeout(10)
                with connection:
                    head = b""
                    while b"\r\n\r\n" not in head and (data := connection.recv(65536)):
                        head += data
                    asked.append(head)
                    connection.sendall(answer)
                    if not then_close:
                        done.wait(60)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield int(listening.getsockname()[1]), asked
    finally:
        done.set()
        listening.close()
        thread.join(60)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "PATCH"])
def test_method_target_headers_and_body_pass_unchanged(method: str) -> None:
    with serving(echo) as port, forwarding(Forward(f"http://127.0.0.1:{port}")) as client:
        body = b"x" * 1000 if method != "GET" else None
        answer, got = ask(client, method, "/a%2Fb/c%20d?x=%41&y", body=body, headers={"X-Own": "é", "Host": "me:1"})
        assert (answer.status, got) == (207, body or b"")
        assert answer.headers["x-target"] == "/a%2Fb/c%20d?x=%41&y"
        assert answer.headers["x-method"] == method
        assert answer.headers["x-seen-x-own"] == "é"
        assert answer.headers["x-seen-host"] == "me:1"
        assert answer.headers.get_all("x-twice") == ["1", "2"]


def test_headers_of_one_hop_do_not_pass() -> None:
    with serving(echo) as port, forwarding(Forward(f"http://127.0.0.1:{port}")) as client:
        headers = {
            "Connection": "x-private, keep-alive",
            "X-Private": "1",
            "TE": "trailers",
            "Proxy-Authorization": "x",
        }
        answer, _ = ask(client, headers=headers)
        seen = {name for name in answer.headers if name.startswith("x-seen-")}
        assert seen == {"x-seen-host", "x-seen-accept-encoding"}


def test_a_chunked_body_passes_and_stays_whole() -> None:
    with serving(echo) as port, forwarding(Forward(f"http://127.0.0.1:{port}")) as client:
        chunks = [bytes([number]) * 100_000 for number in range(20)]
        answer, got = ask(
            client, "PUT", body=iter(chunks), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        assert got == b"".join(chunks)
        assert "x-seen-content-length" not in answer.headers


def test_large_bodies_pass_both_ways() -> None:
    with serving(echo) as port, forwarding(Forward(f"http://127.0.0.1:{port}")) as client:
        body = bytes(range(256)) * 100_000
        _, got = ask(client, "PUT", body=body)
        assert got == body


def test_a_head_answer_has_a_length_and_no_body_and_the_connection_is_kept() -> None:
    answers = (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",)
    with scripted(*answers, then_close=False) as (port, _), forwarding(Forward(f"http://127.0.0.1:{port}")) as client:
        answer, got = ask(client, "HEAD", "/x")
        assert (answer.status, answer.headers["content-length"], got) == (200, "5", b"")


def test_a_body_that_ends_with_the_connection_is_whole() -> None:
    with (
        scripted(b"HTTP/1.1 200 OK\r\n\r\nall of it") as (port, _),
        forwarding(Forward(f"http://127.0.0.1:{port}")) as client,
    ):
        assert ask(client)[1] == b"all of it"


def test_an_interim_answer_is_not_the_answer() -> None:
    with (
        scripted(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n") as (port, _),
        forwarding(Forward(f"http://127.0.0.1:{port}")) as client,
    ):
        answer, _ = ask(client)
        assert (answer.status, answer.headers["link"]) == (204, None)


def test_a_body_that_breaks_off_does_not_look_whole() -> None:
    with (
        scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") as (port, _),
        forwarding(Forward(f"http://127.0.0.1:{port}")) as client,
    ):
        client.request("GET", "/")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            client.getresponse().read()


@pytest.mark.parametrize(
    ("answer", "status"),
    [(b"", 502), (b"this is no HTTP\r\n\r\n", 502), (b"HTTP/1.1 200 OK\r\nContent-Le", 502)],
)
def test_no_answer_is_a_bad_gateway(answer: bytes, status: int) -> None:
    with scripted(answer) as (port, _), forwarding(Forward(f"http://127.0.0.1:{port}")) as client:
        assert ask(client)[0].status == status


def test_no_server_is_unavailable_with_the_message_of_the_caller() -> None:
    def failure_response(head: RequestHead, failure: Failure) -> ProxyResponse:
        return ProxyResponse(503, ((b"x-why", failure.reason.encode()),), b"for " + head.target)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with forwarding(Forward(f"http://127.0.0.1:{taken.getsockname()[1]}", on_failure=failure_response)) as client:
            answer, got = ask(client, target="/x")
            assert (answer.status, answer.headers["x-why"], got) == (503, "refused", b"for /x")


def test_silence_ends_in_time() -> None:
    with (
        scripted(b"", then_close=False) as (port, _),
        forwarding(Forward(f"http://127.0.0.1:{port}", idle_timeout=0.2)) as client,
    ):
        assert ask(client)[0].status == 504


def test_a_client_that_goes_away_takes_its_upstream_request_along() -> None:
    gone = threading.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    with serving(slow) as port, serving(Forward(f"http://127.0.0.1:{port}")) as here:
        client = socket.create_connection(("127.0.0.1", here))
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert not gone.wait(0.2)
        client.close()
        assert gone.wait(60)


def test_half_a_body_is_never_a_whole_request_upstream() -> None:
    ended = threading.Event()
    messages: list[str] = []

    async def upstream(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            messages.append(message["type"])
            more = message.get("more_body", False)
        ended.set()

    with serving(upstream) as port, serving(Forward(f"http://127.0.0.1:{port}")) as here:
        client = socket.create_connection(("127.0.0.1", here))
        client.sendall(b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
        client.close()
        assert ended.wait(60)
    assert messages[-1] == "http.disconnect"


def test_a_client_that_expects_100_continue_gets_it() -> None:
    with (
        serving(echo) as port,
        serving(Forward(f"http://127.0.0.1:{port}")) as here,
        socket.create_connection(("127.0.0.1", here), timeout=60) as client,
    ):
        client.sendall(b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"body")
        assert client.recv(65536).startswith(b"HTTP/1.1 207")


def test_a_refused_body_is_not_taken_for_the_next_request() -> None:
    async def refuse(head: RequestHead, scope: Scope) -> RequestHead | ProxyResponse:
        return ProxyResponse(403, (), b"no") if head.method == "PUT" else head

    with serving(echo) as port, forwarding(Forward(f"http://127.0.0.1:{port}", on_request=refuse)) as client:
        assert ask(client, "PUT", body=b"GET /smuggled HTTP/1.1\r\n\r\n")[0].status == 403
        assert ask(client, target="/next")[0].headers["x-target"] == "/next?"
        with socket.create_connection((client.host, client.port), timeout=60) as waiting:
            waiting.sendall(b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n")
            answer = b""
            while data := waiting.recv(65536):
                answer += data
            assert answer.startswith(b"HTTP/1.1 403")


def test_heads_can_be_changed_on_the_way() -> None:
    async def inward(head: RequestHead, scope: Scope) -> RequestHead:
        return RequestHead(head.method, b"/inner" + head.target, (*head.headers, (b"x-added", b"1")))

    async def outward(head: RequestHead, answer: ProxyResponse) -> ProxyResponse:
        return ProxyResponse(200, (*answer.headers, (b"location", b"http://outside" + head.target)))

    with (
        serving(echo) as port,
        forwarding(Forward(f"http://127.0.0.1:{port}/base", on_request=inward, on_answer=outward)) as client,
    ):
        answer, _ = ask(client, target="/x")
    assert (answer.status, answer.headers["x-target"]) == (200, "/base/inner/x?")
    assert answer.headers["x-seen-x-added"] == "1"
    assert answer.headers["location"] == "http://outside/inner/x"


def test_a_kept_connection_that_was_closed_meanwhile_is_no_error() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with scripted(whole, whole) as (port, asked), forwarding(Forward(f"http://127.0.0.1:{port}")) as client:
        assert ask(client)[1] == b"ok"
        assert ask(client)[1] == b"ok"
        assert len(asked) == 2


def test_an_upstream_that_is_not_http_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="not an http or https URL"):
        Forward("ftp://registry.example")


def test_memory_stays_small_while_a_slow_client_reads() -> None:
    sent = 0

    async def fast(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": bytes(262_144), "more_body": True})
            sent += 262_144
        await send({"type": "http.response.body", "body": b""})

    async def settled() -> int:
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.2)
        return sent

    with (
        serving(fast) as port,
        serving(Forward(f"http://127.0.0.1:{port}")) as here,
        socket.create_connection(("127.0.0.1", here)) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        # Kernel buffers on two hops take some megabytes; of the hundred, most must wait upstream.
        assert asyncio.run(settled()) < 50_000_000
