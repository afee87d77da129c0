"""What S3 answers of encryption by KMS: keys by their ARNs, and the account's own where a request names none."""

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

KEYS = "arn:aws:kms:us-east-1:000000000000:key/"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEY = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def test_without_a_key_the_accounts_own_is_shown(s3: "S3Client", bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"1", ServerSideEncryption="aws:kms")
    assert re.fullmatch(re.escape(KEYS) + UUID, put["SSEKMSKeyId"])
    got = s3.head_object(Bucket=bucket, Key="k")
    assert (got["ServerSideEncryption"], got["SSEKMSKeyId"]) == ("aws:kms", put["SSEKMSKeyId"])
    begun = s3.create_multipart_upload(Bucket=bucket, Key="up", ServerSideEncryption="aws:kms")
    assert begun["SSEKMSKeyId"] == put["SSEKMSKeyId"]


@pytest.mark.parametrize("name", [KEY, f"{KEYS}{KEY}"])
def test_a_key_is_shown_by_its_arn(s3: "S3Client", bucket: str, name: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=name)
    assert put["SSEKMSKeyId"] == f"{KEYS}{KEY}"


def test_a_buckets_default_may_name_no_key(s3: "S3Client", bucket: str) -> None:
    rule: Any = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload["UploadId"], PartNumber=1, Body=b"1")
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    for answer in (upload, part, put):
        assert (answer["BucketKeyEnabled"], answer["ServerSideEncryption"]) == (True, "aws:kms")
        assert answer["SSEKMSKeyId"].startswith(KEYS)
