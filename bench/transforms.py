"""Batch transform: MB/s of lines through a container that echoes, against a bare HTTP client with the same payloads."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from bench import memory
from bench.figures import Bar, Row, alternate, median
from bench.stand import BUCKET, JOB_POLL_SECONDS, MB, Stand, ping, wait_for
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TRANSFORM = "transform"
BAR, MEMORY = Bar("ratio", 0.8, at_least=True), Bar("ours", 300)
PAYLOADS = (1, 6)  # MB
CONCURRENT = 4
LINE = b"5.1,3.5,1.4,0.2,4.9,3.0,1.4,0.2\n"
FINAL = ("Completed", "Failed", "Stopped")


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """A small and a large object are transformed, and their difference counts: not the start of the container."""
    # As large as that: a start takes a tenth of a second more or less, and the difference must not be of that kind.
    small, large = (LINE * (size * MB // len(LINE)) for size in (megabytes // 8, 4 * megabytes))
    for key, body in (("small", small), ("large", large)):
        stand.emulator.s3.put_object(Bucket=BUCKET, Key=f"lines/{key}/data.csv", Body=body)
    model = stand.name("echo")
    stand.emulator.model(model, stand.box)
    port = free_port()
    server = stand.bare_server("", port)
    wait_for(lambda: ping(port), 60, "the bare server answers")
    rows, keys = [], {len(small): "small", len(large): "large"}

    def speed(seconds: Callable[[bytes], float]) -> float:
        return (len(large) - len(small)) / MB / (seconds(large) - seconds(small))

    def transformed(payload: int, body: bytes) -> float:
        return ours(stand, model, keys[len(body)], payload)

    memory.begin_peak(stand.emulator)
    try:
        for payload in PAYLOADS:
            seen_bare, seen_ours = alternate(
                rounds,
                partial(speed, partial(bare, port, payload)),
                partial(speed, partial(transformed, payload)),
                report=stand.report,
            )
            what = f"transform, payloads of {payload} MB, {CONCURRENT} at once"
            rows.append(Row(TRANSFORM, what, "MB/s", median(seen_ours), median(seen_bare), None, BAR))
    finally:
        stand.remove(server)
    lines = f"transform of {len(large) // len(LINE):,} lines: memory of the emulator"
    rows.append(Row(TRANSFORM, lines, "MB", memory.peak(stand.emulator), bar=MEMORY))
    return rows


def ours(stand: Stand, model: str, key: str, payload: int) -> float:
    """Seconds from the start of a transform job to its end."""
    name, place = stand.name("transform"), f"s3://{BUCKET}"
    source: Any = {"S3DataType": "S3Prefix", "S3Uri": f"{place}/lines/{key}/"}
    stand.emulator.sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        MaxConcurrentTransforms=CONCURRENT,
        MaxPayloadInMB=payload,
        BatchStrategy="MultiRecord",
        TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"{place}/echoed/{name}", "AssembleWith": "None"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    def ended() -> Any:
        found = stand.emulator.sagemaker.describe_transform_job(TransformJobName=name)
        return found if found["TransformJobStatus"] in FINAL else None

    job = wait_for(ended, 600, f"{name} has ended", JOB_POLL_SECONDS)
    if job["TransformJobStatus"] != "Completed":
        raise RuntimeError(f"{name} is {job['TransformJobStatus']}: {job.get('FailureReason')}")
    return float((job["TransformEndTime"] - job["TransformStartTime"]).total_seconds())


def bare(port: int, payload: int, body: bytes) -> float:
    """Seconds to send the same payloads to a server and to read its responses."""
    local = threading.local()

    def send(piece: bytes) -> int:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        local.connection.request("POST", "/invocations", piece, {"Content-Type": "text/csv"})
        answer = local.connection.getresponse()
        return len(answer.read())

    began = time.monotonic()
    with ThreadPoolExecutor(CONCURRENT) as pool:
        received = sum(pool.map(send, pieces(body, payload << 20)))
    if received != len(body):
        raise RuntimeError(f"the server answered {received} bytes of {len(body)}")
    return time.monotonic() - began


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    """Whole lines, as many as fit."""
    step = size // len(LINE) * len(LINE)
    for at in range(0, len(body), step):
        yield body[at : at + step]
