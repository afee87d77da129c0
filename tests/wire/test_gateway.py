"""One request after another, over ASGI and in process, good and bad."""

import asyncio
import gzip
import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Self

import boto3
import botocore.exceptions
import pytest
import uvicorn
from botocore.config import Config

from samebox.errors import AwsError, ResourceInUse, SerializationException
from samebox.wire.caller import Caller
from samebox.wire.gateway import Gateway, Handlers
from samebox.wire.http import Request, inflated
from samebox.wire.models import Models
from tests.wire.asking import ask, ask_and_leave, call_json, json_headers

MODELS = Models()
CREDENTIAL = b"123456789012/20261122/eu-west-1/sagemaker/aws4_request"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model/m"


def gateway(handlers: Handlers | None = None, **options: Any) -> Gateway:
    return Gateway(MODELS, handlers or {}, **options)


def create_model(params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    return {"ModelArn": f"arn:aws:sagemaker:{caller.region}:{caller.account}:model/{params['ModelName']}", "Ours": 1}


CREATE: Handlers = {"sagemaker": {"CreateModel": create_model}}


def test_a_request_reaches_its_handler_and_the_answer_is_cut_to_the_model() -> None:
    answer = call_json(gateway(CREATE), "CreateModel", b'{"ModelName": "m"}')
    assert (answer.status, json.loads(answer.body)) == (200, {"ModelArn": ARN})
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert len(answer.headers["x-amzn-requestid"]) == 36


def test_in_process_the_same_call_gives_the_same_answer() -> None:
    caller = Caller("123456789012", "eu-west-1")
    answer = gateway(CREATE).call("sagemaker", "CreateModel", {"ModelName": "m"}, caller)
    assert answer == {"ModelArn": "arn:aws:sagemaker:eu-west-1:123456789012:model/m"}


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("sagemaker", "CreateModel", {"ModelName": "a_b"}, "ValidationException"),
        ("sagemaker", "CreateModel", {"ModelName": 1}, "SerializationException"),
        ("sagemaker", "CreateMiracle", {}, "UnknownOperationException"),
        ("dynamodb", "ListTables", {}, "UnknownOperationException"),
        ("sagemaker", "CreateApp", {}, "NotImplemented"),
    ],
)
def test_in_process_the_same_errors_are_raised(service: str, operation: str, params: Any, code: str) -> None:
    with pytest.raises(AwsError) as refused:
        gateway(CREATE).call(service, operation, params, Caller())
    assert refused.value.code == code


def test_an_invocation_can_be_made_in_process() -> None:
    def invoke(params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return {"Body": params["Body"][::-1], "ContentType": params["ContentType"], "InvokedProductionVariant": "v"}

    handlers: Handlers = {"sagemaker-runtime": {"InvokeEndpoint": invoke}}
    params = {"EndpointName": "e", "Body": b"abc", "ContentType": "text/csv"}
    answer = gateway(handlers).call("sagemaker-runtime", "InvokeEndpoint", params, Caller())
    assert answer == {"Body": b"cba", "ContentType": "text/csv", "InvokedProductionVariant": "v"}

    over_http = ask(
        gateway(handlers), target="/endpoints/e/invocations", headers={"Content-Type": "text/csv"}, body=b"abc"
    )
    assert (over_http.status, over_http.body, over_http.headers["content-type"]) == (200, b"cba", "text/csv")
    assert over_http.headers["x-amzn-invoked-production-variant"] == "v"


def test_a_handler_may_return_nothing() -> None:
    handlers: Handlers = {"sagemaker": {"DeleteModel": lambda params, caller: None}}
    answer = call_json(gateway(handlers), "DeleteModel", b'{"ModelName": "m"}')
    assert (answer.status, answer.body) == (200, b"")
    assert gateway(handlers).call("sagemaker", "DeleteModel", {"ModelName": "m"}, Caller()) == {}


def test_an_error_of_a_handler_keeps_its_code_and_message() -> None:
    def refuse(params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        raise ResourceInUse(f"Name {params['TrainingJobName']} is taken.")

    answer = call_json(
        gateway({"sagemaker": {"StopTrainingJob": refuse}}), "StopTrainingJob", b'{"TrainingJobName": "t"}'
    )
    assert answer.status == 400
    assert json.loads(answer.body) == {"__type": "ResourceInUse", "Message": "Name t is taken."}


def test_an_error_takes_its_status_and_members_from_the_model() -> None:
    def fail(params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        fields = {"OriginalStatusCode": 500, "OriginalMessage": "boom", "ErrorCode": "CLIENT_ERROR_FROM_MODEL"}
        raise AwsError("ModelError", "Received server error (500)", fields=fields)

    answer = ask(gateway({"sagemaker-runtime": {"InvokeEndpoint": fail}}), target="/endpoints/e/invocations", body=b"1")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (424, "ModelError")
    assert json.loads(answer.body) == {
        "Message": "Received server error (500)",
        "OriginalStatusCode": 500,
        "OriginalMessage": "boom",
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL",
    }


def test_the_runtime_calls_a_broken_constraint_a_validation_error() -> None:
    handlers: Handlers = {"sagemaker-runtime": {"InvokeEndpoint": lambda params, caller: {"Body": b""}}}
    answer = ask(gateway(handlers), target="/endpoints/a_b/invocations", body=b"1")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert json.loads(answer.body)["Message"].startswith("1 validation error detected: Value 'a_b' at 'endpointName'")


def test_a_fault_of_ours_is_a_500_with_an_id_that_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fail(params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        raise ZeroDivisionError("the secret is mellon")

    with caplog.at_level(logging.ERROR):
        answer = call_json(gateway({"sagemaker": {"ListModels": fail}}), "ListModels")
    assert answer.status == 500
    assert json.loads(answer.body)["__type"] == "InternalFailure"
    assert answer.headers["x-amzn-requestid"] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert b"mellon" not in answer.body


def test_an_operation_that_is_not_run_is_named() -> None:
    answer = call_json(gateway(), "CreateApp")
    assert answer.status == 501
    assert json.loads(answer.body) == {
        "__type": "NotImplemented",
        "message": "samebox does not implement sagemaker:CreateApp.",
    }


def test_an_unknown_operation_is_unknown() -> None:
    answer = call_json(gateway(), "CreateMiracle")
    assert (answer.status, json.loads(answer.body)["__type"]) == (404, "UnknownOperationException")


def test_a_request_that_names_no_operation_is_answered_with_its_host() -> None:
    answer = ask(gateway(), "GET", "/", {"host": "sts.us-east-1.amazonaws.com"})
    assert answer.status == 501
    message = "This request to sts.us-east-1.amazonaws.com names no operation of AWS that samebox implements."
    assert json.loads(answer.body)["message"] == message


def test_an_unknown_service_is_named() -> None:
    answer = call_json(gateway(), "ListTables", target="DynamoDB_20120810")
    assert answer.status == 501
    assert b"DynamoDB_20120810" in answer.body


@pytest.mark.parametrize(
    "body",
    [
        b'{"ModelName": "m"',
        b"[",
        b"nonsense",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'"' + b"9" * 10_000,
        b"9" * 10_000,
        b"1",
        b"[]",
    ],
)
def test_a_body_that_is_no_request_is_a_serialization_exception(body: bytes) -> None:
    answer = call_json(gateway(CREATE), "CreateModel", body)
    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("levels", [50, 51, 1000, 100_000])
@pytest.mark.parametrize("opens", [b'{"a":', b"["])
def test_json_of_fifty_levels_is_refused(levels: int, opens: bytes) -> None:
    closes = b"}" if opens.startswith(b"{") else b"]"
    body = b'{"ModelName": "m", "Unknown": ' + opens * (levels - 1) + b"1" + closes * (levels - 1) + b"}"
    answer = call_json(gateway(CREATE), "CreateModel", body)
    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "SerializationException")


def test_json_of_a_few_levels_less_is_read() -> None:
    body = b'{"ModelName": "m", "Unknown": ' + b"[" * 40 + b"]" * 40 + b"}"
    assert call_json(gateway(CREATE), "CreateModel", body).status == 200


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    answer = ask(
        gateway(CREATE, largest_body=10), headers=json_headers("CreateModel") | {"Content-Length": "41"}, body=b""
    )
    assert (answer.status, json.loads(answer.body)["__type"]) == (413, "RequestEntityTooLargeException")


def test_a_body_without_a_content_length_is_refused_while_it_is_read() -> None:
    assert ask(gateway(CREATE, largest_body=10), headers=json_headers("CreateModel"), body=b" " * 11).status == 413


def test_a_client_that_leaves_in_the_middle_is_not_answered() -> None:
    called = []
    handlers: Handlers = {"sagemaker": {"CreateModel": lambda params, caller: called.append(params)}}
    assert ask_and_leave(gateway(handlers), json_headers("CreateModel"), b'{"ModelName":') is None
    assert called == []


def test_a_body_that_never_arrives_is_not_waited_for() -> None:
    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"x-amz-target", b"SageMaker.ListModels")]}
    asyncio.run(gateway(body_seconds=0.01)(scope, never, send))
    assert sent[0]["status"] == 408


def test_an_operation_that_is_not_run_is_refused_in_cbor() -> None:
    answer = ask(
        gateway(),
        target="/service/GraniteServiceVersion20100801/operation/PutDashboard",
        headers={"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"},
        body=b"\xa0",
    )
    assert (answer.status, answer.headers["smithy-protocol"]) == (501, "rpc-v2-cbor")
    assert b"cloudwatch:PutDashboard" in answer.body


async def teapot(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"] if scope["method"] == "POST" else b""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_s3_is_passed_on_unread() -> None:
    assert ask(gateway(s3=teapot), "GET", "/bucket/key").status == 418


def test_a_presigned_url_of_s3_ends_though_signatures_are_not_checked() -> None:
    url = (
        "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20261122%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20261122T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=any"
    )
    made = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    assert ask(gateway(s3=teapot, clock=lambda: made + 30), "GET", url).status == 418
    answer = ask(gateway(s3=teapot, clock=lambda: made + 90), "GET", url)
    assert (answer.status, b"Request has expired" in answer.body) == (403, True)


def test_the_caller_of_a_request_is_identified() -> None:
    scope = {
        "method": "POST",
        "path": "/x",
        "headers": [(b"authorization", b"AWS4-HMAC-SHA256 Credential=%s" % CREDENTIAL)],
    }
    assert asyncio.run(gateway().identify(scope, b"")) == ("123456789012", "eu-west-1")
    with pytest.raises(AwsError, match="IncompleteSignature"):
        asyncio.run(gateway(token="secret").identify(scope, b""))


@pytest.mark.parametrize(("token", "is_let_in"), [(b"good", True), (b"another", False), (None, False)])
def test_the_session_token_of_a_temporary_key_is_looked_at_for_an_invocation(
    token: bytes | None, is_let_in: bool
) -> None:
    key = b"ASIA123456789012ABCDEFGHIJKLMNOP/20261122/eu-west-1/sagemaker/aws4_request"
    headers = [(b"authorization", b"AWS4-HMAC-SHA256 Credential=" + key)]
    headers += [] if token is None else [(b"x-amz-security-token", token)]
    scope = {"method": "POST", "path": "/x", "headers": headers}
    checked = gateway(sessions=lambda _, token: "good" if token == "good" else "wrong")
    if is_let_in:
        assert asyncio.run(checked.identify(scope, b"")) == ("123456789012", "eu-west-1")
    else:
        with pytest.raises(AwsError, match="security token included in the request is invalid"):
            asyncio.run(checked.identify(scope, b""))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_with_a_token_nothing_unsigned_is_let_in(method: str) -> None:
    guarded = gateway(CREATE, token="secret", s3=teapot)
    assert call_json(guarded, "CreateModel", b'{"ModelName": "m"}').status == 400
    assert call_json(guarded, "ListTables", target="DynamoDB_20120810").status == 400
    assert ask(guarded, method, "/bucket/key").status == 403
    object_ = ask(guarded, "GET", "/bucket/key")
    assert b"<Code>AccessDenied</Code>" in object_.body


class Served:
    """A gateway under uvicorn on a free port, for as long as a test lasts."""

    def __init__(self, app: Gateway) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="warning"))
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.005)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        self._ready.set()
        await serving


@pytest.fixture
def served() -> Iterator[Served]:
    handlers: Handlers = {
        **CREATE,
        "sts": {"GetCallerIdentity": lambda params, caller: {"Account": caller.account, "Arn": "arn", "UserId": "u"}},
    }
    with Served(gateway(handlers, token="the token")) as server:
        yield server


def client(service: Any, url: str, secret: str = "the token", **config: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def test_an_unmodified_client_is_served_over_real_http(served: Served) -> None:
    arn = client("sagemaker", served.url).create_model(ModelName="m")["ModelArn"]
    assert arn == "arn:aws:sagemaker:eu-west-1:123456789012:model/m"
    assert client("sts", served.url).get_caller_identity()["Account"] == "123456789012"


def test_an_unmodified_client_raises_our_errors(served: Served) -> None:
    unchecked = client("sagemaker", served.url, parameter_validation=False)
    with pytest.raises(botocore.exceptions.ClientError) as invalid:
        unchecked.create_model(ModelName="a_b")
    assert invalid.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(botocore.exceptions.ClientError) as missing:
        unchecked.list_apps()
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(botocore.exceptions.ClientError) as stranger:
        client("sts", served.url, secret="wrong").get_caller_identity()
    assert stranger.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_a_body_that_is_not_compressed_as_it_claims_is_refused() -> None:
    packed = gzip.compress(b"x" * 1000)
    head = Request("POST", "/", headers={"content-encoding": "gzip"})
    assert inflated(head.changed(body=packed), 1000).body == b"x" * 1000
    assert inflated(head, 10) is head
    for body, most in ((packed, 999), (packed[:-9], 1000), (b"x", 1000)):
        with pytest.raises(SerializationException):
            inflated(head.changed(body=body), most)
