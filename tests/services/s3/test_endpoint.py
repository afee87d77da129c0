"""S3 as boto3 in its newest default settings sees it."""

import hashlib
import http.client
import io
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.s3_server import S3Server, serving

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


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


def test_an_object_without_a_type_is_binary(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")

    assert s3.head_object(Bucket=bucket, Key="k")["ContentType"] == "binary/octet-stream"


def test_a_query_in_an_object_is_refused_with_a_sentence(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="table.csv", Body=b"a,b\n1,2\n")
    with pytest.raises(ClientError) as error:
        s3.select_object_content(
            Bucket=bucket, Key="table.csv", Expression="SELECT * FROM S3Object", ExpressionType="SQL",
            InputSerialization={"CSV": {}}, OutputSerialization={"CSV": {}},
        )  # fmt: skip
    answer = error.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert answer["Error"]["Code"] == "NotImplemented"
    assert "Queries in objects are not run" in answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("asked", "got", "shown"),
    [
        ("bytes=1-3", b"ell", "bytes 1-3/5"),
        ("bytes=-2", b"lo", "bytes 3-4/5"),
        ("bytes=-9", b"hello", "bytes 0-4/5"),
        ("bytes=3-", b"lo", "bytes 3-4/5"),
        ("bytes=3-99", b"lo", "bytes 3-4/5"),
    ],
)
def test_a_range_is_a_part(s3: "S3Client", bucket: str, asked: str, got: bytes, shown: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    answer = s3.get_object(Bucket=bucket, Key="k", Range=asked)

    assert (answer["Body"].read(), answer["ContentRange"]) == (got, shown)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206


@pytest.mark.parametrize("asked", ["bytes=3-1", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=-"])
def test_a_range_that_is_none_is_ignored(s3: "S3Client", bucket: str, asked: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    answer = s3.get_object(Bucket=bucket, Key="k", Range=asked)

    assert answer["Body"].read() == b"hello"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("validator", "status"),
    [
        ("{etag}", 206),
        ("{modified}", 206),
        ("W/{etag}", 200),
        ('"another"', 200),
        ("*", 200),
        ('{etag}, "another"', 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 200),
        ("", 200),
    ],
)
def test_a_range_is_that_of_the_object_that_if_range_names(
    s3: "S3Client", server: S3Server, bucket: str, validator: str, status: int
) -> None:
    """RFC 9110 §13.1.5: where the object is another one, all of it comes, and not a piece that does not fit."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    url = f"{server.url}/{bucket}/k"
    about = httpx.head(url).headers
    named = {"If-Range": validator.format(etag=about["etag"], modified=about["last-modified"])}

    answer = httpx.get(url, headers={**named, "Range": "bytes=1-3"})
    assert (answer.status_code, answer.content) == (status, b"ell" if status == 206 else b"hello")
    assert ("content-range" in answer.headers) == (status == 206)
    # A range that cannot be is not looked at either where the object is another one.
    assert httpx.get(url, headers={**named, "Range": "bytes=9-"}).status_code == (416 if status == 206 else 200)
    assert httpx.head(url, headers={**named, "Range": "bytes=1-3"}).status_code == status
    # Without a range there is nothing to decide, and the other conditions are looked at before.
    assert httpx.get(url, headers=named).content == b"hello"
    assert httpx.get(url, headers={**named, "Range": "bytes=1-3", "If-Match": '"0"'}).status_code == 412
    assert httpx.get(url, headers={**named, "Range": "bytes=1-3", "If-None-Match": about["etag"]}).status_code == 304


@pytest.mark.parametrize("asked", ["bytes=9-", "bytes=5-6", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(s3: "S3Client", bucket: str, asked: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")

    assert refused(lambda: s3.get_object(Bucket=bucket, Key="k", Range=asked)) == (416, "InvalidRange")


@pytest.mark.parametrize(
    "key",
    [
        "sp ace", "plus+plus", "per%cent", "é日本", "q?x=1&y", "hash#x", "a;b,c=d", "quote\"'", "back\\slash", "<x>",
        "a//b", "a/../b", "a/./b", "/lead", "trail/", "x" * 1024, "한글/키", "line\nbreak", "..", "a/", "%2F", "~-_.",
    ],
)  # fmt: skip
def test_keys_of_all_letters_are_kept_listed_and_deleted(s3: "S3Client", bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())

    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [one["Key"] for one in s3.list_objects(Bucket=bucket)["Contents"]] == [key]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_key_is_never_a_path(s3: "S3Client", server: S3Server, bucket: str) -> None:
    before = {path for path in server.store.folder.parent.rglob("*") if "planted" in path.name}
    for key in ("../planted", "../../planted", "/planted", "a/../../../planted"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 100_000)

    assert {path for path in server.store.folder.parent.rglob("*") if "planted" in path.name} == before
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 4


def test_a_key_and_keys_below_it_stand_side_by_side(s3: "S3Client", bucket: str) -> None:
    for key in ("a", "a/", "a/b"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.delete_object(Bucket=bucket, Key="a/")

    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a", "a/b"]
    assert refused(lambda: s3.put_object(Bucket=bucket, Key="é" * 513, Body=b"")) == (400, "KeyTooLongError")


def test_listings_have_pages_prefixes_and_quoted_etags(s3: "S3Client", bucket: str) -> None:
    for number in range(25):
        s3.put_object(Bucket=bucket, Key=f"n/{number:02}", Body=b"1")
    s3.put_object(Bucket=bucket, Key="z", Body=b"1")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 10}))

    assert [len(page["Contents"]) for page in pages] == [10, 10, 6]
    assert pages[0]["Contents"][0]["ETag"] == f'"{hashlib.md5(b"1").hexdigest()}"'
    answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [one["Prefix"] for one in answer["CommonPrefixes"]] == ["n/"]
    assert ([one["Key"] for one in answer["Contents"]], answer["KeyCount"]) == (["z"], 2)
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0


def test_buckets_are_made_once_and_deleted_empty(s3: "S3Client", bucket: str) -> None:
    assert s3.create_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert refused(lambda: s3.delete_bucket(Bucket=bucket)) == (409, "BucketNotEmpty")
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    assert refused(lambda: s3.head_bucket(Bucket=bucket)) == (404, "404")
    assert refused(lambda: s3.create_bucket(Bucket="Not_A_Name"))[1] == "InvalidBucketName"


def test_a_bucket_has_the_region_it_was_made_in(s3: "S3Client", server: S3Server) -> None:
    s3.create_bucket(Bucket="in-korea", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})

    assert s3.get_bucket_location(Bucket="in-korea")["LocationConstraint"] == "ap-northeast-2"
    assert s3.head_bucket(Bucket="in-korea")["BucketRegion"] == "ap-northeast-2"
    assert {"Name": "in-korea", "BucketRegion": "ap-northeast-2"}.items() <= dict(
        s3.list_buckets()["Buckets"][-1]
    ).items()
    other = server.client("eu-west-1")
    assert refused(lambda: other.create_bucket(Bucket="nowhere"))[1] == "IllegalLocationConstraintException"
    wrong: Any = {"LocationConstraint": "us-west-2"}
    assert refused(lambda: other.create_bucket(Bucket="nowhere", CreateBucketConfiguration=wrong)) == (
        400,
        "IllegalLocationConstraintException",
    )
    other.close()


def test_who_signs_for_no_region_learns_the_region(server: S3Server) -> None:
    # s3cmd's first CreateBucket is signed for "US". AuthorizationHeaderMalformed has the region to sign for, and it and
    # botocore send the request again.
    client = server.client("US")

    client.create_bucket(Bucket="somewhere")

    assert client.head_bucket(Bucket="somewhere")["BucketRegion"] == "us-east-1"
    client.close()


def test_another_accounts_bucket_has_its_name(s3: "S3Client", server: S3Server, bucket: str) -> None:
    stranger = server.client(account="111111111111")

    assert refused(lambda: stranger.create_bucket(Bucket=bucket)) == (409, "BucketAlreadyExists")
    assert refused(lambda: s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="111111111111")) == (403, "403")
    stranger.close()


def test_missing_buckets_and_keys_have_the_messages_of_s3(s3: "S3Client", bucket: str) -> None:
    assert refused(lambda: s3.get_object(Bucket=bucket, Key="k")) == (404, "NoSuchKey")
    assert refused(lambda: s3.get_object(Bucket="nothing-here", Key="k")) == (404, "NoSuchBucket")
    assert refused(lambda: s3.list_objects_v2(Bucket="nothing-here")) == (404, "NoSuchBucket")
    assert refused(lambda: s3.head_object(Bucket=bucket, Key="k")) == (404, "404")


def test_a_copy_is_a_copy_with_its_metadata_or_new_ones(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", Metadata={"x": "y"}, Tagging="t=1", ContentType="text/plain")
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a", MetadataDirective="REPLACE", Metadata={"z": "1"})

    b, c = s3.head_object(Bucket=bucket, Key="b"), s3.head_object(Bucket=bucket, Key="c")
    assert (b["Metadata"], b["ContentType"], b["TagCount"]) == ({"x": "y"}, "text/plain", 1)
    assert (c["Metadata"], c["ContentType"]) == ({"z": "1"}, "binary/octet-stream")
    assert refused(lambda: s3.copy_object(Bucket=bucket, Key="a", CopySource=f"{bucket}/a"))[1] == "InvalidRequest"
    assert refused(lambda: s3.copy_object(Bucket=bucket, Key="d", CopySource=f"{bucket}/none")) == (404, "NoSuchKey")


def test_large_files_go_up_and_down_in_parts(s3: "S3Client", bucket: str, tmp_path: Path) -> None:
    body = hashlib.sha256(b"seed").digest() * 700_000
    (tmp_path / "up").write_bytes(body)
    s3.upload_file(str(tmp_path / "up"), bucket, "large")
    s3.download_file(bucket, "large", str(tmp_path / "down"))

    assert (tmp_path / "down").read_bytes() == body
    head = s3.head_object(Bucket=bucket, Key="large", PartNumber=2)
    assert (head["PartsCount"], head["ContentLength"]) == (3, 8 * 1024 * 1024)
    assert head["ETag"].endswith('-3"')
    # More than 8 MiB: the managed copy goes by parts, too.
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copied")
    assert s3.get_object(Bucket=bucket, Key="copied")["Body"].read() == body


def test_an_aborted_upload_leaves_nothing(s3: "S3Client", server: S3Server, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="x")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="x", UploadId=upload, PartNumber=1, Body=b"1" * 100_000)
    assert [one["PartNumber"] for one in s3.list_parts(Bucket=bucket, Key="x", UploadId=upload)["Parts"]] == [1]
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    s3.abort_multipart_upload(Bucket=bucket, Key="x", UploadId=upload)

    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    gone = refused(lambda: s3.upload_part(Bucket=bucket, Key="x", UploadId=upload, PartNumber=2, Body=b"1"))
    assert gone == (404, "NoSuchUpload")
    assert server.store.orphans() == []


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls_work(server: S3Server, bucket: str, version: str) -> None:
    s3 = server.client(signature_version=version)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k", "ContentType": "text/odd"})
    request = urllib.request.Request(put, data=b"body", method="PUT", headers={"Content-Type": "text/odd"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
    named = {"ResponseContentDisposition": 'attachment; filename="x"'}
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k", **named})
    with urllib.request.urlopen(get, timeout=60) as answer:
        assert answer.read() == b"body"
        assert answer.headers["content-type"] == "text/odd"
        assert answer.headers["content-disposition"] == 'attachment; filename="x"'
    s3.close()


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_expires(tmp_path: Path, version: str) -> None:
    with serving(tmp_path / "objects", clock=lambda: time.time() + 4000) as server:
        s3 = server.client(signature_version=version)
        old = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "k"}, ExpiresIn=3600)
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(old, timeout=60)
        with raised.value as answer:
            assert answer.code == 403
            assert b"Request has expired" in answer.read()
        s3.close()


def test_conditions_hold(s3: "S3Client", bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]

    assert refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")) == (
        412,
        "PreconditionFailed",
    )
    assert refused(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch='"0"')) == (
        412,
        "PreconditionFailed",
    )
    assert refused(lambda: s3.put_object(Bucket=bucket, Key="new", Body=b"2", IfMatch='"0"')) == (404, "NoSuchKey")
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == b"1"
    assert refused(lambda: s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"'))[0] == 412
    assert refused(lambda: s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag))[0] == 304
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)["ETag"] != etag


def test_bytes_that_are_not_those_that_were_announced_are_refused(s3: "S3Client", bucket: str) -> None:
    wrong: Any = ({"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"ChecksumCRC32": "AAAAAA=="}, {"ContentMD5": "no"})

    codes = [refused(partial(s3.put_object, Bucket=bucket, Key="k", Body=b"1", **given))[1] for given in wrong]

    assert codes == ["BadDigest", "BadDigest", "InvalidDigest"]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("checksum", "status"), [(b"poTHxg==", 200), (b"poTHxw==", 400)], ids=["right checksum", "wrong checksum"]
)
def test_a_chunked_upload_needs_no_content_length(
    s3: "S3Client", server: S3Server, bucket: str, checksum: bytes, status: int
) -> None:
    # So do clients on AWS's SDK for C++, pyarrow among them.
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "10",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "content-encoding": "aws-chunked",
        "transfer-encoding": "chunked",
    }
    body = b"a\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:" + checksum + b"\r\n\r\n"
    connection.request("PUT", f"/{bucket}/k", iter([body]), headers, encode_chunked=True)
    answer = connection.getresponse()

    assert (answer.status, b"BadDigest" in answer.read()) == (status, status == 400)
    connection.close()
    if status == 200:
        read = s3.get_object(Bucket=bucket, Key="k")
        assert read["Body"].read() == b"0123456789"
        assert "ContentEncoding" not in read


def test_versions_and_delete_markers(s3: "S3Client", bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")

    assert marker["DeleteMarker"]
    with pytest.raises(ClientError) as raised:
        s3.get_object(Bucket=bucket, Key="k")
    headers = raised.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    listed = s3.list_object_versions(Bucket=bucket)
    assert [one["VersionId"] for one in listed["Versions"]] == [second, first]
    assert [one["IsLatest"] for one in listed["DeleteMarkers"]] == [True]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"


def test_settings_are_shown_as_they_were_put(s3: "S3Client", bucket: str) -> None:
    rules: Any = {"Rules": [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}]}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    cors: Any = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://page.example"]}]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=cors)

    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules["Rules"]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == cors["CORSRules"]
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert refused(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)) == (
        404,
        "NoSuchLifecycleConfiguration",
    )
    assert refused(lambda: s3.get_bucket_policy(Bucket=bucket)) == (404, "NoSuchBucketPolicy")
    assert refused(lambda: s3.put_bucket_policy(Bucket=bucket, Policy="no")) == (400, "MalformedPolicy")


def test_a_page_reads_what_the_buckets_rules_let_it_read(s3: "S3Client", server: S3Server, bucket: str) -> None:
    cors: Any = {
        "CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.example"], "MaxAgeSeconds": 9}]
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=cors)
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")

    def asked(origin: str, method: str = "GET") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        headers = {"Origin": origin, "Access-Control-Request-Method": method}
        connection.request("OPTIONS", f"/{bucket}/k", headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    allowed = asked("https://a.example")
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, "https://a.example")
    assert allowed.headers["access-control-max-age"] == "9"
    for refusal in (asked("https://evil.test"), asked("https://a.example", "PUT")):
        assert (refusal.status, refusal.headers["access-control-allow-origin"]) == (403, None)


def test_headers_are_bounded_as_on_s3(server: S3Server) -> None:
    def status(size: int) -> tuple[int, bytes]:
        asked = urllib.request.Request(f"{server.url}/b/k", headers={"X-Large": "a" * size})
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(asked, timeout=60)
        with raised.value as answer:
            return answer.code, answer.read()

    code, body = status(9000)
    assert code == 400
    assert b"<Code>RequestHeaderSectionTooLarge</Code>" in body
    assert status(7000)[0] == 404


def test_a_bucket_may_stand_in_the_host(s3: "S3Client", server: S3Server, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"1")
    for host in (f"{bucket}.localhost", f"{bucket}.s3.eu-west-1.amazonaws.com"):
        asked = urllib.request.Request(f"{server.url}/a/b", headers={"Host": host})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            assert answer.read() == b"1"


def test_a_refused_upload_is_not_read_where_the_client_expects_100_continue(server: S3Server) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    connection.putrequest("PUT", "/nothing-here/k")
    connection.putheader("Content-Length", str(10**9))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()

    answer = connection.getresponse()  # the body was never sent

    assert (answer.status, b"NoSuchBucket" in answer.read()) == (404, True)
    assert answer.headers["connection"] == "close"
    connection.close()


def test_a_bucket_of_another_region_is_a_redirect_where_that_is_set(tmp_path: Path) -> None:
    with serving(tmp_path / "objects", redirects=True) as server:
        s3, other = server.client(), server.client("eu-west-1", signature_version="s3v4")
        s3.create_bucket(Bucket="here")

        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        url = other.generate_presigned_url("head_bucket", Params={"Bucket": "here"}).removeprefix(server.url)
        connection.request("HEAD", url)
        answer = connection.getresponse()

        assert (answer.status, answer.headers["x-amz-bucket-region"]) == (301, "us-east-1")
        # boto3 follows to the region of the response.
        other.put_object(Bucket="here", Key="k", Body=io.BytesIO(b"1"))
        for one in (s3, other):
            one.close()
        connection.close()
