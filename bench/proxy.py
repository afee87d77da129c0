"""The forward proxy against the plain URL of the same emulator: TLS and a tunnel, and what they cost."""

from __future__ import annotations

import http.client
import ssl
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from bench.figures import Bar, Row, alternate, median
from bench.stand import BUCKET, MB
from tests.scenarios.emulator_process import ACCOUNT

if TYPE_CHECKING:
    from bench.stand import Stand

PROXY = "proxy"
KEY = "proxy/object"
REQUESTS = 100  # in one value
FORM = "Action=GetCallerIdentity&Version=2011-06-15"
SIGNED = {
    "content-type": "application/x-www-form-urlencoded",
    "authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20220101/us-east-1/sts/aws4_request, "
    "SignedHeaders=host, Signature=0",
}
STS, S3 = "sts.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"
REQUEST_BAR, CONNECTION_BAR, STREAM_BAR = Bar("added", 0.5), Bar("added", 10.0), Bar("ours", 100.0, at_least=True)


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """A small request on an open connection, a connection with its first request, and a large object."""
    emulator = stand.emulator
    emulator.client("s3", signature_version="s3v4").put_object(Bucket=BUCKET, Key=KEY, Body=bytes(megabytes * MB))
    url = emulator.client("s3", signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": KEY}
    )
    target = url.removeprefix(emulator.url)
    plain, proxied = partial(_plain, emulator.port), partial(_proxied, emulator.port, stand)
    kept = alternate(rounds, partial(_requests, plain), partial(_requests, proxied), report=stand.report)
    new = alternate(rounds, partial(_first, plain), partial(_first, proxied))
    streamed = alternate(rounds, partial(_stream, plain, target), partial(_stream, proxied, target))
    bare, ours = ([megabytes / seconds for seconds in one] for one in streamed)
    return [
        Row(
            PROXY, "proxy: GetCallerIdentity, open connection", "ms", median(kept[1]), median(kept[0]), bar=REQUEST_BAR
        ),
        Row(PROXY, "proxy: the same, new connection", "ms", median(new[1]), median(new[0]), bar=CONNECTION_BAR),
        Row(PROXY, f"proxy: S3 down, {megabytes} MB", "MB/s", median(ours), median(bare), bar=STREAM_BAR),
    ]


def _plain(port: int, _: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=120)


def _proxied(port: int, stand: Stand, host: str) -> http.client.HTTPConnection:
    context = ssl.create_default_context(cafile=stand.emulator.data_dir / "proxy" / "ca.pem")
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=120, context=context)
    connection.set_tunnel(host, 443)
    return connection


def _ask(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/", FORM, SIGNED)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()


def _requests(connect: partial[http.client.HTTPConnection]) -> float:
    """Milliseconds of one request of many."""
    with closing(connect(STS)) as connection:
        _ask(connection)
        began = time.perf_counter()
        for _ in range(REQUESTS):
            _ask(connection)
        return (time.perf_counter() - began) * 1000 / REQUESTS


def _first(connect: partial[http.client.HTTPConnection]) -> float:
    """Milliseconds of a connection with one request."""
    began = time.perf_counter()
    with closing(connect(STS)) as connection:
        _ask(connection)
    return (time.perf_counter() - began) * 1000


def _stream(connect: partial[http.client.HTTPConnection], target: str) -> float:
    """Seconds of a large object."""
    with closing(connect(S3)) as connection:
        began = time.perf_counter()
        connection.request("GET", target)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        while answer.read(MB):
            pass
        return time.perf_counter() - began
