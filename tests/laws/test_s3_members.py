"""The tables of S3's members: complete, and as the code is that reads them."""

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

import samebox.services.s3
from samebox.services.members.row import Treatment
from samebox.services.members.s3 import MEMBERS
from samebox.services.s3.operations import OPERATIONS
from samebox.services.s3.settings import ONLY_KEPT
from samebox.wire.models import Models
from tests.laws.members import faults
from tests.s3_server import serving

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

S3 = Models(("s3",)).service("s3")
ROOM = Path(samebox.services.s3.__file__).parent
# Members that are read by a part of their name: `Checksum…`, and `CopySourceIf…` by the prefix; and by the storage.
_COMPOSED = ("Checksum", "CopySourceIf", "Response", "SourceIf", "Body", "ContentLength", "ContentMD5", "Expires")


def test_each_operation_that_is_more_than_kept_has_a_table() -> None:
    assert set(MEMBERS) == set(OPERATIONS) - ONLY_KEPT


@pytest.mark.parametrize("operation", sorted(MEMBERS))
def test_each_member_of_the_model_has_one_row_and_no_other_has(operation: str) -> None:
    assert faults(MEMBERS[operation], S3.operations[operation].input) == []


def test_a_member_that_is_acted_on_is_read_by_name() -> None:
    read = {
        node.value
        for path in ROOM.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    acted_on = {
        row.path.partition(".")[0]
        for table in MEMBERS.values()
        for row in table
        if row.treatment is Treatment.ACTED_ON and not row.path.startswith(_COMPOSED)
    }
    assert sorted(acted_on - read) == []


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> "Any":
    with serving(tmp_path_factory.mktemp("objects")) as server:
        client = server.client()
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="k", Body=b"1")
        yield client
        client.close()


@pytest.mark.parametrize(
    ("operation", "member", "params"),
    [
        ("put_object", "WriteOffsetBytes=1", {"WriteOffsetBytes": 1}),
        ("put_object", "ObjectLockEventHold", {"ObjectLockEventHold": "ON"}),
        ("create_multipart_upload", "ChecksumAlgorithm=SHA512", {"ChecksumAlgorithm": "SHA512"}),
        ("rename_object", "DestinationIfModifiedSince", {"RenameSource": "k", "DestinationIfModifiedSince": 1}),
        ("restore_object", "RestoreRequest.Type=SELECT", {"RestoreRequest": {"Type": "SELECT"}}),
    ],
)
def test_a_member_that_is_refused_is_named(s3: "S3Client", operation: str, member: str, params: Any) -> None:
    with pytest.raises(ClientError, match=f"with {member}") as refused:
        getattr(s3, operation)(Bucket="bucket", Key="k", **params)
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
