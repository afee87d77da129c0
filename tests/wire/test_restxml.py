"""S3's documents: what we write botocore reads, and what is not a document is refused."""

from typing import Any

import botocore.awsrequest
import botocore.parsers
import botocore.session
import pytest

from samebox.errors import AwsError
from samebox.wire import restxml, xmltext
from samebox.wire.http import Request
from samebox.wire.models import Models
from tests.wire.generate import value_of

S3 = Models(("s3",)).service("s3")
# Documents that botocore's parser does not read as its model says: the first is its only member (a handler of boto3's
# reads it), the second is of an operation that has another name today, with one element for two members.
DIFFERENT = {"GetBucketLocation", "GetBucketNotification"}
# Roots of documents as S3's API reference shows them.
EMPTY = {
    "CreateMultipartUpload": b"InitiateMultipartUploadResult",
    "ListObjectsV2": b"ListBucketResult",
    "ListBuckets": b"ListAllMyBucketsResult",
    "GetObjectTagging": b"Tagging",
    "DeleteObjects": b"DeleteResult",
}


def without_empty(value: Any) -> Any:
    """An absent element, an empty one, and a list without items are one in XML."""
    if isinstance(value, dict):
        kept = {name: without_empty(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in ({}, [], "")}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def as_epoch(value: Any) -> Any:
    """botocore's values as ours: a datetime is epoch seconds."""
    if isinstance(value, dict):
        return {name: as_epoch(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_epoch(item) for item in value]
    return value.timestamp() if hasattr(value, "timestamp") else value


@pytest.mark.parametrize("full", [True, False], ids=["every-member", "required-members"])
def test_what_we_encode_botocore_parses(full: bool) -> None:
    model = botocore.session.get_session().get_service_model("s3")
    parser = botocore.parsers.create_parser("rest-xml")
    wrong: dict[str, Any] = {}
    for operation in S3.operations.values():
        if operation.name in DIFFERENT:
            continue
        output = operation.output
        payload = output.payload if output is not None else None
        if output is None or (payload is not None and (payload.is_streamed or payload.shape.is_event_stream)):
            continue
        result = value_of(output, full)
        response = restxml.encode(S3, operation, result, "the-request")
        theirs = parser.parse(
            {
                "status_code": response.status,
                "headers": botocore.awsrequest.HeadersDict(response.headers),
                "body": response.body,
            },
            model.operation_model(operation.name).output_shape,  # type: ignore[arg-type]  # None is taken, too
        )
        theirs.pop("ResponseMetadata")
        if without_empty(as_epoch(theirs)) != without_empty(result):
            wrong[operation.name] = (theirs, result, response.body)
    assert wrong == {}


@pytest.mark.parametrize(("name", "root"), EMPTY.items())
def test_the_root_has_s3s_name_and_namespace(name: str, root: bytes) -> None:
    body = restxml.encode(S3, S3.operations[name], {}, "the-request").body

    assert body.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<' + root + b' xmlns="http://s3.amazonaws.com/doc/'
    )


def test_the_location_of_a_bucket_in_us_east_1_is_empty() -> None:
    body = restxml.encode(S3, S3.operations["GetBucketLocation"], {}, "the-request").body

    assert body.endswith(b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>')


def test_an_error_has_its_fields_and_no_namespace() -> None:
    error = AwsError("NoSuchKey", "The specified key does not exist.", 404, {"Key": "a<b"})

    response = restxml.encode_error(S3, S3.operations["GetObject"], error, "the-request")

    assert response.status == 404
    assert response.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        b"<Message>The specified key does not exist.</Message><Key>a&lt;b</Key>"
        b"<RequestId>the-request</RequestId><HostId>the-request</HostId></Error>"
    )


def test_not_modified_has_no_body() -> None:
    response = restxml.encode_error(S3, None, AwsError("NotModified", "Not Modified", 304), "the-request")

    assert (response.status, response.body) == (304, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete><Object>",
        b"not xml",
        b"\xff\xfe",
        b"<Other/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Delete><Object><Key>&b;</Key></Object></Delete>',
        b"<Delete>" + b"<a>" * 100 + b"</a>" * 100 + b"</Delete>",
    ],
)
def test_what_is_no_such_document_is_malformed(body: bytes) -> None:
    with pytest.raises(AwsError, match="not well-formed") as refused:
        restxml.decode(S3.operations["DeleteObjects"], Request("POST", "/b", "delete", body=body))

    assert refused.value.code == "MalformedXML"


def test_a_wrong_namespace_or_none_does_not_matter() -> None:
    for opening in ("<Delete>", '<Delete xmlns="urn:x">', '<a:Delete xmlns:a="urn:x">'):
        prefix = "a:" if "a:" in opening else ""
        inner = f"<{prefix}Object><{prefix}Key>k</{prefix}Key></{prefix}Object></{prefix}Delete>"
        params = restxml.decode(
            S3.operations["DeleteObjects"], Request("POST", "/b", "delete", body=(opening + inner).encode())
        )
        assert params["Delete"] == {"Objects": [{"Key": "k"}]}


def test_blanks_in_a_key_are_kept() -> None:
    root = xmltext.read(b"<Key>  a\xe2\x80\x8bb&#xD; </Key>")

    assert root.text == "  a\u200bb\r "
