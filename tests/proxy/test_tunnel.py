"""The forward proxy of a whole emulator: clients that know no endpoint, and clients that would misuse it."""

import functools
import http.client
import os
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.proxy.authority import Authority
from samebox.settings import Settings
from tests.ports import free_port

REGION = "ap-northeast-2"
MEBIBYTE = 1024 * 1024


@contextmanager
def emulator(folder: Path, **more: Any) -> Iterator[Settings]:
    settings = Settings(data_dir=folder / "data", port=free_port(), container_credentials=False, **more)
    settings.data_dir.mkdir(parents=True)
    with server.running(settings, FakeEngine(settings.data_dir / "engine")):
        yield settings


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with emulator(tmp_path_factory.mktemp("house")) as settings:
        yield settings


def bundle(settings: Settings) -> str:
    return str(settings.data_dir / "proxy" / "ca-bundle.pem")


def client(service: str, settings: Settings, region: str = REGION, url: str | None = None, **more: Any) -> Any:
    """As botocore makes one in a shell with HTTPS_PROXY and AWS_CA_BUNDLE: at AWS's own address."""
    config = Config(retries={"total_max_attempts": 1}, proxies={"https": settings.url}, **more)
    keys = {"aws_access_key_id": "123456789012", "aws_secret_access_key": settings.token or "any"}
    return session().client(
        service, region_name=region, endpoint_url=url, config=config, verify=bundle(settings), **keys
    )


@functools.cache
def session() -> Any:
    """One that reads each service's model once."""
    return boto3.session.Session()


def test_services_are_reached_at_their_own_addresses_in_every_region(house: Settings) -> None:
    for region in (REGION, "cn-north-1"):
        with closing(client("sagemaker", house, region)) as sagemaker:
            assert sagemaker.list_models()["Models"] == []
        with closing(client("sts", house, region)) as sts:
            assert sts.get_caller_identity()["Account"] == "123456789012"
        with closing(client("logs", house, region)) as logs:
            assert logs.describe_log_groups()["logGroups"] == []
        with closing(client("cloudwatch", house, region)) as cloudwatch:
            assert cloudwatch.list_metrics()["Metrics"] == []
        with closing(client("ecr", house, region)) as ecr:
            assert ecr.describe_repositories()["repositories"] == []
    # An explicit regional endpoint, as the SageMaker SDKs have it, which no AWS_ENDPOINT_URL changes.
    with closing(client("sts", house, url=f"https://sts.{REGION}.amazonaws.com")) as sts:
        assert sts.get_caller_identity()["Account"] == "123456789012"


@pytest.mark.parametrize(
    "how",
    [
        {"addressing_style": "path"}, {"addressing_style": "virtual"},
        {"addressing_style": "virtual", "use_dualstack_endpoint": True},
    ],
)  # fmt: skip
def test_s3_is_reached_in_both_styles_with_large_streamed_bodies(house: Settings, how: dict[str, Any]) -> None:
    body = os.urandom(9 * MEBIBYTE)
    with closing(client("s3", house, s3=how)) as s3:
        bucket = f"streams-{abs(hash(str(how))) % 10**9}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        # Keys that are paths of other doors of ours when the bucket is in the host.
        for key in ("v2/a", "_samebox/status", "endpoints/x/invocations"):
            s3.put_object(Bucket=bucket, Key=key, Body=body)
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body
        assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == REGION


def test_a_presigned_url_of_a_bucket_in_the_host_is_followed_by_any_client(house: Settings) -> None:
    with closing(client("s3", house, s3={"addressing_style": "virtual"})) as s3:
        s3.create_bucket(Bucket="presigned", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="presigned", Key="k", Body=b"hi")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "k"})
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, proxies={"https": house.url}, verify=bundle(house), timeout=60)
    assert (url.startswith("https://presigned.s3."), answer.content) == (True, b"hi")


@dataclass
class Raw:
    """A connection that a test speaks on itself."""

    socket: socket.socket

    def ask(self, text: str) -> bytes:
        self.socket.sendall(text.encode())
        received = b""
        while b"\r\n\r\n" not in received:
            piece = self.socket.recv(65536)
            if not piece:
                break
            received += piece
        return received


@contextmanager
def connected(settings: Settings) -> Iterator[Raw]:
    with closing(socket.create_connection(("127.0.0.1", settings.port), 60)) as opened:
        yield Raw(opened)


@contextmanager
def tunnel(settings: Settings, host: str) -> Iterator[http.client.HTTPSConnection]:
    context = ssl.create_default_context(cafile=bundle(settings))
    found = http.client.HTTPSConnection("127.0.0.1", settings.port, timeout=60, context=context)
    found.set_tunnel(host, 443)
    with closing(found):
        yield found


def test_a_tunnel_carries_several_requests_and_waits_for_what_is_expected(house: Settings) -> None:
    with tunnel(house, "iam.amazonaws.com") as connection:
        for _ in range(3):
            connection.request("POST", "/", "Action=GetRole&Version=2010-05-08&RoleName=r",
                               {"content-type": "application/x-www-form-urlencoded"})  # fmt: skip
            answer = connection.getresponse()
            assert (answer.status, b"role/r" in answer.read()) == (200, True)
            kept = connection.sock
        assert connection.sock is kept
        connection.sock.sendall(
            b"PUT /x HTTP/1.1\r\nhost: b-one.s3.amazonaws.com\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
        )
        assert connection.sock.recv(1000).startswith(b"HTTP/1.1 ")


def test_telemetry_of_the_sdks_ends_here_with_nothing(house: Settings) -> None:
    with tunnel(house, "sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com") as connection:
        connection.request("GET", "/telemetry?x-sdkVersion=2.257")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")


def test_a_service_that_is_not_spoken_has_a_wellformed_error(house: Settings) -> None:
    with closing(client("dynamodb", house)) as dynamodb, pytest.raises(ClientError) as refused:
        dynamodb.list_tables()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("127.0.0.1:443", 403), ("localhost:443", 403), ("127.1:443", 403), ("169.254.169.254:443", 403),
        ("[::1]:8443", 403), ("sts.amazonaws.com:22", 403), ("pypi.org:80", 403), ("nonsense", 400), ("a:b:c", 400),
    ],
)  # fmt: skip
def test_it_is_no_open_proxy(house: Settings, target: str, status: int) -> None:
    with connected(house) as raw:
        assert raw.ask(f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n").startswith(
            f"HTTP/1.1 {status} ".encode()
        )
        assert raw.socket.recv(1) == b""


def test_other_hosts_are_refused_by_the_setting(tmp_path: Path) -> None:
    with emulator(tmp_path, proxy_pass_through=False) as settings, connected(settings) as raw:
        assert b"SAMEBOX_PROXY_PASS_THROUGH" in raw.ask("CONNECT pypi.org:443 HTTP/1.1\r\n\r\n")


def test_a_head_that_comes_byte_by_byte_is_understood_and_a_long_one_refused(house: Settings) -> None:
    with connected(house) as raw:
        for letter in "CONNECT sts.amazonaws.com:443 HTTP/1.1\r\nhost: x\r\n\r":
            raw.socket.sendall(letter.encode())
        assert raw.ask("\n").startswith(b"HTTP/1.1 200 ")
    with connected(house) as raw:
        assert raw.ask("CONNECT " + "x" * 70_000).startswith(b"HTTP/1.1 431 ")
    with connected(house) as raw:  # a method that begins as CONNECT does
        raw.socket.sendall(b"CO")
        assert raw.ask("PY /k HTTP/1.1\r\nhost: localhost\r\n\r\n").startswith(b"HTTP/1.1 ")


def test_what_is_sent_before_the_answer_is_refused(house: Settings) -> None:
    with connected(house) as raw:
        assert raw.ask("CONNECT sts.amazonaws.com:443 HTTP/1.1\r\n\r\nearly").startswith(b"HTTP/1.1 400 ")


def test_within_a_tunnel_there_is_no_other_and_no_name_that_is_not_of_aws(house: Settings) -> None:
    with tunnel(house, "sts.amazonaws.com") as connection:
        connection.request("GET", "/_samebox/status", headers={"host": "evil.example"})
        assert connection.getresponse().status == 403
    with tunnel(house, "sts.amazonaws.com") as connection:
        connection.connect()
        connection.sock.sendall(b"CONNECT sts.amazonaws.com:443 HTTP/1.1\r\nhost: sts.amazonaws.com:443\r\n\r\n")
        assert connection.sock.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_name_of_aws_without_the_proxy_is_refused(house: Settings) -> None:
    # As a page would send it whose name leads to an address of ours; and a page may name any header but Host.
    with connected(house) as raw:
        answer = raw.ask(
            "GET /_samebox/status HTTP/1.1\r\nhost: evil.compute-1.amazonaws.com\r\nx-forwarded-proto: https\r\n\r\n"
        )
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_plain_http_is_proxied_for_names_of_aws_alone(house: Settings) -> None:
    with connected(house) as raw:
        answer = raw.ask("GET http://iam.amazonaws.com/?Action=GetRole&RoleName=r HTTP/1.1\r\nhost: other\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
    with connected(house) as raw:
        assert raw.ask("GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\n\r\n").startswith(b"HTTP/1.1 403 ")


# What is passed through: a TLS server of a test, behind a proxy that is its only way.


class TlsEcho(socketserver.ThreadingTCPServer):
    """Sends back what it receives over TLS, as whatever host of AWS it is taken for."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), TlsEchoHandler)
        self.context = context


class TlsEchoHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, TlsEcho)
        with self.server.context.wrap_socket(self.request, server_side=True) as secured:
            while piece := secured.recv(65536):
                secured.sendall(piece)


class OtherProxy(socketserver.ThreadingTCPServer):
    """A proxy that leads to `place` whatever it is asked for, and keeps what it was asked."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, place: tuple[str, int], answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        super().__init__(("127.0.0.1", 0), OtherProxyHandler)
        self.place, self.answer = place, answer
        self.heads: list[bytes] = []


class OtherProxyHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, OtherProxy)
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(1)
        self.server.heads.append(head)
        self.request.sendall(self.server.answer)
        if b" 200 " not in self.server.answer:
            return
        with closing(socket.create_connection(self.server.place, 60)) as there:
            back = threading.Thread(target=_pump, args=(there, self.request))
            back.start()
            _pump(self.request, there)
            back.join(60)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side ended


@contextmanager
def serving(one: socketserver.ThreadingTCPServer) -> Iterator[Any]:
    thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield one
    finally:
        one.shutdown()
        thread.join(60)
        one.server_close()


def test_a_host_that_is_not_of_aws_is_reached_with_its_own_certificate_and_nothing_is_read(tmp_path: Path) -> None:
    # The target's authority vouches for AWS's names alone, so to us it is a host that leads on by another name.
    elsewhere = Authority(tmp_path / "elsewhere")
    name, body = "files.s3.us-east-1.amazonaws.com", os.urandom(5 * MEBIBYTE)
    with (
        serving(TlsEcho(elsewhere.context(name))) as echo,
        serving(OtherProxy(echo.server_address)) as upstream,
        emulator(tmp_path, https_proxy=f"http://me:secret@127.0.0.1:{upstream.server_address[1]}") as settings,
        connected(settings) as raw,
    ):
        assert raw.ask("CONNECT pypi.org:443 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        client = ssl.create_default_context(cafile=elsewhere.bundle)
        with client.wrap_socket(raw.socket, server_hostname=name) as secured:
            sender = threading.Thread(target=secured.sendall, args=(body,))
            sender.start()
            received = b""
            while len(received) < len(body):
                received += secured.recv(MEBIBYTE)
            sender.join(60)
        assert received == body
        (head,) = upstream.heads
    assert head.startswith(b"CONNECT pypi.org:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in head


def test_an_upstream_that_refuses_is_named(tmp_path: Path) -> None:
    with (
        serving(OtherProxy(("", 0), b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as upstream,
        emulator(tmp_path, https_proxy=f"http://127.0.0.1:{upstream.server_address[1]}") as settings,
        connected(settings) as raw,
    ):
        answer = raw.ask("CONNECT pypi.org:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"407 Proxy Authentication Required" in answer


def test_the_emulator_ends_while_tunnels_are_open(tmp_path: Path) -> None:
    elsewhere = Authority(tmp_path / "elsewhere")
    with (
        serving(TlsEcho(elsewhere.context("sts.amazonaws.com"))) as echo,
        serving(OtherProxy(echo.server_address)) as up,
    ):
        with emulator(tmp_path, https_proxy=f"http://127.0.0.1:{up.server_address[1]}") as settings:
            passing = socket.create_connection(("127.0.0.1", settings.port), 60)
            ours = socket.create_connection(("127.0.0.1", settings.port), 60)
            assert Raw(passing).ask("CONNECT pypi.org:443 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")
            assert Raw(ours).ask("CONNECT sts.amazonaws.com:443 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        with passing, ours:
            assert passing.recv(1) == b""


def test_a_token_is_asked_for_by_the_proxy_as_anywhere(tmp_path: Path) -> None:
    with emulator(tmp_path, token="secret") as settings:
        with closing(client("sts", settings)) as sts:
            assert sts.get_caller_identity()["Account"] == "123456789012"
        wrong = replace(settings, token="wrong")
        with closing(client("sts", wrong)) as sts, pytest.raises(ClientError, match="signature"):
            sts.get_caller_identity()
