"""What S3 keeps beside the bytes: tags, locks, ACLs, encryption, attributes, and the settings of buckets."""

import base64
import hashlib
import http.client
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.s3_server import S3Server

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ClientError) as raised:
        call()
    answer = raised.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_tags_of_an_object(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", Tagging="team=ml&cost%20center=7")
    assert {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]} == {
        "team": "ml",
        "cost center": "7",
    }

    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": ""}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": ""}]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": f"k{n}", "Value": "v"} for n in range(11)], "BadRequest"),
        ([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}], "InvalidTag"),
        ([{"Key": "k" * 129, "Value": "1"}], "InvalidTag"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidTag"),
        ([{"Key": "aws:k", "Value": "1"}], "InvalidTag"),
    ],
)
def test_tags_that_s3_does_not_take(s3: "S3Client", bucket: str, tags: Any, code: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")

    assert refused(lambda: s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})) == (400, code)


def test_locks_keep_a_version(s3: "S3Client") -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    s3.create_bucket(Bucket="locked-bucket", ObjectLockEnabledForBucket=True)
    kept = s3.put_object(Bucket="locked-bucket", Key="k", Body=b"1")["VersionId"]
    s3.put_object_retention(Bucket="locked-bucket", Key="k", Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    s3.put_object_legal_hold(Bucket="locked-bucket", Key="k", LegalHold={"Status": "ON"})

    assert s3.get_object_retention(Bucket="locked-bucket", Key="k")["Retention"]["RetainUntilDate"] == until
    assert s3.get_object_legal_hold(Bucket="locked-bucket", Key="k")["LegalHold"]["Status"] == "ON"
    remove = partial(s3.delete_object, Bucket="locked-bucket", Key="k", VersionId=kept)
    assert refused(remove) == (403, "AccessDenied")
    s3.put_object_legal_hold(Bucket="locked-bucket", Key="k", LegalHold={"Status": "OFF"})
    assert refused(remove) == (403, "AccessDenied")
    remove(BypassGovernanceRetention=True)
    assert refused(lambda: s3.get_object(Bucket="locked-bucket", Key="k")) == (404, "NoSuchKey")


def test_a_default_retention_is_that_of_new_objects(s3: "S3Client", bucket: str) -> None:
    rule: Any = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
    s3.create_bucket(Bucket="locked-by-default", ObjectLockEnabledForBucket=True)
    s3.put_object_lock_configuration(Bucket="locked-by-default", ObjectLockConfiguration=rule)
    s3.put_object(Bucket="locked-by-default", Key="k", Body=b"1")

    assert s3.get_object_lock_configuration(Bucket="locked-by-default")["ObjectLockConfiguration"] == rule
    assert s3.head_object(Bucket="locked-by-default", Key="k")["ObjectLockMode"] == "COMPLIANCE"
    assert refused(lambda: s3.get_object_lock_configuration(Bucket=bucket)) == (
        404,
        "ObjectLockConfigurationNotFoundError",
    )


def test_acls_are_shown_as_they_were_put(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", ACL="public-read")
    shown = s3.get_object_acl(Bucket=bucket, Key="k")

    assert [grant["Permission"] for grant in shown["Grants"]] == ["FULL_CONTROL", "READ"]
    assert shown["Grants"][1]["Grantee"] == {"Type": "Group", "URI": EVERYBODY}
    s3.put_object_acl(
        Bucket=bucket, Key="k", AccessControlPolicy={"Owner": shown["Owner"], "Grants": shown["Grants"][:1]}
    )
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"] == shown["Grants"][:1]
    s3.put_bucket_acl(Bucket=bucket, GrantRead=f'uri="{EVERYBODY}"')
    assert [grant["Permission"] for grant in s3.get_bucket_acl(Bucket=bucket)["Grants"]] == ["READ"]
    wrong: Any = "everyone"
    assert refused(lambda: s3.put_object_acl(Bucket=bucket, Key="k", ACL=wrong)) == (400, "InvalidArgument")


def test_attributes_of_an_object_in_parts(s3: "S3Client", bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")["UploadId"]
    parts = [
        s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=n, Body=body, ChecksumAlgorithm="SHA256")
        for n, body in ((1, bytes(5 * 1024 * 1024)), (2, b"end"))
    ]
    named: Any = [
        {"PartNumber": n, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}
        for n, part in enumerate(parts, 1)
    ]
    done = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": named})
    shown = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectParts", "ObjectSize"]
    )

    assert shown["ETag"] == done["ETag"].strip('"')
    # Of two parts, which S3 does not add here.
    assert shown["Checksum"]["ChecksumSHA256"] == done["ChecksumSHA256"].removesuffix("-2")
    assert shown["Checksum"]["ChecksumType"] == "COMPOSITE"
    assert [part["Size"] for part in shown["ObjectParts"]["Parts"]] == [5 * 1024 * 1024, 3]
    assert shown["ObjectSize"] == 5 * 1024 * 1024 + 3
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=2)["Body"].read() == b"end"


def test_a_new_bucket_has_what_s3_gives_new_buckets(s3: "S3Client", bucket: str) -> None:
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]

    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ServerSideEncryption"] == "AES256"


def test_a_setting_that_was_removed_is_not_found(s3: "S3Client", bucket: str) -> None:
    s3.delete_public_access_block(Bucket=bucket)
    s3.delete_bucket_ownership_controls(Bucket=bucket)

    assert refused(lambda: s3.get_public_access_block(Bucket=bucket)) == (404, "NoSuchPublicAccessBlockConfiguration")
    assert refused(lambda: s3.get_bucket_ownership_controls(Bucket=bucket)) == (404, "OwnershipControlsNotFoundError")


def test_settings_with_ids_are_several(s3: "S3Client", bucket: str) -> None:
    for name in ("one", "two"):
        s3.put_bucket_metrics_configuration(Bucket=bucket, Id=name, MetricsConfiguration={"Id": name})
    s3.delete_bucket_metrics_configuration(Bucket=bucket, Id="one")

    assert s3.list_bucket_metrics_configurations(Bucket=bucket)["MetricsConfigurationList"] == [{"Id": "two"}]
    gone = partial(s3.get_bucket_metrics_configuration, Bucket=bucket, Id="one")
    assert refused(gone) == (404, "NoSuchConfiguration")


@pytest.mark.parametrize(("principal", "public"), [("*", True), ({"AWS": "arn:aws:iam::111111111111:root"}, False)])
def test_a_policy_that_lets_everybody_in_is_public(s3: "S3Client", bucket: str, principal: Any, public: bool) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is public


def test_an_object_under_a_key_of_the_clients_needs_that_key(s3: "S3Client", bucket: str) -> None:
    key: Any = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", **key)

    assert s3.get_object(Bucket=bucket, Key="k", **key)["Body"].read() == b"1"
    assert refused(lambda: s3.get_object(Bucket=bucket, Key="k")) == (400, "InvalidRequest")


def test_a_delete_of_many_objects_reports_each(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    wanted: Any = {"Objects": [{"Key": "a"}, {"Key": "never"}]}

    assert [one["Key"] for one in s3.delete_objects(Bucket=bucket, Delete=wanted)["Deleted"]] == ["a", "never"]
    wanted["Quiet"] = True
    assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete=wanted)
    too_many: Any = {"Objects": [{"Key": str(n)} for n in range(1001)]}
    assert refused(lambda: s3.delete_objects(Bucket=bucket, Delete=too_many)) == (400, "MalformedXML")


def test_a_document_that_is_not_what_was_sent_has_no_effect(s3: "S3Client", server: S3Server, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"
    answers = {}
    for name, value in {
        "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==",
        "x-amz-checksum-crc32": "AAAAAA==",
        "x-amz-content-sha256": "0" * 64,
        "x-nothing": "",
    }.items():
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        right = {"content-md5": base64.b64encode(hashlib.md5(document).digest()).decode()}
        connection.request("POST", f"/{bucket}?delete", document, {**(right if "sha256" in name else {}), name: value})
        answer = connection.getresponse()
        answers[name] = (answer.status, re.sub(r".*<Code>(\w+)<.*", r"\1", answer.read().decode(), flags=re.DOTALL))
        connection.close()

    assert answers == {
        "content-md5": (400, "BadDigest"),
        "x-amz-checksum-crc32": (400, "BadDigest"),
        "x-amz-content-sha256": (400, "XAmzContentSHA256Mismatch"),
        "x-nothing": (400, "InvalidRequest"),
    }
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1


def test_headers_of_an_object_may_be_utf_8(s3: "S3Client", server: S3Server, bucket: str) -> None:
    named = "attachment; filename=한글.csv"
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    for method, body in (("PUT", b"1"), ("GET", None)):
        headers = {"content-disposition": named.encode()} if body else {}
        connection.request(method, f"/{bucket}/k", body, headers)
        answer = connection.getresponse()
        answer.read()

        assert answer.status == 200
    assert answer.headers["content-disposition"].encode("latin-1").decode() == named
    connection.close()


def test_a_copys_source_is_of_the_expected_owner(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    copy = partial(s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")

    assert refused(lambda: copy(ExpectedSourceBucketOwner="111111111111")) == (403, "AccessDenied")
    assert copy(ExpectedSourceBucketOwner="000000000000")["ResponseMetadata"]["HTTPStatusCode"] == 200
