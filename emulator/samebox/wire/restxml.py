"""rest-xml, as S3 speaks it: members in the URI, the query and headers; a body of XML, of text, or of streamed bytes.

A streamed body is not a part of what is read or written here: `decode` leaves its member out, `encode` writes the head
alone. The path of a request is in path style: `/bucket/key`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from samebox.errors import AwsError
from samebox.wire import rest, xmltext
from samebox.wire.error_shapes import error_shape
from samebox.wire.http import Request, Response
from samebox.wire.models import Operation, Service
from samebox.wire.schema import Shape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

# The root element of a response whose members are the document, where it is not called as the output's shape is. The
# model does not have these names; they are those of the examples in S3's API reference.
_ROOTS: Mapping[str, str] = MappingProxyType(
    {
        "CompleteMultipartUpload": "CompleteMultipartUploadResult",
        "CreateMultipartUpload": "InitiateMultipartUploadResult",
        "CreateSession": "CreateSessionResult",
        "DeleteObjects": "DeleteResult",
        "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
        "GetBucketAcl": "AccessControlPolicy",
        "GetBucketCors": "CORSConfiguration",
        "GetBucketLifecycle": "LifecycleConfiguration",
        "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
        "GetBucketLogging": "BucketLoggingStatus",
        "GetBucketNotification": "NotificationConfiguration",
        "GetBucketNotificationConfiguration": "NotificationConfiguration",
        "GetBucketRequestPayment": "RequestPaymentConfiguration",
        "GetBucketTagging": "Tagging",
        "GetBucketVersioning": "VersioningConfiguration",
        "GetBucketWebsite": "WebsiteConfiguration",
        "GetObjectAcl": "AccessControlPolicy",
        "GetObjectAttributes": "GetObjectAttributesResponse",
        "GetObjectTagging": "Tagging",
        "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
        "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
        "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
        "ListBuckets": "ListAllMyBucketsResult",
        "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
        "ListMultipartUploads": "ListMultipartUploadsResult",
        "ListObjectVersions": "ListVersionsResult",
        "ListObjects": "ListBucketResult",
        "ListObjectsV2": "ListBucketResult",
        "ListParts": "ListPartsResult",
    }
)
# S3 has names of its own for what the other services agree on.
_CODES = {
    "AccessDeniedException": "AccessDenied",
    "MissingAuthenticationTokenException": "AccessDenied",
    "IncompleteSignatureException": "AuthorizationHeaderMalformed",
    "InternalFailure": "InternalError",
    "SerializationException": "MalformedXML",
    "ValidationException": "InvalidRequest",
}
MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


def malformed_xml() -> AwsError:
    """What S3 answers to a body that is not the document it expects."""
    return AwsError("MalformedXML", MALFORMED)


def decode(operation: Operation, request: Request) -> dict[str, Any]:
    shape = operation.input
    if shape is None:
        return {}
    params = rest.located(operation, request)
    payload = shape.payload
    if payload is None:
        root = operation.traits["input"].get("locationName")  # of a body that the other members are
        return {**params, **read_document(shape, root, request.body)} if root else params
    if payload.is_streamed:
        return params
    if payload.shape.type == "string":
        try:
            params[payload.name] = request.body.decode("utf-8")
        except UnicodeDecodeError:
            raise malformed_xml() from None
    elif request.body.strip():
        params[payload.name] = read_document(payload.shape, payload.wire_name, request.body)
    return params


def read_document(shape: Shape, root: str, body: bytes) -> dict[str, Any]:
    """The members that the document `body` has. Raises MalformedXML, SerializationException."""
    try:
        element = xmltext.read(body)
    except xmltext.MalformedXml:
        raise malformed_xml() from None
    if element.name != root:
        raise malformed_xml()
    return xmltext.structure(shape, element)


def encode(service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:  # noqa: ARG001
    # S3 gives back what was put, and SDKs put UTF-8.
    head = rest.head(operation, result, only_ascii=False)
    headers = {"x-amz-request-id": request_id, **head.headers}
    document = _document(operation, result)
    if document:
        headers.setdefault("Content-Type", "application/xml")
    return Response(head.status, headers, document)


def _document(operation: Operation, result: dict[str, Any]) -> bytes:
    shape = operation.output
    if shape is None:
        return b""
    out: list[str] = []
    payload = shape.payload
    if payload is not None:
        value = result.get(payload.name)
        if value is None or payload.is_streamed:
            return b""
        if payload.shape.type == "string":
            return str(value).encode()
        root = payload.wire_name
        xmltext.write_members(payload.shape, value, out)
    elif operation.name == "GetBucketLocation":
        # The one document that is its only member: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
        root = "LocationConstraint"
        out.append(xmltext.text_of(result.get("LocationConstraint") or ""))
    elif shape.xml_members:
        root = _ROOTS.get(operation.name, shape.name)
        xmltext.write_members(shape, result, out)
    else:
        return b""
    return f'{_DECLARATION}<{root} xmlns="{NAMESPACE}">{"".join(out)}</{root}>'.encode()


def encode_error(service: Service | None, operation: Operation | None, error: AwsError, request_id: str) -> Response:
    found = error_shape(service, operation, error)
    code = _CODES.get(found.code, found.code)
    headers = {"x-amz-request-id": request_id}
    if found.status in (204, 304):
        return Response(found.status, headers, b"")
    fields = "".join(f"<{name}>{xmltext.text_of(str(value))}</{name}>" for name, value in error.fields.items())
    body = (
        f"{_DECLARATION}<Error><Code>{xmltext.text_of(code)}</Code><Message>{xmltext.text_of(found.message)}</Message>"
        f"{fields}<RequestId>{request_id}</RequestId><HostId>{request_id}</HostId></Error>"
    )
    return Response(found.status, {**headers, "Content-Type": "application/xml"}, body.encode())
