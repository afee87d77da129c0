"""S3 up and down: through our URL, at rclone's own server, and what the disk alone would take."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from functools import partial
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from bench import load
from bench.answering import AnsweringServer
from bench.figures import Bar, Row, alternate, median
from bench.rclone import RcloneServer
from bench.stand import BUCKET, MB, S3Place, Stand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

S3 = "s3"
CHUNK = 1 << 20
SMALL = 1000
SMALL_BYTES = 4096
CLIENTS = 8
SYNCS = 300
SECONDS = 120.0
T = TypeVar("T")
UP, DOWN = Bar("ratio", 1.0, at_least=True), Bar("ratio", 2.0, at_least=True)
ALONE, AT_ONCE = Bar("ours", 1000, at_least=True), Bar("ours", 2000, at_least=True)


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """One large object by plain HTTP and by boto3, and many small ones; beside rclone's server."""
    source = stand.folder / "source"
    make_file(source, megabytes)
    disk = f"a copy of the same bytes on this disk: {megabytes / _copy(source):,.0f} MB/s; bare: rclone serve s3"
    try:
        with RcloneServer(stand.folder / "rclone", BUCKET) as peer:
            both = (peer.place, stand.s3)
            named = f"{megabytes} MB"
            return [
                _row(stand, rounds, megabytes, f"S3 up, one PUT, {named}", disk, UP, _each(both, put, source)),
                _row(stand, rounds, megabytes, f"S3 down, one GET, {named}", disk, DOWN, _each(both, get, "source")),
                _row(stand, rounds, megabytes, f"S3 up, boto3 upload_file, {named}", disk, None,
                     _each(both, _boto3_up, source)),
                _row(stand, rounds, megabytes, f"S3 down, boto3 download_file, {named}", disk, None,
                     _each(both, _boto3_down, stand.folder / "downloaded")),
                *_small(stand, both, rounds),
            ]  # fmt: skip
    finally:
        source.unlink()


def make_file(path: Path, megabytes: int) -> None:
    """Bytes that do not compress, new each time."""
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(MB))


def put(place: S3Place, source: Path) -> float:
    """Seconds of one PUT, by plain HTTP."""
    url = place.client().generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": source.name})
    began = time.monotonic()
    with _connected(url) as connection, source.open("rb") as file:
        connection.sendall(head("PUT", url, f"Content-Length: {source.stat().st_size}"))
        # A server that refuses closes at once; its response can then still be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendfile(file)
        _answered(connection)
    return time.monotonic() - began


def get(place: S3Place, key: str, target: Path | None = None) -> float:
    """Seconds of one GET by plain HTTP, whose bytes are written to a file, or thrown away."""
    url = place.client().generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key})
    began = time.monotonic()
    with _connected(url) as connection, contextlib.ExitStack() as opened:
        file = None if target is None else opened.enter_context(target.open("wb", buffering=0))
        connection.sendall(head("GET", url))
        _answered(connection, file)
    return time.monotonic() - began


def _each(both: tuple[S3Place, S3Place], measured: Callable[[S3Place, T], float], what: T) -> list[Callable[[], float]]:
    return [partial(measured, place, what) for place in both]


def _row(
    stand: Stand, rounds: int, megabytes: int, what: str, note: str, bar: Bar | None, turns: list[Callable[[], float]]
) -> Row:
    for turn in turns:
        turn()
    bare, ours = alternate(rounds, *turns, report=stand.report)
    return Row(S3, what, "MB/s", megabytes / median(ours), megabytes / median(bare), bar=bar, note=note)


def _boto3_up(place: S3Place, source: Path) -> float:
    client = place.client()
    began = time.monotonic()
    client.upload_file(str(source), BUCKET, source.name)
    return time.monotonic() - began


def _boto3_down(place: S3Place, target: Path) -> float:
    client = place.client()
    began = time.monotonic()
    client.download_file(BUCKET, "source", str(target))
    seconds = time.monotonic() - began
    target.unlink()
    return seconds


def _small(stand: Stand, both: tuple[S3Place, S3Place], rounds: int) -> list[Row]:
    rows = []
    for clients, bar in ((1, ALONE), (CLIENTS, AT_ONCE)):
        synced = _syncs(stand.folder / "synced")
        with AnsweringServer() as answering:
            places = zip((*both, answering.place), ("bare", "ours", "answering"), strict=True)
            targets = tuple(_puts(place, name) for place, name in places)
            seconds = load.run(load.Load(targets, clients, min(rounds, 5), SMALL // clients, 10))
        synced = (synced + _syncs(stand.folder / "synced")) / 2
        # Clients send one after the other, so their mean time for a put and their number give puts a second.
        bare, ours, answers = (
            clients * len(seconds[name]) / sum(seconds[name]) for name in ("bare", "ours", "answering")
        )
        many = "one after the other" if clients == 1 else f"{clients} at once"
        note = "synced to the disk before the answer, which rclone's are not; bare: rclone serve s3"
        what = f"S3 puts of {SMALL_BYTES // 1024} KB, {SMALL} {many}"
        rows += [
            Row(S3, what, "per s", ours, bare, bar=bar, note=note),
            Row(S3, "the same, against a server that only answers 200", "per s", ours, answers,
                note="bare: the same HTTP server and client, and nothing is done with the body"),
            Row(S3, "the same, against what this disk syncs", "per s", ours, clients * synced,
                note="bare: 8 KB written and synced, once for as many puts as there are clients"),
        ]  # fmt: skip
    return rows


def _syncs(path: Path) -> float:
    """How often a second 8 KB can be written and synced, one after the other, in a file that does not grow."""
    block = os.urandom(2 * SMALL_BYTES)
    with path.open("wb", buffering=0) as file:
        file.write(block * SYNCS)
        os.fsync(file.fileno())
        began = time.monotonic()
        for number in range(SYNCS):
            os.pwrite(file.fileno(), block, number * len(block))
            os.fdatasync(file.fileno())
        seconds = time.monotonic() - began
    path.unlink()
    return SYNCS / seconds


def _puts(place: S3Place, name: str) -> load.LoadTarget:
    client, body = place.client(), os.urandom(SMALL_BYTES)
    requests = []
    for number in range(SMALL):
        key = f"small/{name}/{number}"
        url = client.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": key})
        requests.append(load.encoded(head("PUT", url, f"Content-Length: {SMALL_BYTES}") + body))
    return load.LoadTarget(name, place.host, place.port, tuple(requests))


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


def head(method: str, url: str, *headers: str) -> bytes:
    """The head of a request to a presigned URL."""
    place = urlsplit(url)
    lines = [f"{method} {place.path}?{place.query} HTTP/1.1", f"Host: {place.netloc}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def _answered(connection: socket.socket, file: IO[bytes] | None = None) -> None:
    """Read one answer to its end, into a file where there is one. RuntimeError when it is not 200."""
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
    if file is not None:
        file.write(body)
    while left > 0:
        got = connection.recv_into(view)
        if not got:
            raise RuntimeError(f"the answer broke off {left} bytes before its end")
        if file is not None:
            file.write(view[:got])
        left -= got
