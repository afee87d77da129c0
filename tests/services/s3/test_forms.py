"""Upload forms of browsers: each field acts as the header of a PUT does, and the answer is that of the PUT."""

import base64
import hashlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.s3_server import S3Server, serving

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

CONTENT = b"1,2"
MD5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
SHA256 = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
KEY = bytes(range(32))
CUSTOMER_KEY = {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": base64.b64encode(KEY).decode(),
    "x-amz-server-side-encryption-customer-key-MD5": base64.b64encode(hashlib.md5(KEY).digest()).decode(),
}
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serving(tmp_path_factory.mktemp("objects"), gateway=True) as running:
        yield running


def post(s3: "S3Client", bucket: str, fields: dict[str, str]) -> httpx.Response:
    """A form whose policy names each field."""
    form = s3.generate_presigned_post(bucket, "k", {**fields}, [{name: value} for name, value in fields.items()])
    return httpx.post(form["url"], data=form["fields"], files={"file": ("a.csv", CONTENT)})


def tagging(*pairs: tuple[str, str]) -> str:
    tags = "".join(f"<Tag><Key>{name}</Key><Value>{value}</Value></Tag>" for name, value in pairs)
    return f"<Tagging><TagSet>{tags}</TagSet></Tagging>"


def test_headers_of_the_object_are_those_of_the_form(s3: "S3Client", bucket: str) -> None:
    fields = {
        "Content-Language": "ko",
        "CACHE-CONTROL": "no-cache",
        "Content-Disposition": 'attachment; filename="a  b.csv"',
        "x-amz-website-redirect-location": "/other",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-meta-Who": "나",
    }
    assert post(s3, bucket, fields).status_code == 204

    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentLanguage"], head["CacheControl"], head["StorageClass"]) == ("ko", "no-cache", "STANDARD_IA")
    assert head["ContentDisposition"] == fields["Content-Disposition"]
    assert head["WebsiteRedirectLocation"] == "/other"
    assert head["Metadata"]["who"].encode("latin-1").decode() == "나"


def test_tags_of_a_form_are_a_document(s3: "S3Client", bucket: str) -> None:
    assert post(s3, bucket, {"tagging": tagging(("a b", "1+2=3"), ("이름", ""))}).status_code == 204
    tags = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert tags == [{"Key": "a b", "Value": "1+2=3"}, {"Key": "이름", "Value": ""}]
    # In a form S3 takes no notice of the header that a PUT has: https://github.com/aws/aws-sdk-js/issues/3790
    assert post(s3, bucket, {"x-amz-tagging": "a=1", "tagging": tagging()}).status_code == 204
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


def test_as_many_tags_as_an_object_may_have_come_in_a_form(s3: "S3Client", bucket: str) -> None:
    tags = [(f"{number}{'가' * 50}", "나" * 50) for number in range(10)]
    assert post(s3, bucket, {"tagging": tagging(*tags)}).status_code == 204
    assert len(s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]) == 10


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("a=1", "MalformedXML"),
        ("<Tagging><TagSet>", "MalformedXML"),
        ("<Tags/>", "MalformedXML"),
        ("<Tagging/>", "MalformedXML"),
        ("<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "MalformedXML"),
        ("<Tagging><TagSet><Tag><Key><a/></Key><Value/></Tag></TagSet></Tagging>", "MalformedXML"),
        (tagging(("a", "1"), ("a", "2")), "InvalidTag"),
        (tagging(("aws:a", "1")), "InvalidTag"),
        (tagging(*((str(number), "") for number in range(11))), "BadRequest"),
    ],
)
def test_tags_that_no_object_has_are_refused(s3: "S3Client", bucket: str, document: str, code: str) -> None:
    answer = post(s3, bucket, {"tagging": document})

    assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (400, True)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("fields", [{"acl": "public-read"}, {"x-amz-grant-read": f'uri="{EVERYBODY}"'}])
def test_an_acl_of_a_form_is_the_object_s(s3: "S3Client", bucket: str, fields: dict[str, str]) -> None:
    assert post(s3, bucket, fields).status_code == 204

    grants = s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]
    assert [one["Permission"] for one in grants if one["Grantee"].get("URI") == EVERYBODY] == ["READ"]


def test_an_unknown_acl_is_refused(s3: "S3Client", bucket: str) -> None:
    answer = post(s3, bucket, {"acl": "everything"})

    assert (answer.status_code, "<Code>InvalidArgument</Code>" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Content-MD5": MD5}, ""),
        ({"Content-MD5": base64.b64encode(bytes(16)).decode()}, "BadDigest"),
        ({"Content-MD5": "no"}, "InvalidDigest"),
        ({"x-amz-checksum-sha256": SHA256}, ""),
        ({"x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode()}, "BadDigest"),
        ({"x-amz-checksum-sha256": "?"}, "InvalidRequest"),
        ({"x-amz-checksum-sha1": "a", "x-amz-checksum-sha256": SHA256}, "InvalidRequest"),
    ],
)
def test_a_digest_of_a_form_is_compared(s3: "S3Client", bucket: str, fields: dict[str, str], code: str) -> None:
    answer = post(s3, bucket, fields)

    if code:
        assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (400, True)
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    else:
        assert answer.status_code == 204


@pytest.mark.parametrize("name", ["x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm"])
def test_the_checksum_that_a_form_names_is_computed(s3: "S3Client", bucket: str, name: str) -> None:
    answer = post(s3, bucket, {name: "SHA256"})

    assert (answer.headers["x-amz-checksum-sha256"], answer.headers["x-amz-checksum-type"]) == (SHA256, "FULL_OBJECT")
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumSHA256"] == SHA256


def test_encryption_is_kept_and_answered(s3: "S3Client", bucket: str) -> None:
    assert post(s3, bucket, {}).headers["x-amz-server-side-encryption"] == "AES256"
    named = "x-amz-server-side-encryption"
    key = "arn:aws:kms:us-east-1:000000000000:key/mine"
    fields = {named: "aws:kms", f"{named}-aws-kms-key-id": key, f"{named}-bucket-key-enabled": "true"}
    answer = post(s3, bucket, fields)

    assert {name: answer.headers[name] for name in fields} == fields
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"], head["BucketKeyEnabled"]) == ("aws:kms", key, True)


def test_an_object_of_a_form_may_need_the_client_s_key(s3: "S3Client", bucket: str) -> None:
    answer = post(s3, bucket, CUSTOMER_KEY)

    assert (answer.status_code, answer.headers["x-amz-server-side-encryption-customer-algorithm"]) == (204, "AES256")
    assert httpx.get(answer.headers["location"]).status_code == 400
    assert httpx.get(answer.headers["location"], headers=CUSTOMER_KEY).content == CONTENT


@pytest.mark.parametrize("status", ["204", "201"])
def test_the_answer_names_the_version(s3: "S3Client", bucket: str, status: str) -> None:
    assert "x-amz-version-id" not in post(s3, bucket, {}).headers
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    answer = post(s3, bucket, {"success_action_status": status})

    head = s3.head_object(Bucket=bucket, Key="k")
    assert (answer.status_code, answer.headers["x-amz-version-id"]) == (int(status), head["VersionId"])
    assert answer.headers["etag"] == head["ETag"]


def test_an_object_of_a_form_is_locked(s3: "S3Client", bucket: str) -> None:
    s3.create_bucket(Bucket=f"{bucket}-locked", ObjectLockEnabledForBucket=True)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    fields = {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": until}
    assert post(s3, f"{bucket}-locked", {**fields, "x-amz-object-lock-legal-hold": "ON"}).status_code == 204

    head = s3.head_object(Bucket=f"{bucket}-locked", Key="k")
    assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON")
    assert head["ObjectLockRetainUntilDate"].strftime("%Y-%m-%dT%H:%M:%SZ") == until
    assert post(s3, bucket, fields).status_code == 400


def test_a_form_that_replaces_nothing_is_refused_where_there_is_an_object(s3: "S3Client", bucket: str) -> None:
    assert post(s3, bucket, {"If-None-Match": "*"}).status_code == 204
    assert post(s3, bucket, {"If-None-Match": "*"}).status_code == 412


def test_a_field_that_the_policy_does_not_name_is_refused(s3: "S3Client", bucket: str) -> None:
    form = s3.generate_presigned_post(bucket, "k")
    for name in ("acl", "tagging", "Content-MD5", "x-amz-server-side-encryption"):
        answer = httpx.post(form["url"], data={**form["fields"], name: "x"}, files={"file": ("a.csv", CONTENT)})
        assert (answer.status_code, f"Extra input fields: {name.lower()}" in answer.text) == (403, True)


def test_a_line_end_in_a_field_makes_no_header(s3: "S3Client", bucket: str) -> None:
    assert post(s3, bucket, {"x-amz-meta-a": "1\r\nx-amz-meta-b: 2"}).status_code == 204
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"a": "1 x-amz-meta-b: 2"}
