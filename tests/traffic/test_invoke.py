"""InvokeEndpoint against real sockets: what reaches the container, what comes back, and every way it can go wrong."""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import botocore.session
import pytest

from samebox.traffic.client import HttpClient
from samebox.traffic.invoke import LONGEST, Invocations
from samebox.traffic.routes import Address, Key, Route, RoutingTable, Target, TargetStage

LIMIT = 1000
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/csv\r\nServer: secret\r\n\r\n42"


class ContainerTraffic:
    """What the container read, and how many connections it was given."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0


async def request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await reader.readexactly(length)


def answering(answer: bytes, seen: ContainerTraffic, *, close: bool = False) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        try:
            while True:
                seen.requests.append(await request(reader))
                writer.write(answer)
                await writer.drain()
                if close:
                    return
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    return handle


class GatheredResponse:
    """An ASGI answer put together."""

    def __init__(self, messages: list[MutableMapping[str, Any]]) -> None:
        self.status = messages[0]["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
        self.body: bytes = messages[1]["body"]

    @property
    def error(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


async def invoke(
    addresses: tuple[Address, ...], body: bytes = b"1,2", *, calls: int = 1, name: str = "Digits",
    headers: tuple[tuple[bytes, bytes], ...] = (), seconds: float = 60.0, lenient: bool = False,
    region: str = "us-east-1", partition: str = "aws", stages: tuple[str, ...] = ("primary",), most: int = 5 << 20,
) -> GatheredResponse:  # fmt: skip
    key = Key("000000000000", region, "Digits")
    further = tuple(TargetStage(one, addresses) for one in stages[1:])
    route = Route(
        key, (Target("AllTraffic", 1, addresses, stages[0], further),), "/aws/sagemaker/Endpoints/Digits", partition
    )
    client = HttpClient(LIMIT)

    async def identify(_scope: Any, _body: bytes) -> tuple[str, str]:
        return "000000000000", region

    app = Invocations(RoutingTable([route]), client, identify, LIMIT, seconds, lenient, pipeline_bytes=most)
    scope = {"path": f"/endpoints/{name}/invocations", "headers": [(b"content-length", b"%d" % len(body)), *headers]}
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    for _ in range(calls):
        sent.clear()
        await app(scope, receive, send)
    await client.close()
    return GatheredResponse(sent)


def exchange(handler: Handler, before: tuple[Address, ...] = (), **given: Any) -> GatheredResponse:
    """Serve one container on a free port, invoke the endpoint, and wait until its connections are closed."""

    async def story() -> GatheredResponse:
        connections: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.add(asyncio.ensure_future(handler(reader, writer)))

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            response = await invoke((*before, server.sockets[0].getsockname()), **given)
        await asyncio.wait_for(asyncio.gather(*connections), 60)
        return response

    return asyncio.run(story())


def test_the_body_comes_back_with_the_variant_that_made_it() -> None:
    response = exchange(answering(OK, ContainerTraffic()))
    assert (response.status, response.body) == (200, b"42")
    assert response.headers["content-type"] == "text/csv"
    assert response.headers["x-amzn-invoked-production-variant"] == "AllTraffic"
    assert "server" not in response.headers


def test_only_documented_headers_reach_the_container() -> None:
    seen = ContainerTraffic()
    given = ((b"content-type", b"text/csv"), (b"authorization", b"secret"), (b"x-mine", b"1"))
    exchange(answering(OK, seen), headers=(*given, (b"x-amzn-sagemaker-custom-attributes", b"trace=7")))
    head = seen.requests[0].split(b"\r\n\r\n")[0]
    assert head.startswith(b"POST /invocations HTTP/1.1\r\n")
    assert {line.split(b":")[0] for line in head.split(b"\r\n")[1:]} == {
        b"host", b"content-length", b"Content-Type", b"X-Amzn-SageMaker-Custom-Attributes",
    }  # fmt: skip


def test_what_is_too_long_for_the_api_does_not_come_back_whole(caplog: pytest.LogCaptureFixture) -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\nX-Amzn-SageMaker-Custom-Attributes: " + b"a" * 1500 + b"\r\n\r\n", 1)
    response = exchange(answering(answer, ContainerTraffic()))
    assert response.headers["x-amzn-sagemaker-custom-attributes"] == "a" * 1024
    assert "1500 bytes, cut to 1024" in caplog.text


def test_what_is_too_long_for_the_api_does_not_reach_the_container() -> None:
    seen = ContainerTraffic()
    response = exchange(answering(OK, seen), headers=((b"x-amzn-sagemaker-custom-attributes", b"a" * 1025),))
    assert (response.status, response.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert b"Value at 'customAttributes' failed to satisfy constraint" in response.body
    assert seen.requests == []


def test_the_bounds_are_those_of_the_api() -> None:
    operation: Any = (
        botocore.session.get_session().get_service_model("sagemaker-runtime").operation_model("InvokeEndpoint")
    )
    bounds = {
        member.serialization["name"].lower().encode(): member.metadata["max"]
        for shape in (operation.input_shape, operation.output_shape)
        for member in shape.members.values()
        if member.serialization.get("location") == "header"
    }
    assert {name: bounds[name] for name in LONGEST} == LONGEST


def test_connections_are_kept() -> None:
    seen = ContainerTraffic()
    exchange(answering(OK, seen), calls=5)
    assert (len(seen.requests), seen.connections) == (5, 1)


def test_a_connection_that_the_container_closed_meanwhile_is_replaced() -> None:
    seen = ContainerTraffic()
    response = exchange(answering(OK, seen, close=True), calls=3)
    assert response.status == 200
    assert (len(seen.requests), seen.connections) == (3, 3)


def test_an_answer_that_ends_with_its_connection_is_whole() -> None:
    seen = ContainerTraffic()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end"
    response = exchange(answering(answer, seen, close=True))
    assert response.body == b"to the end"


@pytest.mark.parametrize(
    ("status", "side", "code"),
    [(400, "client", "CLIENT_ERROR_FROM_MODEL"), (503, "server", "INTERNAL_FAILURE_FROM_MODEL")],
)
def test_an_error_of_the_container_is_a_model_error(status: int, side: str, code: str) -> None:
    answer = b"HTTP/1.1 %d No\r\nContent-Length: 8\r\n\r\nbad rows" % status
    response = exchange(answering(answer, ContainerTraffic()))
    assert (response.status, response.headers["x-amzn-errortype"]) == (424, "ModelError")
    assert response.error["OriginalStatusCode"] == status
    assert response.error["OriginalMessage"] == "bad rows"
    assert response.error["ErrorCode"] == code
    assert response.error["Message"] == (
        f'Received {side} error ({status}) from primary with message "bad rows". See '
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
        "#logEventViewer:group=/aws/sagemaker/Endpoints/Digits in account 000000000000 for more information."
    )
    assert (
        response.error["LogStreamArn"]
        == "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/Digits"
    )


def test_a_model_error_in_china_points_at_the_console_of_china() -> None:
    answer = b"HTTP/1.1 400 No\r\nContent-Length: 8\r\n\r\nbad rows"
    response = exchange(answering(answer, ContainerTraffic()), region="cn-north-1", partition="aws-cn")
    assert (
        " See https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#" in response.error["Message"]
    )
    assert response.error["LogStreamArn"].startswith("arn:aws-cn:logs:cn-north-1:000000000000:log-group:")


def test_a_container_that_does_not_answer_in_time_is_a_model_error_of_status_0() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    response = exchange(silent, seconds=0.1)
    assert (response.status, response.error["OriginalStatusCode"]) == (424, 0)
    assert "Your invocation timed out while waiting for a response from container primary." in response.error["Message"]


def test_a_container_that_dies_in_the_middle_is_a_model_error() -> None:
    seen = ContainerTraffic()
    response = exchange(answering(b"HTTP/1.1 200 OK\r\nContent-Le", seen, close=True))
    assert (response.status, response.error["OriginalStatusCode"]) == (424, 0)
    assert len(seen.requests) == 1, "a request that was begun to be answered is not asked again"


@pytest.mark.parametrize(("status", "side"), [(500, "server"), (404, "client"), (200, "server")])
def test_an_answer_that_breaks_off_in_its_body_keeps_its_status(status: int, side: str) -> None:
    answer = b"HTTP/1.1 %d X\r\nContent-Length: 5000\r\n\r\nTraceback (most recent call" % status
    response = exchange(answering(answer, ContainerTraffic(), close=True))
    assert (response.status, response.error["OriginalStatusCode"]) == (424, status)
    assert response.error["Message"].startswith(
        f"Received {side} error ({status}) from primary and could not load the entire response body. See https://"
    )


def test_a_chunked_answer_that_breaks_off_keeps_its_status() -> None:
    answer = b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nTrace"
    assert exchange(answering(answer, ContainerTraffic(), close=True)).error["OriginalStatusCode"] == 500


@pytest.mark.parametrize("status", [302, 304, 600])
def test_a_status_that_the_contract_does_not_know_is_a_model_error_unless_a_setting_passes_it(status: int) -> None:
    length = b"" if status == 304 else b"Content-Length: 2\r\n"
    answer = b"HTTP/1.1 %d X\r\n%sLocation: /ping/\r\n\r\n%s" % (status, length, b"42" if length else b"")
    response = exchange(answering(answer, ContainerTraffic()))
    assert (response.status, response.error["OriginalStatusCode"]) == (424, status)
    passed = exchange(answering(answer, ContainerTraffic()), lenient=True)
    assert (passed.status, passed.body) == (200, b"42" if length else b"")


def test_no_content_is_an_empty_answer() -> None:
    response = exchange(answering(b"HTTP/1.1 204 No Content\r\n\r\n", ContainerTraffic()))
    assert (response.status, response.body) == (200, b"")


def test_content_encoding_is_dropped_unless_a_setting_passes_it() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n42"
    assert "content-encoding" not in exchange(answering(answer, ContainerTraffic())).headers
    assert exchange(answering(answer, ContainerTraffic()), lenient=True).headers["content-encoding"] == "gzip"


def test_the_next_container_is_asked_when_one_does_not_listen() -> None:
    response = exchange(answering(OK, ContainerTraffic()), before=(("127.0.0.1", 1),))
    assert response.status == 200


def test_an_address_without_a_listener_is_unavailable() -> None:
    response = asyncio.run(invoke((("127.0.0.1", 1),)))
    assert (response.status, response.headers["x-amzn-errortype"]) == (503, "ServiceUnavailable")


def test_an_unknown_endpoint_is_a_validation_error() -> None:
    response = asyncio.run(invoke((), name="digits"))
    assert (response.status, response.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert response.error["Message"] == "Endpoint digits of account 000000000000 not found."


def test_a_body_over_the_limit_is_refused() -> None:
    response = asyncio.run(invoke((), b"x" * (LIMIT + 1)))
    assert (response.status, response.error["message"]) == (413, "HTTP content length exceeded 1000 bytes.")


def test_an_answer_over_the_limit_is_a_model_error() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000

    response = exchange(answering(answer, ContainerTraffic()))
    assert response.status == 424


def test_a_target_model_needs_a_multi_model_endpoint() -> None:
    response = asyncio.run(invoke((), headers=((b"x-amzn-sagemaker-target-model", b"a.tar.gz"),)))
    assert response.error["Message"] == (
        "Endpoint Digits is not a multi-model endpoint and does not support target model header."
    )


def test_a_variant_is_reached_by_name() -> None:
    response = asyncio.run(invoke((), headers=((b"x-amzn-sagemaker-target-variant", b"Canary"),)))
    assert (response.status, response.headers["x-amzn-errortype"]) == (400, "ValidationError")


PIPELINE = ("clean", "predict", "label")


def test_each_container_of_a_pipeline_gets_the_response_of_the_one_before() -> None:
    seen = ContainerTraffic()
    given = ((b"content-type", b"application/json"), (b"accept", b"text/plain"))
    response = exchange(answering(OK, seen), headers=given, stages=PIPELINE)
    assert (response.status, response.body) == (200, b"42")
    parts = [one.split(b"\r\n\r\n") for one in seen.requests]
    assert [body for _, body in parts] == [b"1,2", b"42", b"42"]
    assert [re.findall(rb"(?m)^(?:Content-Type|Accept): (.*)\r$", head + b"\r\n") for head, _ in parts] == [
        [b"application/json"], [b"text/csv"], [b"text/plain", b"text/csv"]
    ]  # fmt: skip


def test_the_container_of_a_pipeline_that_fails_is_named() -> None:
    requests = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                await request(reader)
                requests += 1
                writer.write(OK if requests == 1 else OK.replace(b"200 OK", b"400 Bad Request"))
        writer.close()

    response = exchange(handle, stages=PIPELINE)
    assert (response.status, response.error["OriginalStatusCode"], requests) == (424, 400, 2)
    assert response.error["Message"].startswith('Received client error (400) from predict with message "42"')


def test_no_container_of_a_pipeline_passes_on_more_than_the_limit() -> None:
    response = exchange(answering(OK, ContainerTraffic()), stages=PIPELINE, most=1)
    assert response.status == 424
    assert response.error["Message"] == (
        "Received response from clean with status code 200. However, the request payload from clean to predict is "
        "2 bytes, which has exceeded the maximum limit of 0 MB."
    )
