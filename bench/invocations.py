"""InvokeEndpoint against a direct POST of the same bytes to the same container."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench import load
from bench.figures import Bar, Row, percentile
from bench.servers import SCRIPT
from tests.scenarios.emulator_process import ACCOUNT, docker

if TYPE_CHECKING:
    from bench.stand import Stand

INVOKE = "invoke"
BODY = b"0.0,0.3,0.9,0.1,0.0,0.7,0.2,0.4\n" * 32  # a kilobyte of CSV
WARM_UP = 200
BLOCK = 100
# The bars of one client's p50 and of eight clients' p99; both for what we add.
P50, P99 = Bar("added", 0.5), Bar("added", 3.0)


def measure(stand: Stand, rounds: int, peer: dict[str, float]) -> list[Row]:
    """p50 and p99, with one client and with eight."""
    emulator, name = stand.emulator, stand.name("invoke")
    emulator.serve(name, stand.box, SCRIPT)
    try:
        host, port = _address(stand)
        direct = load.LoadTarget("bare", host, port, (load.encoded(_direct(host, port)),))
        ours = load.LoadTarget("ours", "127.0.0.1", emulator.port, (load.encoded(signed(emulator.url, name)),))
        rows = []
        for clients in (1, 8):
            stand.report(f"{clients} at once")
            rows += _rows(load.run(load.Load((direct, ours), clients, rounds, BLOCK, WARM_UP)), clients, peer)
        return rows
    finally:
        emulator.sagemaker.delete_endpoint(EndpointName=name)


def _rows(seconds: dict[str, list[float]], clients: int, peer: dict[str, float]) -> list[Row]:
    many = f"{clients} client" + ("s" if clients > 1 else "")
    rows = []
    for part, word, bar in ((0.5, "p50", P50 if clients == 1 else None), (0.99, "p99", P99 if clients > 1 else None)):
        bare, ours = (percentile(seconds[name], part) * 1000 for name in ("bare", "ours"))
        theirs = peer.get(f"invoke {word}") if clients == 1 else None
        what = f"InvokeEndpoint, 1 KB, {many}, {word}"
        rows.append(Row(INVOKE, what, "ms", ours, bare, theirs * 1000 if theirs else None, bar))
    return rows


def _address(stand: Stand) -> tuple[str, int]:
    """Host and port of the container that serves: where the emulator posts to."""
    instance = (stand.emulator.data_dir / "id").read_text().strip()
    filters = ["--filter", f"label=samebox={instance}", "--filter", f"label=samebox.bench={stand.id}"]
    containers = docker("ps", "--quiet", *filters).split()
    assert len(containers) == 1, f"one serving container was expected, not {containers}"
    settings = json.loads(docker("inspect", containers[0]))[0]["NetworkSettings"]
    published = settings["Ports"].get("8080/tcp")
    if published:
        return str(published[0]["HostIp"]), int(published[0]["HostPort"])
    return next(str(one["IPAddress"]) for one in settings["Networks"].values() if one["IPAddress"]), 8080


def _direct(host: str, port: int) -> bytes:
    return _message("/invocations", {"Host": f"{host}:{port}", "Content-Type": "text/csv"})


def signed(url: str, endpoint: str) -> bytes:
    """An invocation of an endpoint."""
    # Signed once: what a signature costs the client is not ours.
    path = f"/endpoints/{endpoint}/invocations"
    host = urlsplit(url).netloc
    request = AWSRequest("POST", url + path, {"Host": host, "Content-Type": "text/csv"}, BODY)
    SigV4Auth(Credentials(ACCOUNT, "test"), "sagemaker", "us-east-1").add_auth(request)
    return _message(path, dict(request.headers.items()))


def _message(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(BODY)}", "", ""]).encode() + BODY
