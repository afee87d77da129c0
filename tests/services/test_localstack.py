"""Services that samebox does not run, through boto3: passed on to LocalStack, or refused with the switch that helps."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import FakeRequest, FakeResponse, Process
from samebox.settings import Settings
from tests.conftest import Aws
from tests.ports import free_port

OWN_ACCOUNT = "444455556666"
TOKEN = "token-" + "a" * 20


def localstack(process: Process) -> int:
    """Answers health checks, and for the rest with what a request had, as SQS's and Lambda's clients read it."""

    def answer(request: FakeRequest) -> FakeResponse:
        named = {name.lower(): value for name, value in request.headers.items()}
        if named.get("x-samebox-key") != process.spec.environment["EMULATOR_KEY"]:
            return FakeResponse(403)
        if request.path == "/_localstack/health":
            return FakeResponse(200)
        if "x-amz-target" in named:
            place = named["authorization"].split("Credential=")[1].split(",")[0]
            shown = {"QueueUrl": f"{named['x-forwarded-proto']}/{place}"}
            return FakeResponse(200, json.dumps(shown).encode(), {"Content-Type": "application/x-amz-json-1.0"})
        return FakeResponse(200, request.body, {"Content-Type": "application/json"})

    return process.serve(answer, port=4566)


@dataclass(frozen=True)
class Started:
    url: str
    secret: str

    def client(self, service: str, account: str = "111122223333", **more: Any) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id=account,
            aws_secret_access_key=self.secret,
            config=Config(retries={"total_max_attempts": 1}, **more),
        )


@pytest.fixture(scope="module", params=["", TOKEN], ids=["open", "token"])
def emulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    token: str = request.param
    engine = FakeEngine(tmp_path_factory.mktemp("engine"))
    settings = Settings(
        port=free_port(), data_dir=tmp_path_factory.mktemp("data"), localstack=True, container_credentials=False,
        account=OWN_ACCOUNT, token=token,
    )  # fmt: skip
    engine.add_image(settings.localstack_image, {"localstack": localstack}, entrypoint=("localstack",))
    with server.running(settings, engine):
        yield Started(settings.url, token or "any")


@pytest.mark.parametrize(("key", "account"), [("111122223333", "111122223333"), ("AKIAIOSFODNN7EXAMPLE", OWN_ACCOUNT)])
def test_a_request_goes_on_in_its_account_and_region(emulator: Started, key: str, account: str) -> None:
    scope = emulator.client("sqs", key).create_queue(QueueName="q")["QueueUrl"].split("/")
    assert (scope[0], scope[1], scope[3:]) == ("http", account, ["eu-west-1", "sqs", "aws4_request"])


def test_a_body_and_its_answer_go_through(emulator: Started) -> None:
    body = b'{"a": "' + b"x" * 3_000_000 + b'"}'
    answer = emulator.client("lambda").invoke(FunctionName="f", Payload=body)
    assert answer["Payload"].read() == body


def test_its_state_is_reported(emulator: Started) -> None:
    emulator.client("sqs").list_queues()
    status = httpx.get(f"{emulator.url}/_samebox/status")
    if emulator.secret == TOKEN:
        assert status.status_code == 403
    else:
        assert status.json()["localstack"] == {"wanted": True, "running": True, "detail": ""}


@pytest.mark.parametrize("emulator", [TOKEN], indirect=True)
def test_a_wrong_secret_is_refused_before_it_goes_on(emulator: Started) -> None:
    with pytest.raises(ClientError, match=r"InvalidSignatureException|SignatureDoesNotMatch"):
        Started(emulator.url, "wrong").client("sqs").list_queues()


def test_while_it_starts_a_request_waits_a_bounded_time_and_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samebox.services.localstack.WAIT_SECONDS", 0.0)
    settings = Settings(port=free_port(), data_dir=tmp_path / "data", localstack=True, container_credentials=False)
    reason = r"LocalStack is starting|docker buildx bake localstack"
    with server.running(settings, FakeEngine(tmp_path / "engine")), pytest.raises(ClientError, match=reason) as caught:
        Started(settings.url, "any").client("sqs").list_queues()
    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503)


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("sqs", "list_queues", {}),
        ("sns", "list_topics", {}),
        ("dynamodb", "list_tables", {}),
        ("lambda", "list_functions", {}),
        ("stepfunctions", "list_state_machines", {}),
        ("ec2", "describe_instances", {}),
        ("route53", "list_hosted_zones", {}),
    ],
)
def test_without_it_each_protocol_names_the_switch(
    aws: Aws, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="samebox up --localstack") as caught:
        getattr(aws.client(service), operation)(**arguments)
    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("NotImplemented", 501)
