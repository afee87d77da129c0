"""S3 through our door, as boto3 in its newest default settings sees it, before the real server."""

import contextlib
import hashlib
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import uvicorn
import uvloop
from botocore.config import Config
from botocore.exceptions import ClientError

from samebox.data.rclone import S3Server
from samebox.traffic.s3 import S3Proxy

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@contextlib.contextmanager
def door_before(url: str, access_key: str, secret_key: str, root: Path) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    door = S3Proxy(url, access_key, secret_key, root)
    server = uvicorn.Server(
        uvicorn.Config(door, log_level="critical", http="httptools", lifespan="off", timeout_graceful_shutdown=5)
    )

    async def run() -> None:
        await server.serve([listening])
        await door.close()

    thread = threading.Thread(target=lambda: uvloop.run(run()))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        listening.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    started = S3Server(tmp_path_factory.mktemp("data"))
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def url(server: S3Server) -> Iterator[str]:
    keys = server.credentials
    with door_before(server.url, keys.access_key, keys.secret_key, server.root) as at:
        yield at


@pytest.fixture
def root(server: S3Server) -> Path:
    """Where the objects are files."""
    return server.root


def client(url: str, **config: Any) -> "S3Client":
    return boto3.session.Session("000000000000", "whatever", region_name="us-east-1").client(
        "s3", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}, **config)
    )


@pytest.fixture
def s3(url: str) -> Iterator["S3Client"]:
    opened = client(url)
    yield opened
    opened.close()


@pytest.fixture
def bucket(s3: "S3Client", request: pytest.FixtureRequest) -> str:
    name = "b" + hashlib.sha256(request.node.name.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ClientError) as raised:
        call()
    answer = raised.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_an_object_keeps_its_bytes_type_and_metadata(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"hello", ContentType="text/x-odd", Metadata={"who": "me"})
    answer = s3.get_object(Bucket=bucket, Key="a/b")
    assert answer["Body"].read() == b"hello"
    assert (answer["ContentType"], answer["Metadata"]) == ("text/x-odd", {"who": "me"})
    assert answer["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    assert s3.head_object(Bucket=bucket, Key="a/b")["ContentLength"] == 5
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert "x-amz-request-id" in headers
    assert not [name for name in headers if name.startswith("access-control-") or name == "x-amz-content-sha256"]


@pytest.mark.parametrize(("asked", "got"), [("bytes=1-3", b"ell"), ("bytes=-2", b"lo"), ("bytes=3-", b"lo")])
def test_a_range_is_a_part(s3: "S3Client", bucket: str, asked: str, got: bytes) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    answer = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert answer["Body"].read() == got
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert refused(lambda: s3.get_object(Bucket=bucket, Key="k", Range="bytes=9-")) == (416, "InvalidRange")


@pytest.mark.parametrize(
    "key",
    [
        "sp ace",
        "plus+plus",
        "per%cent",
        "é日本",
        "q?x=1&y",
        "hash#x",
        "a;b,c=d",
        "quote\"'",
        "back\\slash",
        "<x>",
        "~.-_",
    ],
)
def test_keys_of_all_letters_are_kept_listed_and_deleted(s3: "S3Client", bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=f"odd/{key}", Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=f"odd/{key}")["Body"].read() == key.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix="odd/")["Contents"]] == [f"odd/{key}"]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"odd/{key}"}]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_listings_have_pages_prefixes_and_quoted_etags(s3: "S3Client", bucket: str) -> None:
    for number in range(7):
        s3.put_object(Bucket=bucket, Key=f"p/{number % 2}/{number}", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="p/", PaginationConfig={"PageSize": 3})
    found = [one for page in pages for one in page["Contents"]]
    assert [one["Key"] for one in found] == ["p/0/0", "p/0/2", "p/0/4", "p/0/6", "p/1/1", "p/1/3", "p/1/5"]
    assert found[0]["ETag"] == s3.head_object(Bucket=bucket, Key="p/0/0")["ETag"]
    folders = s3.list_objects_v2(Bucket=bucket, Prefix="p/", Delimiter="/")["CommonPrefixes"]
    assert [one["Prefix"] for one in folders] == ["p/0/", "p/1/"]
    after = s3.list_objects_v2(Bucket=bucket, Prefix="p/", StartAfter="p/0/6")["Contents"]
    assert [one["Key"] for one in after] == ["p/1/1", "p/1/3", "p/1/5"]


def test_buckets_are_made_once_and_deleted_empty(s3: "S3Client", bucket: str) -> None:
    s3.create_bucket(Bucket=bucket)
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    assert refused(lambda: s3.create_bucket(Bucket=bucket, **elsewhere)) == (409, "BucketAlreadyOwnedByYou")  # type: ignore[arg-type]
    assert bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    s3.put_object(Bucket=bucket, Key="x/y", Body=b"1")
    assert refused(lambda: s3.delete_bucket(Bucket=bucket)) == (409, "BucketNotEmpty")
    s3.delete_object(Bucket=bucket, Key="x/y")
    s3.delete_bucket(Bucket=bucket)
    assert refused(lambda: s3.head_bucket(Bucket=bucket)) == (404, "404")


def test_missing_things_are_said_in_s3s_words(s3: "S3Client", bucket: str) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey, match="The specified key does not exist"):
        s3.get_object(Bucket=bucket, Key="nothing")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="no-such-bucket-here")
    assert refused(lambda: s3.head_object(Bucket=bucket, Key="nothing")) == (404, "404")


def test_a_copy_is_a_copy(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a b", Body=b"1", ContentType="text/x-odd")
    s3.copy_object(Bucket=bucket, Key="c", CopySource={"Bucket": bucket, "Key": "a b"})
    assert s3.get_object(Bucket=bucket, Key="c")["ContentType"] == "text/x-odd"


def test_large_files_go_up_and_down_in_parts(s3: "S3Client", bucket: str, tmp_path: Path) -> None:
    (tmp_path / "up").write_bytes(bytes(range(256)) * 120_000)
    s3.upload_file(str(tmp_path / "up"), bucket, "large")
    s3.download_file(bucket, "large", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == (tmp_path / "up").read_bytes()


def test_an_aborted_upload_leaves_nothing(s3: "S3Client", bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="x")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, Body=b"1")
    assert [one["PartNumber"] for one in s3.list_parts(Bucket=bucket, Key="x", UploadId=upload)["Parts"]] == [1]
    s3.abort_multipart_upload(Bucket=bucket, Key="x", UploadId=upload)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    gone = refused(lambda: s3.upload_part(Bucket=bucket, Key="x", UploadId=upload, PartNumber=2, Body=b"1"))
    assert gone == (404, "NoSuchUpload")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls_work_until_they_expire(url: str, bucket: str, version: str) -> None:
    s3 = client(url, signature_version=version)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    with urllib.request.urlopen(urllib.request.Request(put, data=b"body", method="PUT"), timeout=60) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    with urllib.request.urlopen(get, timeout=60) as answer:
        assert answer.read() == b"body"
    old = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=-5)
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(old, timeout=60)
    with raised.value as answer:
        assert answer.code == 403
        assert b"Request has expired" in answer.read()
    s3.close()


def test_conditions_hold(s3: "S3Client", bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    again = refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*"))
    assert again == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == b"1"
    assert refused(lambda: s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"'))[0] == 412
    assert refused(lambda: s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag))[0] == 304


def test_what_is_not_done_is_refused_and_does_no_harm(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
    assert refused(lambda: s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tags)) == (501, "NotImplemented")  # type: ignore[arg-type]
    assert refused(lambda: s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")) == (501, "NotImplemented")
    assert refused(lambda: s3.delete_bucket_policy(Bucket=bucket)) == (501, "NotImplemented")
    assert refused(lambda: s3.get_bucket_policy(Bucket=bucket)) == (404, "NoSuchBucketPolicy")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("folder/", "NotImplemented"),
        ("a//b", "NotImplemented"),
        ("a/../b", "NotImplemented"),
        ("a/./b", "NotImplemented"),
        ("line\nbreak", "NotImplemented"),
        ("x" * 256, "NotImplemented"),
        ("x/" * 512 + "x", "KeyTooLongError"),
        ("file/below", "OperationAborted"),
        ("folder", "OperationAborted"),
    ],
)
def test_a_key_that_cannot_be_a_file_is_refused_and_why(s3: "S3Client", bucket: str, key: str, code: str) -> None:
    s3.put_object(Bucket=bucket, Key="file", Body=b"1")
    s3.put_object(Bucket=bucket, Key="folder/x", Body=b"1")
    assert refused(lambda: s3.put_object(Bucket=bucket, Key=key, Body=b"2"))[1] == code
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["file", "folder/x"]


def test_headers_are_bounded_as_on_s3(url: str) -> None:
    def status(size: int) -> tuple[int, bytes]:
        asked = urllib.request.Request(f"{url}/b/k", headers={"X-Large": "a" * size})
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(asked, timeout=10)
        with raised.value as answer:
            return answer.code, answer.read()

    code, body = status(9000)
    assert code == 400
    assert b"<Code>RequestHeaderSectionTooLarge</Code>" in body
    assert b"exceeds the maximum allowed size" in body
    assert status(7000)[0] == 404


def written(s3: "S3Client", bucket: str, key: str) -> str:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"owned")["ETag"]
    parts: Any = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    return s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=parts)["ETag"]


BEHIND_A_LINK: dict[str, Callable[["S3Client", str, str], Any]] = {
    "get": lambda s3, bucket, key: s3.get_object(Bucket=bucket, Key=key),
    "head": lambda s3, bucket, key: s3.head_object(Bucket=bucket, Key=key),
    "put": lambda s3, bucket, key: s3.put_object(Bucket=bucket, Key=key, Body=b"owned"),
    "multipart": written,
    "copy to": lambda s3, bucket, key: s3.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/ok"),
    "copy from": lambda s3, bucket, key: s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/{key}"),
    "delete": lambda s3, bucket, key: s3.delete_object(Bucket=bucket, Key=key),
}


@pytest.mark.parametrize("key", ["folder/secret", "folder/new", "folder/deep/new", "file", "dangling", "folder"])
@pytest.mark.parametrize("way", BEHIND_A_LINK)
def test_nothing_is_read_or_written_behind_a_link_in_the_folder(
    s3: "S3Client", bucket: str, root: Path, tmp_path: Path, way: str, key: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    (root / bucket / "folder").symlink_to(tmp_path)
    (root / bucket / "file").symlink_to(tmp_path / "secret")
    (root / bucket / "dangling").symlink_to(tmp_path / "new")
    s3.put_object(Bucket=bucket, Key="ok", Body=b"1")
    code = refused(lambda: BEHIND_A_LINK[way](s3, bucket, key))
    assert code == (403, "403" if way == "head" else "AccessDenied")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["ok"]
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("secret", "secret")]
    assert (root / bucket / "dangling").is_symlink()


def test_a_bucket_is_no_link(s3: "S3Client", root: Path, tmp_path: Path) -> None:
    (root / "linked").symlink_to(tmp_path)
    (tmp_path / "secret").write_text("secret")
    try:
        assert refused(lambda: s3.create_bucket(Bucket="linked")) == (403, "AccessDenied")
        assert refused(lambda: s3.list_objects_v2(Bucket="linked")) == (403, "AccessDenied")
        assert refused(lambda: s3.put_object(Bucket="linked", Key="k", Body=b"")) == (403, "AccessDenied")
        assert refused(lambda: s3.delete_bucket(Bucket="linked")) == (403, "AccessDenied")
        assert [one.name for one in tmp_path.iterdir()] == ["secret"]
    finally:
        (root / "linked").unlink()


def test_no_web_page_is_let_in(url: str) -> None:
    asked = urllib.request.Request(f"{url}/b/k", method="OPTIONS", headers={"Origin": "http://evil.example"})
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(asked, timeout=60)
    with raised.value as answer:
        assert answer.code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_a_server_that_is_down_is_said_so_that_clients_try_again(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with door_before(f"http://127.0.0.1:{port}", "access", "secret", tmp_path) as url:
            s3 = client(url)
            assert refused(s3.list_buckets) == (503, "ServiceUnavailable")
            s3.close()
