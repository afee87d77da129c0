import errno
import hashlib
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from samebox.data import copying, local_objects
from samebox.data.objects import (
    PART_BYTES,
    Cancelled,
    Location,
    NoSuchBucket,
    NoSuchKey,
    NotS3,
    Objects,
    Unreachable,
)
from samebox.data.remote_objects import RemoteObjects
from tests.s3_server import ACCOUNT, S3Server


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://b/k/x.csv", "b", "k/x.csv"),
        ("s3://b", "b", ""),
        ("s3://b/", "b", ""),
        ("s3://b/what?#x", "b", "what?#x"),
        ("https://s3.amazonaws.com/b/k", "b", "k"),
        ("https://s3.eu-west-1.amazonaws.com/b/k%20x", "b", "k x"),
        ("https://b.s3.eu-west-1.amazonaws.com/k", "b", "k"),
        ("https://my.s3.b.s3.amazonaws.com/k", "my.s3.b", "k"),
        ("https://s3-us-west-2.amazonaws.com/b/k", "b", "k"),
        ("https://s3.cn-north-1.amazonaws.com.cn/b/k", "b", "k"),
        ("https://s3.eusc-de-east-1.amazonaws.eu/b/k", "b", "k"),
    ],
)
def test_an_s3_uri_is_a_bucket_and_a_key(uri: str, bucket: str, key: str) -> None:
    assert Location.parse(uri) == Location(bucket, key)


@pytest.mark.parametrize(
    "uri", ["", "b/k", "http://s3.amazonaws.com/b/k", "s3:///k", "s3://../k", "https://example.com/b/k"]
)
def test_what_is_no_s3_uri_is_named(uri: str) -> None:
    with pytest.raises(NotS3, match=r"the host is not one of S3's|starts with neither|names no bucket"):
        Location.parse(uri)


def test_a_listing_is_by_string_prefix_over_all_pages_and_sorted(store: Objects) -> None:
    store.create_bucket("many")
    for number in range(1003):
        store.put(f"s3://many/p/{number}", b"")
    for key in ("p-1", "p.1", "p0", "other"):
        store.put(f"s3://many/{key}", b"12")
    keys = [one.key for one in store.list("s3://many/p")]
    assert len(keys) == 1006
    assert keys == sorted(keys, key=str.encode)
    assert [(one.key, one.size) for one in store.list("s3://many/p-")] == [("p-1", 2)]
    assert store.exists_under("s3://many/p/10")
    assert not store.exists_under("s3://many/q")


def test_missing_things_have_errors_of_their_own(store: Objects) -> None:
    store.create_bucket("here")
    for call in (store.list, store.exists_under, store.get):
        with pytest.raises(NoSuchBucket):
            call("s3://nowhere/x")
    for look in (store.get, store.head):
        with pytest.raises(NoSuchKey) as raised:
            look("s3://here/nothing")
        assert raised.value.uri == "s3://here/nothing"


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = RemoteObjects(f"http://127.0.0.1:{taken.getsockname()[1]}", "key", "secret", attempts=1)
        with pytest.raises(Unreachable):
            nobody.list("s3://b/x")
        nobody.close()


def test_a_silent_server_is_unreachable_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = RemoteObjects(
            f"http://127.0.0.1:{silent.getsockname()[1]}", "key", "secret", read_timeout=0.2, attempts=1
        )
        with pytest.raises(Unreachable):
            mute.get("s3://b/x")
        mute.close()


def test_a_broken_read_goes_on_where_it_broke() -> None:
    body = hashlib.sha256(b"seed").digest() * 10_000
    asked: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        for start in (0, 100_000):
            connection, _ = listening.accept()
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65536)
                asked.append(request.lower().partition(b"range: ")[2].partition(b"\r\n")[0])
                rest = body[start:]
                connection.sendall(b'HTTP/1.1 206 Part\r\nETag: "e"\r\nContent-Length: %d\r\n\r\n' % len(rest))
                connection.sendall(rest if start else rest[:100_000])

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        store = RemoteObjects(f"http://127.0.0.1:{listening.getsockname()[1]}", "key", "secret", read_timeout=5)
        assert store.get("s3://b/x") == body
        thread.join()
        store.close()
    assert asked == [b"", b"bytes=100000-"]


def test_a_large_object_goes_up_in_parts_and_comes_down_whole(store: Objects, tmp_path: Path) -> None:
    store.create_bucket("large")
    chunk = bytes(range(256)) * 4096
    assert store.upload((chunk for _ in range(40)), "s3://large/x") == 40 * len(chunk)
    (item,) = store.list("s3://large/x")
    store.download(item, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == chunk * 40
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_copy_of_an_object_is_a_file_of_its_own(
    store: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_objects, "_COPY_BYTES", 1_000_000)
    body = hashlib.sha256(b"seed").digest() * 100_000
    store.create_bucket("near")
    for key in ("a/b/x.bin", "small", "empty"):
        store.put(f"s3://near/{key}", {"empty": b"", "small": b"1"}.get(key, body))
    for item in store.list("s3://near/"):
        target = tmp_path / item.key.replace("/", "-")
        store.download(item, target)
        assert target.read_bytes() == (body if item.size > 1 else b"1"[: item.size])
        assert target.stat().st_mode & 0o777 == 0o644
        assert abs(target.stat().st_mtime - item.modified) < 1
    # A job may write to it.
    (tmp_path / "a-b-x.bin").write_bytes(b"mine")
    assert store.get("s3://near/a/b/x.bin") == body


def test_a_download_can_be_cancelled_and_leaves_nothing(store: Objects, tmp_path: Path) -> None:
    store.create_bucket("near")
    store.put("s3://near/x", bytes(1_000_000))
    (item,) = store.list("s3://near/x")
    cancelled = Event()
    cancelled.set()

    with pytest.raises(Cancelled):
        store.download(item, tmp_path / "x", cancelled)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_between_file_systems_is_the_kernels_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "copy_file_range", refuse)
    (tmp_path / "from").write_bytes(b"0123456789")
    with (tmp_path / "from").open("rb") as source, (tmp_path / "to").open("wb") as target:
        assert copying.copy(source.fileno(), target.fileno(), 4, 0) == 4
        assert copying.copy(source.fileno(), target.fileno(), 6, 4) == 6
        with pytest.raises(OSError, match="ended early"):
            copying.copy(source.fileno(), target.fileno(), 1, 10)
    assert (tmp_path / "to").read_bytes() == b"0123456789"


def test_a_copy_does_without_the_calls_that_only_linux_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    for name in ("copy_file_range", "sendfile"):
        monkeypatch.delattr(os, name)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, piece: write(file, piece[:3]))
    (tmp_path / "from").write_bytes(b"0123456789")
    with (tmp_path / "from").open("rb") as source, (tmp_path / "to").open("wb") as target:
        copied = [copying.copy(source.fileno(), target.fileno(), 10, offset) for offset in (0, 3, 6, 9)]
        with pytest.raises(OSError, match="ended early"):
            copying.copy(source.fileno(), target.fileno(), 1, 10)
    assert (copied, (tmp_path / "to").read_bytes()) == ([3, 3, 3, 1], b"0123456789")


def test_an_upload_of_more_than_one_part_is_an_object_in_parts(store: Objects, server: S3Server) -> None:
    store.create_bucket("large")
    last = b"the end"
    assert store.upload(iter([bytes(PART_BYTES), bytes(PART_BYTES), last]), "s3://large/x") == 2 * PART_BYTES + len(
        last
    )
    found = server.store.objects.parts("large", "x").items
    assert [(part.number, part.size) for part in found] == [(1, PART_BYTES), (2, PART_BYTES), (3, len(last))]
    etag = store.head("s3://large/x").etag
    assert re.fullmatch("[0-9a-f]{32}-3", etag)
    store.upload(iter([bytes(PART_BYTES), bytes(PART_BYTES), b"the END"]), "s3://large/x")
    assert store.head("s3://large/x").etag != etag


def test_an_upload_of_one_part_has_its_md5_as_its_etag(store: Objects) -> None:
    store.create_bucket("large")
    for size in (0, 10, 100_000, PART_BYTES):
        store.upload(iter([bytes(size)]), "s3://large/x")
        assert store.head("s3://large/x").etag == hashlib.md5(bytes(size), usedforsecurity=False).hexdigest()


def test_an_upload_whose_source_fails_leaves_nothing(store: Objects, server: S3Server) -> None:
    def source() -> Iterator[bytes]:
        for _ in range(3):
            yield bytes(PART_BYTES)
        raise RuntimeError("the container is gone")

    store.create_bucket("large")
    with pytest.raises(RuntimeError, match="the container is gone"):
        store.upload(source(), "s3://large/x")
    assert not store.exists_under("s3://large/")
    assert server.store.orphans() == []
    assert server.store.lists.uploads("large").items == ()


def test_a_cancelled_upload_keeps_the_object_that_was_there(store: Objects) -> None:
    store.create_bucket("large")
    store.put("s3://large/x", b"the old one")
    cancelled = Event()

    def source() -> Iterator[bytes]:
        for number in range(5):
            if number == 3:
                cancelled.set()
            yield bytes(PART_BYTES)

    with pytest.raises(Cancelled):
        store.upload(source(), "s3://large/x", cancelled)
    assert store.get("s3://large/x") == b"the old one"


def test_an_empty_stream_is_an_empty_object(store: Objects) -> None:
    store.create_bucket("small")
    assert store.upload([], "s3://small/x") == 0
    assert store.get("s3://small/x") == b""


def test_get_refuses_what_is_not_small(store: Objects) -> None:
    store.create_bucket("small")
    store.put("s3://small/x", b"12345")
    with pytest.raises(ValueError, match="larger than 4"):
        store.get("s3://small/x", limit=4)


def test_nothing_is_read_from_the_users_aws_configuration(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = nowhere-1\nendpoint_url = http://127.0.0.1:1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "stray")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    store = RemoteObjects(server.url, ACCOUNT, "whatever", attempts=1)
    store.create_bucket("mine")
    assert store.list("s3://mine/") == ()
    store.close()
