"""The operation of an S3 request, with botocore's serializer as the oracle, and the requests that it never makes."""

from typing import Any

import botocore.awsrequest
import botocore.serialize
import botocore.session
import pytest

from samebox.wire import restxml, s3_address
from samebox.wire.http import Request
from samebox.wire.models import Models
from samebox.wire.s3_operations import S3Operations
from tests.laws.test_wire_protocols import as_request
from tests.wire.generate import as_botocore, value_of

S3 = Models(("s3",)).service("s3")
OPERATIONS = S3Operations(S3)
OLD_NAMES = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
    "ListDirectoryBuckets": "ListBuckets",
}


def found(method: str, path: str, query: str = "", **headers: str) -> str | None:
    operation = OPERATIONS.find(Request(method, path, query, headers))
    return None if operation is None else operation.name


def without_empty_lists(params: Any) -> Any:
    """Neither a flattened list nor a header can say that a list is there and empty."""
    if isinstance(params, dict):
        return {name: without_empty_lists(item) for name, item in params.items() if item != []}
    return [without_empty_lists(item) for item in params] if isinstance(params, list) else params


@pytest.mark.parametrize("full", [True, False], ids=["every-member", "required-members"])
def test_what_botocore_serialises_is_found_and_parsed(full: bool) -> None:
    model = botocore.session.get_session().get_service_model("s3")
    serializer = botocore.serialize.create_serializer("rest-xml", include_validation=False)
    wrong: dict[str, Any] = {}
    for operation in S3.operations.values():
        if operation.name == "WriteGetObjectResponse":  # asked at a host of its own, of Object Lambda
            continue
        params = {} if operation.input is None else value_of(operation.input, full)
        theirs = {} if operation.input is None else as_botocore(operation.input, params)
        raw = serializer.serialize_to_request(theirs, model.operation_model(operation.name))
        botocore.awsrequest.prepare_request_dict(raw, "http://localhost:4566", context={})
        request = as_request(botocore.awsrequest.create_request_object(raw).prepare(), S3)
        meant = OPERATIONS.find(request)
        name = OLD_NAMES.get(operation.name, operation.name)
        if meant is None or meant.name != name:
            wrong[operation.name] = meant
        if operation.name in OLD_NAMES:
            continue
        payload = operation.input.payload if operation.input is not None else None
        parsed = without_empty_lists(restxml.decode(operation, request))
        if payload is not None and payload.is_streamed:
            params.pop(payload.name, None)
            parsed = {name: item for name, item in parsed.items() if name in params or name != "ContentLength"}
        if parsed != without_empty_lists(params):
            wrong[operation.name] = (parsed, params)
    assert wrong == {}


def test_what_distinguishes_operations_of_one_path() -> None:
    assert found("PUT", "/b/k") == "PutObject"
    assert found("PUT", "/b/k", **{"x-amz-copy-source": "b/other"}) == "CopyObject"
    assert found("PUT", "/b/k", "partNumber=1&uploadId=u") == "UploadPart"
    assert found("PUT", "/b/k", "partNumber=1&uploadId=u", **{"x-amz-copy-source": "b/other"}) == "UploadPartCopy"
    assert found("GET", "/b/k", "partNumber=1") == "GetObject"
    assert found("GET", "/b/k", "uploadId=u") == "ListParts"
    assert found("GET", "/b", "list-type=2&prefix=a") == "ListObjectsV2"
    assert found("GET", "/b", "list-type=1") == "ListObjects"
    assert found("GET", "/b", "analytics&id=1") == "GetBucketAnalyticsConfiguration"
    assert found("GET", "/b", "analytics") == "ListBucketAnalyticsConfigurations"
    assert found("GET", "/b/k", "versionId=v&tagging") == "GetObjectTagging"


def test_a_field_that_s3_does_not_know_is_ignored() -> None:
    assert found("GET", "/b/k", "x-id=GetObject") == "GetObject"
    assert found("DELETE", "/b", "cache=no") == "DeleteBucket"


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("DELETE", "/b", "analytics"),
        ("DELETE", "/b", "acl"),
        ("DELETE", "/b/k", "acl"),
        ("DELETE", "/b/k", "partNumber=1"),
        ("PUT", "/b/k", "uploadId=u"),
        ("POST", "/b", ""),
        ("PATCH", "/b/k", ""),
    ],
)
def test_a_subresource_is_never_ignored(method: str, path: str, query: str) -> None:
    assert found(method, path, query) is None


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("s3.amazonaws.com", ""),
        ("s3.eu-west-1.amazonaws.com", ""),
        ("s3-eu-west-1.amazonaws.com", ""),
        ("s3.dualstack.us-gov-west-1.amazonaws.com", ""),
        ("models.s3.amazonaws.com", "models"),
        ("models.of.s3.ap-northeast-2.amazonaws.com", "models.of"),
        ("models.s3.cn-north-1.amazonaws.com.cn", "models"),
        ("models.s3-accelerate.amazonaws.com", "models"),
        ("models.s3-accelerate.dualstack.amazonaws.com", "models"),
        ("models.s3.localhost", "models"),
        ("models.localhost", "models"),
        ("localhost", ""),
        ("127.0.0.1", ""),
        ("api.sagemaker.us-east-1.amazonaws.com", ""),
    ],
)
def test_a_host_names_a_bucket(host: str, bucket: str) -> None:
    assert s3_address.bucket_in(host) == bucket


@pytest.mark.parametrize(
    ("host", "path", "styled"),
    [
        ("models.localhost:4566", "/a/b", "/models/a/b"),
        ("models.localhost:4566", "/", "/models"),
        ("localhost:4566", "/models/", "/models"),
        ("localhost:4566", "/models/a/", "/models/a/"),
        ("localhost:4566", "/models//a", "/models//a"),
        ("models.localhost", "//a", "/models//a"),
        ("localhost:4566", "/", "/"),
    ],
)
def test_path_style(host: str, path: str, styled: str) -> None:
    assert s3_address.path_style(Request("GET", path, headers={"host": host})).path == styled
