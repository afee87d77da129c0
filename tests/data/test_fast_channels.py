"""Channels in FastFile mode: linked where all is here, and else a mount that moves what is read, and no more."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from samebox.data import channels, fast_channels, fuse_mounts
from samebox.data.channel_cache import ChannelCache
from samebox.data.channels import ChannelPlan
from samebox.data.fast_file_readers import BLOCK, KEPT, Blocks, ObjectReader
from samebox.data.fast_files import FastChannel, FastFile, Piece, S3Address
from samebox.data.local_objects import LocalObjects
from samebox.data.objects import NoSuchKey, Objects
from samebox.data.remote_objects import RemoteObjects
from tests.s3_server import ACCOUNT, REGION, S3Server

needs_fuse = pytest.mark.skipif(fuse_mounts.why_not() is not None or os.geteuid() != 0, reason="mounting needs root")
PART = bytes(range(256)) * (5 * 4096)  # 5 MiB, the least that S3 takes
NAMES = ["a", "A", "deep/er/b", "한글/파일", "with space+and=and&", "ㅎ" * 85]  # the last one has 255 bytes


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "place"
    yield folder
    fast_channels.clear(tmp_path)


@pytest.fixture
def local(server: S3Server) -> LocalObjects:
    objects = LocalObjects(server.store, ACCOUNT, REGION)
    objects.create_bucket("digits")
    return objects


@pytest.fixture
def remote(server: S3Server, local: LocalObjects) -> Iterator[RemoteObjects]:
    del local  # which has made the bucket
    objects = RemoteObjects(server.url, ACCOUNT, "whatever", attempts=2)
    yield objects
    objects.close()


def planned(objects: Objects) -> ChannelPlan:
    uri = "s3://digits/in/"
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    return channels.plan({"ChannelName": "train", "DataSource": source}, objects.list(uri))


def filled(objects: Objects, place: Path) -> Path:
    cache = ChannelCache(place.parent / "cache", 1 << 30, objects)
    return fast_channels.fill(planned(objects), objects, cache, place, "a test")


def put_in_parts(remote: RemoteObjects, key: str, parts: int, is_one_file: bool = False) -> bytes:
    """An object that S3 here keeps as several files, or as one: a part that is sent again has a file of its own."""
    body = [PART + bytes([number]) for number in range(parts)]
    name = remote._client.create_multipart_upload(Bucket="digits", Key=key)["UploadId"]
    if not is_one_file:
        remote._client.upload_part(Bucket="digits", Key=key, UploadId=name, PartNumber=2, Body=body[1])
    made = [
        {
            "PartNumber": number,
            "ETag": remote._client.upload_part(Bucket="digits", Key=key, UploadId=name, PartNumber=number, Body=part)[
                "ETag"
            ],
        }
        for number, part in enumerate(body, 1)
    ]
    remote._client.complete_multipart_upload(
        Bucket="digits",
        Key=key,
        UploadId=name,
        MultipartUpload={"Parts": made},  # type: ignore[typeddict-item]
    )
    return b"".join(body)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_here_as_files_is_linked_without_a_mount(local: LocalObjects, place: Path) -> None:
    bodies = {name: PART + name.encode() for name in NAMES} | {"small": b"small", "empty": b""}
    for name, body in bodies.items():
        local.put(f"s3://digits/in/{name}", body)
    folder = filled(local, place)
    assert tree(folder) == bodies
    assert fuse_mounts.below(place) == []
    assert (folder / "a").stat().st_nlink > 1


def test_an_object_of_parts_that_fit_each_other_is_linked_too(
    local: LocalObjects, remote: RemoteObjects, place: Path
) -> None:
    bodies = {name: put_in_parts(remote, f"in/{name}", 3, is_one_file=True) for name in NAMES}
    folder = filled(local, place)
    assert tree(folder) == bodies
    assert fuse_mounts.below(place) == []
    assert all((folder / name).stat().st_nlink > 1 for name in NAMES)


@needs_fuse
def test_an_object_of_parts_is_mounted_and_none_of_it_is_copied(
    local: LocalObjects, remote: RemoteObjects, place: Path
) -> None:
    bodies = {name: put_in_parts(remote, f"in/{name}", 3) for name in NAMES}
    bodies |= {"whole": PART, "small": b"small", "empty": b""}
    for name in ("whole", "small", "empty"):
        local.put(f"s3://digits/in/{name}", bodies[name])
    local.put("s3://digits/in/folder/", b"")
    folder = filled(local, place)
    assert [one.folder for one in fuse_mounts.below(place)] == [folder]
    assert tree(folder) == bodies
    assert (folder / "folder").is_dir()
    pieces = [path for path in (place / "pieces").rglob("*") if path.is_file() and path.stat().st_size > 5]
    assert all(path.stat().st_nlink > 1 for path in pieces)
    local.delete("s3://digits/in/a")  # what a job has stays
    assert (folder / "a").read_bytes() == bodies["a"]


@needs_fuse
@pytest.mark.parametrize("change", [Path.write_bytes, lambda path, _: path.unlink(), lambda path, _: path.chmod(0)])
def test_a_mount_is_read_only(remote: RemoteObjects, place: Path, change: Callable[[Path, bytes], object]) -> None:
    remote.put("s3://digits/in/a", b"12345")
    folder = filled(remote, place)
    with pytest.raises(OSError) as refused:
        change(folder / "a", b"other")
    assert refused.value.errno == errno.EROFS
    with pytest.raises(FileNotFoundError):
        (folder / "missing").read_bytes()


@needs_fuse
def test_objects_of_another_s3_are_read_on_demand(remote: RemoteObjects, place: Path) -> None:
    bodies = {name: PART + name.encode() for name in NAMES} | {"small": b"small", "empty": b""}
    for name, body in bodies.items():
        remote.put(f"s3://digits/in/{name}", body)
    folder = filled(remote, place)
    assert [one.folder for one in fuse_mounts.below(place)] == [folder]
    assert tree(folder) == bodies
    with (folder / "a").open("rb") as file:
        file.seek(len(PART) - 3)
        assert file.read() == bodies["a"][-4:]
    remote.put("s3://digits/in/small", b"other")
    remote.delete("s3://digits/in/A")
    assert (folder / "small").read_bytes() == b"small"  # the kernel has it


@needs_fuse
def test_an_object_that_is_gone_is_an_error_of_its_reader_and_of_nothing_else(
    remote: RemoteObjects, place: Path
) -> None:
    for name in ("a", "b"):
        remote.put(f"s3://digits/in/{name}", b"12345")
    folder = filled(remote, place)
    remote.delete("s3://digits/in/a")
    with pytest.raises(OSError) as failed:
        (folder / "a").read_bytes()
    assert failed.value.errno == errno.EIO
    assert (folder / "b").read_bytes() == b"12345"
    assert "NoSuchKey" in (place / "log").read_text()


@needs_fuse
def test_a_channel_that_was_mounted_is_mounted_anew(remote: RemoteObjects, place: Path) -> None:
    remote.put("s3://digits/in/a", b"12345")
    filled(remote, place)
    remote.put("s3://digits/in/a", b"678")
    folder = filled(remote, place)
    assert [one.folder for one in fuse_mounts.below(place)] == [folder]
    assert (folder / "a").read_bytes() == b"678"


def test_without_fuse_the_reason_is_known(remote: RemoteObjects, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remote.put("s3://digits/in/a", b"12345")
    monkeypatch.setattr(fuse_mounts, "why_not", lambda: "this system has no FUSE")
    with pytest.raises(fast_channels.MountError, match="this system has no FUSE"):
        filled(remote, place)


class Ranged:
    """S3 with one object, and what was asked of it."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.asked: list[int] = []
        self.missing = False

    def read_range(self, uri: str, first: int = 0, end: int | None = None, etag: str = "") -> Iterator[bytes]:
        assert etag == "e"
        self.asked.append(first)
        if self.missing:
            raise NoSuchKey(uri, "NoSuchKey", "gone")
        yield self.body[first:end]


def reader(s3: Ranged) -> ObjectReader:
    return ObjectReader(FastFile("a", len(s3.body), 0.0, "s3://b/a", "e"), Blocks(s3))  # type: ignore[arg-type]


def read(from_it: ObjectReader, offset: int, size: int) -> bytes:
    buffer = memoryview(bytearray(size))
    return bytes(buffer[: from_it.read(offset, buffer)])


def test_a_read_moves_the_block_that_it_is_in() -> None:
    s3 = Ranged(os.urandom(40 * BLOCK + 5))
    one = reader(s3)
    assert read(one, 0, 10) == s3.body[:10]
    assert read(one, 30 * BLOCK - 5, 10) == s3.body[30 * BLOCK - 5 : 30 * BLOCK + 5]
    assert read(one, 40 * BLOCK, 100) == s3.body[-5:]
    assert {0, 29 * BLOCK, 30 * BLOCK, 40 * BLOCK} <= set(s3.asked)
    assert len(s3.asked) < 20


def test_a_read_in_the_middle_moves_nothing_ahead() -> None:
    s3 = Ranged(os.urandom(40 * BLOCK + 5))
    one = reader(s3)
    read(one, 30 * BLOCK, 10)
    read(one, 40 * BLOCK, 5)  # what was begun before it has begun
    assert sorted(s3.asked) == [30 * BLOCK, 40 * BLOCK]


def test_a_program_that_reads_in_order_gets_each_block_once() -> None:
    s3 = Ranged(os.urandom(2 * KEPT * BLOCK // 8 + 7))
    one = reader(s3)
    got = b"".join(read(one, offset, 300_000) for offset in range(0, len(s3.body), 300_000))
    assert got == s3.body
    assert sorted(s3.asked) == list(range(0, len(s3.body), BLOCK))


def test_a_block_that_failed_is_asked_for_again() -> None:
    s3 = Ranged(b"12345")
    one = reader(s3)
    s3.missing = True
    with pytest.raises(OSError):
        read(one, 0, 5)
    s3.missing = False
    assert read(one, 0, 5) == b"12345"


def test_a_channel_goes_to_its_server_as_it_is() -> None:
    pieces = (Piece("/a", 3, 5),)
    files = (FastFile("한글", 5, 1.5, "s3://b/k", "e", pieces), FastFile("b", 5, 1.5, "s3://b/l", "f"))
    s3 = S3Address("http://s3", "key", "secret", None, "us-east-1")
    channel = FastChannel("/target", "name", "/log", ("folder",), files, s3)
    assert FastChannel.from_json(channel.to_json()) == channel
