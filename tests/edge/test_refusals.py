"""Who is refused at the edge reads why, in what its protocol calls an error; and which names are served."""

import http.client
import json
import socket
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.settings import Settings
from tests.edge.asking import BUCKET, ask, client


def test_an_s3_client_that_uses_a_strange_name_reads_why(unlocked: Settings) -> None:
    status, _, body = ask(unlocked, "GET", "/objects/victim", Host="evil.example")
    assert status == 403
    assert b"<Code>AccessDenied</Code>" in body
    assert b"SAMEBOX_ALLOWED_HOSTS" in body


def test_docker_reads_why(unlocked: Settings) -> None:
    status, _, body = ask(unlocked, "GET", "/v2/", Host="evil.example:4566")
    assert status == 403
    assert "SAMEBOX_ALLOWED_HOSTS" in json.loads(body)["errors"][0]["message"]


def test_a_sagemaker_client_reads_why(unlocked: Settings) -> None:
    status, _, body = ask(
        unlocked, "POST", "/", b"{}", Host="evil.example", X_Amz_Target="SageMaker.ListModels",
        Content_Type="application/x-amz-json-1.1",
    )  # fmt: skip
    assert status == 403
    assert json.loads(body)["__type"] == "AccessDeniedException"


def test_headers_have_a_bound_and_a_client_reads_it(unlocked: Settings) -> None:
    large = "a" * 70_000
    for status, _, body in (
        ask(unlocked, "POST", "/", b"{}", X_Amz_Target="SageMaker.ListModels", X_Large=large),
        ask(unlocked, "GET", "/objects/victim", X_Large=large),
    ):
        assert status == 431
        assert b"RequestHeaderSectionTooLarge" in body
        assert b"65536" in body
    assert ask(unlocked, "GET", "/_samebox/ready", X_Large="a" * 60_000)[0] == 200


@pytest.mark.parametrize(
    "header", [b"X-Large: " + b"a" * 5_000_000, b"a: b\r\n" * 800_000, b"GET /" + b"a" * 5_000_000]
)
def test_a_head_without_an_end_is_not_held(unlocked: Settings, header: bytes) -> None:
    start = b"" if header.startswith(b"GET") else b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    with socket.create_connection(("127.0.0.1", unlocked.port), timeout=60) as connection:
        connection.sendall(start + header)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 431
        assert json.loads(answer.read())["__type"] == "RequestHeaderSectionTooLarge"
    assert ask(unlocked, "GET", "/_samebox/ready")[0] == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/objects/victim", "/v2/", "/_samebox/status", "/endpoints/e/invocations"])
def test_nothing_is_behind_the_check(unlocked: Settings, method: str, path: str) -> None:
    assert ask(unlocked, method, path, Host="evil.example")[0] == 403
    assert ask(unlocked, method, path, Origin="http://evil.example")[0] == 403
    assert ask(unlocked, method, path, Sec_Fetch_Site="cross-site")[0] == 403


def test_a_preflight_of_an_origin_that_is_not_allowed_gets_no_permission(unlocked: Settings) -> None:
    status, headers, _ = ask(
        unlocked, "OPTIONS", "/objects/k", Origin="http://evil.example", Access_Control_Request_Method="PUT"
    )
    assert status == 403
    assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("name", ["localhost", "s3.localhost"])
def test_clients_reach_us_by_every_name_of_loopback(unlocked: Settings, name: str) -> None:
    status, _, _ = ask(unlocked, "GET", "/_samebox/status", Host=f"{name}:{unlocked.port}")
    assert status == 200


def test_a_name_of_aws_is_served_where_the_client_takes_us_for_a_proxy(unlocked: Settings) -> None:
    form = b"Action=GetCallerIdentity&Version=2011-06-15"
    kind = "application/x-www-form-urlencoded"
    status, _, body = ask(unlocked, "POST", "http://sts.us-east-1.amazonaws.com/", form, Content_Type=kind)
    assert (status, b"<Account>000000000000</Account>" in body) == (200, True)
    status, _, _ = ask(unlocked, "POST", "/", form, Host="sts.us-east-1.amazonaws.com", Content_Type=kind)
    assert status == 403


def test_a_bucket_in_the_host_is_served_at_any_address(unlocked: Settings, s3: Any) -> None:
    status, _, body = ask(unlocked, "GET", "/victim", Host=f"{BUCKET}.s3.us-east-1.amazonaws.com")
    assert (status, body) == (200, b"precious")


def test_an_unknown_name_is_an_error_of_the_service_to_boto3(
    unlocked: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **options: look_up(host.replace("my.box", "127.0.0.1"), *more, **options),
    )
    sagemaker = client("sagemaker", unlocked, url=f"http://my.box:{unlocked.port}")
    with pytest.raises(ClientError, match=r"\(AccessDeniedException\).*'my\.box:\d+'.*SAMEBOX_ALLOWED_HOSTS"):
        sagemaker.list_models()
    sagemaker.close()
