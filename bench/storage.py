"""S3 up and down: through our URL, at the server behind it, and what the disk alone would take."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench import load
from bench.figures import Row, alternate, median
from bench.stand import BUCKET, MB, Stand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

S3 = "s3"
CHUNK = 1 << 20
SMALL = 500
SMALL_BYTES = 4096
CLIENTS = 8
SECONDS = 120.0


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """One large object by plain HTTP and by boto3, and many small ones."""
    source = stand.folder / "source"
    make_file(source, megabytes)
    disk = f"a copy of the same bytes on this disk: {megabytes / _copy(source):,.0f} MB/s"
    rows = [
        _row(stand, rounds, megabytes, disk, "S3 up, one PUT", lambda ours: put(stand, source, ours)),
        _row(stand, rounds, megabytes, disk, "S3 down, one GET", lambda ours: get(stand, "source", ours)),
        _row(stand, rounds, megabytes, disk, "S3 up, boto3 upload_file", lambda ours: _boto3_up(stand, source, ours)),
        _row(stand, rounds, megabytes, disk, "S3 down, boto3 download_file", lambda ours: _boto3_down(stand, ours)),
        *_small(stand, rounds),
    ]
    source.unlink()
    return rows


def make_file(path: Path, megabytes: int) -> None:
    """Bytes that do not compress, new each time."""
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(MB))


def put(stand: Stand, source: Path, ours: bool) -> float:
    """Seconds of one PUT, by plain HTTP."""
    url = stand.s3_client(ours).generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": source.name})
    began = time.monotonic()
    with _connected(url) as connection, source.open("rb") as file:
        connection.sendall(_head("PUT", url, f"Content-Length: {source.stat().st_size}"))
        # A server that refuses closes at once; its response can then still be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendfile(file)
        _answered(connection)
    return time.monotonic() - began


def get(stand: Stand, key: str, ours: bool) -> float:
    """Seconds of one GET whose bytes are thrown away, by plain HTTP."""
    url = stand.s3_client(ours).generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key})
    began = time.monotonic()
    with _connected(url) as connection:
        connection.sendall(_head("GET", url))
        _answered(connection)
    return time.monotonic() - began


def _row(stand: Stand, rounds: int, megabytes: int, note: str, what: str, seconds: Callable[[bool], float]) -> Row:
    seconds(False), seconds(True)
    bare, ours = alternate(rounds, lambda: seconds(False), lambda: seconds(True), report=stand.report)
    return Row(S3, f"{what}, {megabytes} MB", "MB/s", megabytes / median(ours), megabytes / median(bare), note=note)


def _boto3_up(stand: Stand, source: Path, ours: bool) -> float:
    client = stand.s3_client(ours)
    began = time.monotonic()
    client.upload_file(str(source), BUCKET, source.name)
    return time.monotonic() - began


def _boto3_down(stand: Stand, ours: bool) -> float:
    client, target = stand.s3_client(ours), stand.folder / "downloaded"
    began = time.monotonic()
    client.download_file(BUCKET, "source", str(target))
    seconds = time.monotonic() - began
    target.unlink()
    return seconds


def _small(stand: Stand, rounds: int) -> list[Row]:
    rows = []
    for clients in (1, CLIENTS):
        targets = tuple(_puts(stand, ours) for ours in (False, True))
        each = SMALL // clients
        seconds = load.run(load.Load(targets, clients, min(rounds, 5), each, 10))
        # Clients send one after the other, so their mean time for a put and their number give puts a second.
        bare, ours = (clients * len(seconds[name]) / sum(seconds[name]) for name in ("bare", "ours"))
        many = "one after the other" if clients == 1 else f"{clients} at once"
        rows.append(Row(S3, f"S3 puts of {SMALL_BYTES // 1024} KB, {SMALL} {many}", "per s", ours, bare))
    return rows


def _puts(stand: Stand, ours: bool) -> load.LoadTarget:
    client, body = stand.s3_client(ours), os.urandom(SMALL_BYTES)
    requests = []
    for number in range(SMALL):
        key = f"small/{'ours' if ours else 'bare'}/{number}"
        url = client.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": key})
        requests.append(load.encoded(_head("PUT", url, f"Content-Length: {SMALL_BYTES}") + body))
    place = urlsplit(url)
    assert place.hostname
    assert place.port
    return load.LoadTarget("ours" if ours else "bare", place.hostname, place.port, tuple(requests))


def _copy(source: Path) -> float:
    # Read and written as the S3 server does it: no reflink, and no waiting for the platter.
    target = source.with_name("copy")
    began = time.monotonic()
    with source.open("rb") as read, target.open("wb") as written:
        shutil.copyfileobj(read, written, CHUNK)
    seconds = time.monotonic() - began
    target.unlink()
    return seconds


def _connected(url: str) -> socket.socket:
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port or 80), timeout=SECONDS)


def _head(method: str, url: str, *headers: str) -> bytes:
    place = urlsplit(url)
    lines = [f"{method} {place.path}?{place.query} HTTP/1.1", f"Host: {place.netloc}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def _answered(connection: socket.socket) -> None:
    """Read one answer to its end, and throw it away. RuntimeError when it is not 200."""
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    got = connection.recv_into(view)
    said = bytes(view[:got])
    while b"\r\n\r\n" not in said:
        if not (more := connection.recv(65536)):
            raise RuntimeError(f"the answer broke off: {said!r}")
        said += more
    head, _, body = said.partition(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    if b" 200 " not in lines[0] + b" ":
        raise RuntimeError(f"S3 answered {said[:600]!r}")
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
    left = length - len(body)
    while left > 0:
        got = connection.recv_into(view)
        if not got:
            raise RuntimeError(f"the answer broke off {left} bytes before its end")
        left -= got
