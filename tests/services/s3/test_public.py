"""Requests that are not signed, where the setting has AWS's rules for them acted on."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from samebox import server
from samebox.settings import Settings
from tests.ports import free_port
from tests.s3_server import S3Server, serving

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serving(tmp_path_factory.mktemp("objects"), public_access=True) as running:
        yield running


@pytest.fixture
def s3(strict: S3Server) -> Iterator["S3Client"]:
    client = strict.client()
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="a", Body=b"1")
    client.put_object(Bucket="bucket", Key="b", Body=b"2")
    yield client
    for one in client.list_objects_v2(Bucket="bucket").get("Contents", []):
        client.delete_object(Bucket="bucket", Key=one["Key"])
    client.delete_bucket(Bucket="bucket")
    client.close()


def allow(action: str, resource: str = "bucket/*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{resource}", **more}


def put_policy(s3: "S3Client", *statements: dict[str, Any]) -> None:
    s3.put_bucket_policy(Bucket="bucket", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def open_up(s3: "S3Client") -> None:
    s3.delete_public_access_block(Bucket="bucket")
    ownership: Any = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket="bucket", OwnershipControls=ownership)


def refused(call: Any, code: str) -> None:
    with pytest.raises(ClientError, match=code):
        call()


def test_a_new_bucket_refuses_requests_without_a_signature(s3: "S3Client", strict: S3Server) -> None:
    for path in ("/bucket/a", "/bucket", "/bucket/nothing", "/"):
        answer = httpx.get(strict.url + path)
        assert (answer.status_code, "AccessDenied" in answer.text) == (403, True)
    assert httpx.put(f"{strict.url}/bucket/new", content=b"x").status_code == 403
    assert httpx.delete(f"{strict.url}/bucket/a").status_code == 403
    assert s3.get_object(Bucket="bucket", Key="a")["Body"].read() == b"1"


def test_a_policy_lets_everybody_do_what_it_names(s3: "S3Client", strict: S3Server) -> None:
    open_up(s3)
    put_policy(s3, allow("s3:GetObject"), allow("s3:*", "bucket/b", "Deny"), allow("s3:List*", "bucket"))
    assert httpx.get(f"{strict.url}/bucket/a").text == "1"
    assert httpx.head(f"{strict.url}/bucket/a").status_code == 200
    assert httpx.get(f"{strict.url}/bucket/b").status_code == 403
    assert httpx.get(f"{strict.url}/bucket?list-type=2").status_code == 200
    assert httpx.put(f"{strict.url}/bucket/new", content=b"x").status_code == 403


def test_a_statement_with_a_condition_or_another_principal_opens_no_bucket(s3: "S3Client", strict: S3Server) -> None:
    open_up(s3)
    somebody = {**allow("s3:GetObject"), "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}
    put_policy(s3, somebody, allow("s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    assert httpx.get(f"{strict.url}/bucket/a").status_code == 403


def test_an_acl_lets_everybody_read_an_object_or_a_list(s3: "S3Client", strict: S3Server) -> None:
    open_up(s3)
    s3.put_object_acl(Bucket="bucket", Key="a", ACL="public-read")
    assert httpx.get(f"{strict.url}/bucket/a").text == "1"
    assert [httpx.get(f"{strict.url}/bucket{path}").status_code for path in ("/b", "")] == [403, 403]
    s3.put_bucket_acl(Bucket="bucket", ACL="public-read")
    assert httpx.get(f"{strict.url}/bucket").status_code == 200
    assert httpx.put(f"{strict.url}/bucket/new", content=b"x").status_code == 403
    s3.put_bucket_acl(Bucket="bucket", ACL="public-read-write")
    assert httpx.put(f"{strict.url}/bucket/new", content=b"x").status_code == 200


def test_the_block_takes_away_what_a_policy_and_an_acl_give(s3: "S3Client", strict: S3Server) -> None:
    open_up(s3)
    s3.put_object_acl(Bucket="bucket", Key="a", ACL="public-read")
    put_policy(s3, allow("s3:GetObject", "bucket/b"))
    assert [httpx.get(f"{strict.url}/bucket/{key}").status_code for key in "ab"] == [200, 200]
    s3.put_public_access_block(
        Bucket="bucket", PublicAccessBlockConfiguration={"IgnorePublicAcls": True, "RestrictPublicBuckets": True}
    )
    assert [httpx.get(f"{strict.url}/bucket/{key}").status_code for key in "ab"] == [403, 403]


def test_what_the_block_forbids_is_not_put(s3: "S3Client") -> None:
    refused(lambda: put_policy(s3, allow("s3:GetObject")), "AccessDenied")
    refused(lambda: s3.put_object_acl(Bucket="bucket", Key="a", ACL="public-read"), "AccessControlListNotSupported")
    s3.put_bucket_ownership_controls(
        Bucket="bucket", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    refused(lambda: s3.put_object_acl(Bucket="bucket", Key="a", ACL="public-read"), "AccessDenied")
    s3.put_object_acl(Bucket="bucket", Key="a", ACL="private")


def test_presigned_urls_and_forms_need_no_public_bucket(s3: "S3Client", strict: S3Server) -> None:
    url = s3.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "a"})
    assert httpx.get(url).text == "1"


def test_with_a_token_everybody_reads_what_is_public_and_nothing_else(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(
        port=free_port(), data_dir=tmp_path_factory.mktemp("data"), token="a token of twenty letters",
        container_credentials=False, s3_public_access=True,
    )  # fmt: skip
    with server.running(settings):
        s3: S3Client = boto3.client(
            "s3", endpoint_url=settings.url, region_name="us-east-1", aws_access_key_id="111122223333",
            aws_secret_access_key=settings.token,
        )  # fmt: skip
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="a", Body=b"1")
        assert httpx.get(f"{settings.url}/bucket/a").status_code == 403
        form = s3.generate_presigned_post("bucket", "posted")
        answer = httpx.post(form["url"], data=form["fields"], files={"file": ("a.txt", b"typed")})
        assert answer.status_code == 204
        s3.delete_public_access_block(Bucket="bucket")
        put_policy(s3, allow("s3:GetObject"))
        assert httpx.get(f"{settings.url}/bucket/a").text == "1"
        assert httpx.get(f"{settings.url}/bucket/a?X-Amz-Signature=none").status_code == 403
        assert httpx.get(f"{settings.url}/bucket/a", headers={"Authorization": "AWS none"}).status_code == 403
        assert httpx.put(f"{settings.url}/bucket/a", content=b"x").status_code == 403
        call = httpx.post(settings.url, headers={"x-amz-target": "SageMaker.ListModels"}, json={})
        assert (call.is_error, "MissingAuthenticationToken" in call.text) == (True, True)
        s3.close()
