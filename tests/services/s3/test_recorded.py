"""Refusals as AWS gave them in February 2026: code, status, text and every further member.

The facts are those that LocalStack's tests recorded from AWS (localstack/localstack,
tests/aws/services/s3/test_s3.snapshot.json); the requests are ours.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.s3_server import serving

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

BUCKET, LOCKED, VERSIONED, FAKE = "bucket", "locked", "versioned", "http://acs.amazonaws.com/groups/s3/FakeGroup"
MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"
BAD_MD5 = "The Content-MD5 you specified was invalid."
OTHER_MD5 = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
OWN_MD5 = base64.b64encode(hashlib.md5(b"something", usedforsecurity=False).digest()).decode()
BOTH = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
LOCK_DATE = datetime(2099, 1, 1, tzinfo=UTC)
KEY = "k" * 32
SSE = "x-amz-server-side-encryption"
SECRET = "The secret key was invalid for the specified algorithm."
OWNER = {"ID": "0" * 64}

Call = Callable[[Any], object]


def put(**more: Any) -> Call:
    return lambda s3: s3.put_object(Bucket=BUCKET, Key="k", **{"Body": b"something", **more})


def policy_of(owner: str) -> Call:
    return lambda s3: s3.get_bucket_policy(Bucket=BUCKET, ExpectedBucketOwner=owner)


def acl(**more: Any) -> Call:
    return lambda s3: s3.put_object_acl(Bucket=BUCKET, Key="object", **more)


def bucket_acl(**more: Any) -> Call:
    return lambda s3: s3.put_bucket_acl(Bucket=BUCKET, **more)


def owned(*grants: dict[str, Any], owner: Any = True) -> dict[str, Any]:
    return {"AccessControlPolicy": {"Grants": list(grants), **({"Owner": OWNER} if owner else {})}}


def website(**configuration: Any) -> Call:
    return lambda s3: s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=configuration)


def lifecycle(**rule: Any) -> Call:
    whole = {"Status": "Enabled", "ID": "rule", **rule}
    return lambda s3: s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [whole]})


def inventory(**changes: Any) -> Call:
    own = {
        "Id": "one",
        "IsEnabled": True,
        "IncludedObjectVersions": "All",
        "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{BUCKET}", "Format": "CSV"}},
    }
    return lambda s3: s3.put_bucket_inventory_configuration(
        Bucket=BUCKET, Id="one", InventoryConfiguration={**own, **changes}
    )


def replication(bucket: str, target: str, rules: bool = True) -> Call:
    rule = {"Status": "Enabled", "Destination": {"Bucket": f"arn:aws:s3:::{target}"}}
    more = {"DeleteMarkerReplication": {"Status": "Disabled"}, "Filter": {"Prefix": ""}, "Priority": 1, "ID": "r"}
    return lambda s3: s3.put_bucket_replication(
        Bucket=bucket,
        ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/r", "Rules": [{**rule, **more}] * rules},
    )


def retention(**more: Any) -> Call:
    return lambda s3: s3.put_object_retention(**{"Bucket": LOCKED, "Key": "object", **more})


def customer(**more: Any) -> Call:
    return lambda s3: s3.put_object(Bucket=BUCKET, Key="k", Body=b"1", **more)


def upload(**create: Any) -> Callable[[Any], str]:
    return lambda s3: s3.create_multipart_upload(Bucket=BUCKET, Key="up", **create)["UploadId"]


def part(create: dict[str, Any], **more: Any) -> Call:
    def call(s3: Any) -> object:
        name = upload(**create)(s3)
        return s3.upload_part(Bucket=BUCKET, Key="up", UploadId=name, PartNumber=1, Body=b"abc", **more)

    return call


def completed(create: dict[str, Any], sent: dict[str, Any], named: dict[str, Any], **more: Any) -> Call:
    def call(s3: Any) -> object:
        name = upload(**create)(s3)
        etag = s3.upload_part(Bucket=BUCKET, Key="up", UploadId=name, PartNumber=1, Body=b"abcd", **sent)["ETag"]
        parts = {"Parts": [{"ETag": etag, "PartNumber": 1, **named}]}
        return s3.complete_multipart_upload(Bucket=BUCKET, Key="up", UploadId=name, MultipartUpload=parts, **more)

    return call


def argument(name: str, value: str | None, message: str | None) -> dict[str, Any]:
    error = {"Code": "InvalidArgument", "Message": message, "ArgumentName": name}
    return error if value is None else {**error, "ArgumentValue": value}


def invalid(message: str) -> dict[str, str]:
    return {"Code": "InvalidRequest", "Message": message}


def bad_md5(value: str) -> dict[str, str]:
    return {"Code": "InvalidDigest", "Message": BAD_MD5, "Content-MD5": value}


GROUP = {"Grantee": {"Type": "Group", "URI": FAKE}, "Permission": "READ"}
PERSON = {"Grantee": {"Type": "CanonicalUser", "ID": "wrong-id"}, "Permission": "READ"}
NO_ACL = {"Code": "MalformedACLError", "Message": MALFORMED}
XML = {"Code": "MalformedXML", "Message": MALFORMED}
UNSIGNED_OWNER = "The value of the expected bucket owner parameter must be an AWS Account ID... [{}]"
WRONG_ALGORITHM = {
    "Code": "InvalidEncryptionAlgorithmError",
    "Message": "The Encryption request you specified is not valid. Supported value: AES256.",
    "ArgumentName": SSE,
    "ArgumentValue": "KMS",
}
RULE = {"Redirect": {"ReplaceKeyWith": "a"}}

REFUSALS: dict[str, tuple[Call, int, dict[str, Any]]] = {
    **{
        f"a digest that is none: {text}": (put(ContentMD5=text), 400, bad_md5(text))
        for text in ("__invalid__", "000", "not base64 encoded checksum", "MTIz", "dGVzdC1zdHJpbmc=")
    },
    "the digest of something else": (
        put(ContentMD5=OTHER_MD5), 400,
        {"Code": "BadDigest", "Message": "The Content-MD5 you specified did not match what we received.",
         "ExpectedDigest": base64.b64decode(OTHER_MD5).hex(), "CalculatedDigest": OWN_MD5},
    ),
    "the digest of another part": (
        part({}, ContentMD5=OTHER_MD5), 400,
        {"Code": "BadDigest", "Message": "The Content-MD5 you specified did not match what we received.",
         "ExpectedDigest": OTHER_MD5,
         "CalculatedDigest": base64.b64encode(hashlib.md5(b"abc", usedforsecurity=False).digest()).decode()},
    ),
    "another checksum": (
        put(ChecksumCRC32="AAAAAA=="), 400,
        {"Code": "BadDigest", "Message": "The CRC32 you specified did not match the calculated checksum."},
    ),
    "two checksums": (
        put(ChecksumCRC32="AAAAAA==", ChecksumSHA1="AAAAAA=="), 400,
        invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."),
    ),
    "a bucket in us-east-1 by name": (
        lambda s3: s3.create_bucket(Bucket="another", CreateBucketConfiguration={"LocationConstraint": "us-east-1"}),
        400,
        {"Code": "InvalidLocationConstraint", "Message": "The specified location-constraint is not valid",
         "LocationConstraint": "us-east-1"},
    ),
    "buckets of a region that there is not": (
        lambda s3: s3.list_buckets(BucketRegion="us-west-22"), 400,
        argument("bucket-region", "us-west-22", "Argument value us-west-22 is not a valid AWS Region"),
    ),
    **{
        f"an owner that is not an account: {text}": (
            policy_of(text), 400,
            {"Code": "InvalidBucketOwnerAWSAccountID", "Message": UNSIGNED_OWNER.format(text)},
        )
        for text in ("0000", "0000000000020", "abcd", "aa000000000$")
    },
    "a canned list of an object that there is not": (
        acl(ACL="fake-acl"), 400, argument("x-amz-acl", "fake-acl", None)
    ),
    "a grant to a group that there is not": (
        acl(GrantRead=f"uri={FAKE}"), 400, argument("uri", FAKE, "Invalid group uri")
    ),
    "a grant in another form": (
        acl(GrantWrite='fakekey="1234"'), 400,
        argument("x-amz-grant-write", 'fakekey="1234"', "Argument format not recognized"),
    ),
    "a grant to somebody who is not": (acl(GrantWrite="id=wrong-id"), 400, argument("id", "wrong-id", "Invalid id")),
    "a list without an owner": (acl(**owned(PERSON, owner=False)), 400, NO_ACL),
    "a list with a grant to somebody who is not": (
        acl(**owned(PERSON)), 400, argument("CanonicalUser/ID", "wrong-id", "Invalid id")
    ),
    "a list with a grant to a group that there is not": (
        acl(**owned(GROUP)), 400, argument("Group/URI", FAKE, "Invalid group uri")
    ),
    "a list of another owner": (
        acl(AccessControlPolicy={"Owner": {"ID": "wrong-id"}, "Grants": []}), 400,
        argument("CanonicalUser/ID", "wrong-id", "Invalid id"),
    ),
    "an empty list": (acl(AccessControlPolicy={}), 400, NO_ACL),
    "no list at all": (
        acl(), 400,
        {"Code": "MissingSecurityHeader", "Message": "Your request was missing a required header",
         "MissingHeaderName": "x-amz-acl"},
    ),
    "no list at all of a bucket": (
        bucket_acl(), 400,
        {"Code": "MissingSecurityHeader", "Message": "Your request was missing a required header",
         "MissingHeaderName": "x-amz-acl"},
    ),
    "a canned list and a list": (
        acl(ACL="private", **owned()), 400,
        {"Code": "UnexpectedContent", "Message": "This request does not support content"},
    ),
    "a website's index with a slash": (
        website(IndexDocument={"Suffix": "/index.html"}), 400,
        argument("IndexDocument", "/index.html", "The IndexDocument Suffix is not well formed"),
    ),
    "a website's index without a name": (
        website(IndexDocument={"Suffix": ""}), 400,
        argument("IndexDocument", None, "The IndexDocument Suffix is not well formed") | {"ArgumentValue": None},
    ),
    "a website that redirects all and some": (
        website(RedirectAllRequestsTo={"HostName": "a"}, RoutingRules=[RULE]), 400,
        argument("RedirectAllRequestsTo", "not null",
                 "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."),
    ),
    "a website without an index": (
        website(RoutingRules=[RULE]), 400,
        argument("IndexDocument", "null",
                 "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"),
    ),
    "a website with another protocol": (
        website(RedirectAllRequestsTo={"HostName": "a", "Protocol": "protocol"}), 400,
        invalid("Invalid protocol, protocol can be http or https. If not defined the protocol will be selected "
                "automatically."),
    ),
    "a website that replaces a key and a prefix": (
        website(IndexDocument={"Suffix": "i"},
                RoutingRules=[{"Redirect": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}]), 400,
        invalid("You can only define ReplaceKeyPrefix or ReplaceKey but not both."),
    ),
    "a website with an empty condition": (
        website(IndexDocument={"Suffix": "i"}, RoutingRules=[{"Condition": {}, **RULE}]), 400,
        invalid("Condition cannot be empty. To redirect all requests without a condition, the condition element "
                "shouldn't be present."),
    ),
    "replication without versions": (
        replication(BUCKET, VERSIONED), 400,
        invalid("Versioning must be 'Enabled' on the bucket to apply a replication configuration"),
    ),
    "replication to a bucket without versions": (
        replication(VERSIONED, BUCKET), 400, invalid("Destination bucket must have versioning enabled.")
    ),
    "replication to a bucket that there is not": (
        replication(VERSIONED, "nowhere"), 400, invalid("Destination bucket must have versioning enabled.")
    ),
    "replication without rules": (replication(VERSIONED, VERSIONED, rules=False), 400, XML),
    "a rule without a filter": (lifecycle(Expiration={"Days": 7}), 400, XML),
    "a rule with a filter and more than one thing in it": (
        lifecycle(Expiration={"Days": 7}, Filter={"Prefix": "a", "ObjectSizeGreaterThan": 500}), 400, XML
    ),
    "a rule that ends at noon": (
        lifecycle(Filter={}, Expiration={"Date": datetime(2099, 1, 1, 12, tzinfo=UTC)}), 400,
        argument("Date", "2099-01-01T12:00:00.000Z", "'Date' must be at midnight GMT"),
    ),
    "a rule with a tag twice": (
        lifecycle(Expiration={"Days": 7},
                  Filter={"And": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}}), 400,
        invalid("Duplicate Tag Keys are not allowed."),
    ),
    "a rule for delete markers and days": (
        lifecycle(Filter={}, Expiration={"Days": 7, "ExpiredObjectDeleteMarker": True}), 400, XML
    ),
    "a lifecycle with another minimum": (
        lambda s3: s3.put_bucket_lifecycle_configuration(
            Bucket=BUCKET, TransitionDefaultMinimumObjectSize="value",
            LifecycleConfiguration={"Rules": [
                {"Status": "Enabled", "ID": "r", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}}]},
        ), 400, invalid("Invalid TransitionDefaultMinimumObjectSize found: value"),
    ),
    "an inventory of another id": (
        inventory(Id="two"), 400,
        {"Code": "IdMismatch", "Message": "Document ID does not match the specified configuration ID."},
    ),
    "an inventory for no bucket": (
        inventory(Destination={"S3BucketDestination": {"Bucket": "bucket", "Format": "CSV"}}), 400,
        {"Code": "InvalidS3DestinationBucket", "Message": "Invalid bucket ARN."},
    ),
    "an inventory in another form": (
        inventory(Destination={"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{BUCKET}", "Format": "X"}}), 400, XML
    ),
    "a retention in the past": (
        retention(Retention={"Mode": "GOVERNANCE", "RetainUntilDate": datetime(2020, 1, 1, tzinfo=UTC)},
                  BypassGovernanceRetention=True), 400,
        # AWS has the same moment in the time of the American west, "Tue Dec 31 16:00:00 PST 2019".
        argument("RetainUntilDate", "Wed Jan 01 00:00:00 UTC 2020", "The retain until date must be in the future!"),
    ),
    "half of a retention": (retention(Retention={"Mode": "GOVERNANCE"}), 400, XML),
    "a retention of another mode": (
        retention(Retention={"Mode": "BAD", "RetainUntilDate": LOCK_DATE}), 400, XML
    ),
    "a retention in a bucket without locks": (
        retention(Bucket=BUCKET, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": LOCK_DATE}), 400,
        invalid("Bucket is missing Object Lock Configuration"),
    ),
    "a retention that was never set": (
        lambda s3: s3.get_object_retention(Bucket=LOCKED, Key="object"), 404,
        {"Code": "NoSuchObjectLockConfiguration",
         "Message": "The specified object does not have a ObjectLock configuration"},
    ),
    "a hold that was never set": (
        lambda s3: s3.get_object_legal_hold(Bucket=LOCKED, Key="object"), 404,
        {"Code": "NoSuchObjectLockConfiguration",
         "Message": "The specified object does not have a ObjectLock configuration"},
    ),
    "an empty hold": (
        lambda s3: s3.put_object_legal_hold(Bucket=LOCKED, Key="object", LegalHold={}), 400, XML
    ),
    "a mode without a date": (
        put(ObjectLockMode="GOVERNANCE"), 400,
        {"Code": "InvalidArgument", "Message": BOTH, "ArgumentName": "x-amz-object-lock-retain-until-date"},
    ),
    "a date without a mode": (
        put(ObjectLockRetainUntilDate=LOCK_DATE), 400,
        {"Code": "InvalidArgument", "Message": BOTH, "ArgumentName": "x-amz-object-lock-mode"},
    ),
    "another mode": (
        put(ObjectLockMode="BAD-VALUE", ObjectLockRetainUntilDate=LOCK_DATE), 400,
        argument("x-amz-object-lock-mode", "BAD-VALUE", "Unknown wormMode directive."),
    ),
    "a list put to a delete marker": (
        lambda s3: s3.put_object_acl(Bucket=VERSIONED, Key="deleted", ACL="private"), 405,
        {"Code": "MethodNotAllowed", "Message": "The specified method is not allowed against this resource.",
         "Method": "PUT", "ResourceType": "DeleteMarker"},
    ),
    "a key of the client and another way": (
        customer(SSECustomerAlgorithm="AES256", SSECustomerKey=KEY, ServerSideEncryption="AES256"), 400,
        argument(SSE, "AES256", "Server Side Encryption with Customer provided key is incompatible with the encryption "
                 "method specified"),
    ),
    "a key of the client for another algorithm": (
        customer(SSECustomerAlgorithm="KMS", SSECustomerKey=KEY), 400, WRONG_ALGORITHM
    ),
    "a key of the client without an algorithm": (
        customer(SSECustomerKey=KEY), 400,
        argument(SSE, None, "Requests specifying Server Side Encryption with Customer provided keys must provide a "
                 "valid encryption algorithm."),
    ),
    "an algorithm without a key": (
        customer(SSECustomerAlgorithm="AES256", SSECustomerKeyMD5=OWN_MD5), 400,
        argument(SSE, None, "Requests specifying Server Side Encryption with Customer provided keys must provide an "
                 "appropriate secret key."),
    ),
    "a short key of the client": (
        customer(SSECustomerAlgorithm="AES256", SSECustomerKey="short"), 400, argument(SSE, None, SECRET)
    ),
    "a key of the client with another digest": (
        customer(SSECustomerAlgorithm="AES256", SSECustomerKey=base64.b64encode(KEY.encode()).decode(),
                 SSECustomerKeyMD5=OWN_MD5), 400,
        argument(SSE, None, "The calculated MD5 hash of the key did not match the hash that was provided."),
    ),
    "another key of the client": (
        lambda s3: s3.get_object(Bucket=BUCKET, Key="theirs", SSECustomerAlgorithm="AES256", SSECustomerKey="z" * 32),
        403,
        {"Code": "AccessDenied", "Message": "Requests specifying Server Side Encryption with Customer provided keys "
         "must provide the correct secret key."},
    ),
    "a part with a key of an upload without": (
        part({}, SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32), 400,
        invalid("The multipart upload initiate requested encryption. Subsequent part requests must include the "
                "appropriate encryption parameters."),
    ),
    "a part without a key of an upload with one": (
        part({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}), 400,
        invalid("The multipart upload initiate requested encryption. Subsequent part requests must include the "
                "appropriate encryption parameters."),
    ),
    "a part with another key": (
        part({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
             SSECustomerAlgorithm="AES256", SSECustomerKey="z" * 32), 400,
        invalid("The provided encryption parameters did not match the ones used originally."),
    ),
    "an upload with another checksum algorithm": (
        upload(ChecksumAlgorithm="TEST"), 400,
        invalid("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, "
                "CRC32C, CRC64NVME, SHA1, SHA256]"),
    ),
    "an upload with a type and no algorithm": (
        upload(ChecksumType="COMPOSITE"), 400,
        invalid("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."),
    ),
    "an upload's whole checksum that cannot be": (
        upload(ChecksumAlgorithm="SHA1", ChecksumType="FULL_OBJECT"), 400,
        invalid("The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm."),
    ),
    "a part with another checksum than the upload's": (
        part({"ChecksumAlgorithm": "SHA256"}, ChecksumAlgorithm="CRC32"), 400,
        invalid("Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32"),
    ),
    "a completion with another checksum of a part": (
        completed({"ChecksumAlgorithm": "CRC32"}, {"ChecksumAlgorithm": "CRC32"}, {"ChecksumSHA256": OWN_MD5}), 400,
        {"Code": "BadDigest", "Message": "The sha256 you specified for part 1 did not match what we received."},
    ),
    "a completion of another type": (
        completed({"ChecksumAlgorithm": "CRC32"}, {"ChecksumAlgorithm": "CRC32"}, {"ChecksumCRC32": "7YLNEQ=="},
                  ChecksumType="FULL_OBJECT"), 400,
        invalid("The upload was created using the COMPOSITE checksum mode. The complete request must use the same "
                "checksum mode."),
    ),
    "a completion of no type": (
        completed({}, {}, {}, ChecksumType="FULL_OBJECT"), 400,
        invalid("The upload was created using the null checksum mode. The complete request must use the same checksum "
                "mode."),
    ),
    "a completion without a part's checksum": (
        completed({"ChecksumAlgorithm": "CRC32"}, {"ChecksumAlgorithm": "CRC32"}, {}), 400,
        invalid("The upload was created using a crc32 checksum. The complete request must include the checksum for "
                "each part. It was missing for part 1 in the request."),
    ),
    "a completion of nothing": (
        lambda s3: s3.complete_multipart_upload(Bucket=BUCKET, Key="up", UploadId=upload()(s3)), 400,
        invalid("You must specify at least one part"),
    ),
    "a completion of another size": (
        completed({}, {}, {}, MpuObjectSize=5), 400,
        invalid("The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: 4"),
    ),
    "a log in another region": (
        lambda s3: s3.put_bucket_logging(
            Bucket=BUCKET,
            BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "elsewhere", "TargetPrefix": ""}},
        ), 403,
        {"Code": "CrossLocationLoggingProhibitted", "Message": "Cross S3 location logging not allowed. ",
         "TargetBucketLocation": "eu-west-1"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Client]:
    with serving(tmp_path_factory.mktemp("objects")) as server:
        client = server.client(parameter_validation=False)
        client.create_bucket(Bucket=BUCKET)
        client.create_bucket(Bucket=LOCKED, ObjectLockEnabledForBucket=True)
        client.create_bucket(Bucket=VERSIONED)
        client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
        server.client("eu-west-1").create_bucket(
            Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        client.put_object(Bucket=BUCKET, Key="object", Body=b"1")
        client.put_object(Bucket=LOCKED, Key="object", Body=b"1")
        client.put_object(Bucket=VERSIONED, Key="deleted", Body=b"1")
        client.delete_object(Bucket=VERSIONED, Key="deleted")
        client.put_object(
            Bucket=BUCKET, Key="theirs", Body=b"1", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32
        )
        OWNER["ID"] = client.list_buckets()["Owner"]["ID"]
        yield client
        client.close()


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_a_refusal_is_as_recorded_from_aws(s3: S3Client, name: str) -> None:
    call, status, expected = REFUSALS[name]
    with pytest.raises(ClientError) as caught:
        call(s3)
    answer = caught.value.response
    assert (dict(answer["Error"]), answer["ResponseMetadata"]["HTTPStatusCode"]) == (expected, status)


SIZE = 5 * 1024 * 1024
FULL, COMPOSITE = "FULL_OBJECT", "COMPOSITE"


@pytest.mark.parametrize(("kind", "count"), [(FULL, 1), (FULL, 2), (COMPOSITE, 1), (COMPOSITE, 2)])
def test_checksums_of_parts_are_shown_as_recorded_from_aws(s3: S3Client, kind: Any, count: int) -> None:
    begun = s3.create_multipart_upload(Bucket=BUCKET, Key="parts", ChecksumAlgorithm="CRC32", ChecksumType=kind)
    at: Any = {"Bucket": BUCKET, "Key": "parts", "UploadId": begun["UploadId"]}
    sent = [
        s3.upload_part(**at, PartNumber=number, Body=b"a" * (SIZE if number < count else 3), ChecksumAlgorithm="CRC32")
        for number in range(1, count + 1)
    ]
    named: Any = [
        {"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
        for number, part in enumerate(sent, 1)
    ]
    whole = s3.complete_multipart_upload(**at, MultipartUpload={"Parts": named})["ChecksumCRC32"]
    attributes = s3.get_object_attributes(Bucket=BUCKET, Key="parts", ObjectAttributes=["Checksum", "ObjectParts"])
    assert attributes["Checksum"] == {"ChecksumCRC32": whole.partition("-")[0], "ChecksumType": kind}
    shown = attributes["ObjectParts"].get("Parts", [])
    assert [one["ChecksumCRC32"] for one in shown] == [one["ChecksumCRC32"] for one in sent if kind == COMPOSITE]
    part = s3.head_object(Bucket=BUCKET, Key="parts", PartNumber=1, ChecksumMode="ENABLED")
    expected = sent[0]["ChecksumCRC32"] if kind == COMPOSITE or count == 1 else None
    assert (part.get("ChecksumCRC32"), part.get("ChecksumType")) == (expected, expected and kind)
