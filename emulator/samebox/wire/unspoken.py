"""Services of AWS that are not spoken here: which protocol a request to one is in, for its refusal."""

from typing import Any, Literal

from samebox.errors import AwsError
from samebox.wire import cbor, json11, query, restjson
from samebox.wire.http import Request, Response
from samebox.wire.xmltext import text_of

UnspokenProtocol = Literal["json", "cbor", "query", "ec2", "rest-xml", "rest-json"]

# Signing names of the services whose errors are XML, of those with paths of their own; S3's are spoken.
REST_XML = frozenset({"cloudfront", "route53"})
_FORM = "application/x-www-form-urlencoded"


def protocol_of(service: str, head: Request) -> UnspokenProtocol:
    """The protocol of a request to the service of a signing name, by its head."""
    if "x-amz-target" in head.headers:
        return "json"
    if head.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if head.content_type == _FORM or "Action" in head.query:
        return "ec2" if service == "ec2" else "query"
    return "rest-xml" if service in REST_XML else "rest-json"


def authorization_protocol(service: str, head: Request) -> Literal["json", "cbor", "query", "rest-json"]:
    """The protocol that a signature is refused in."""
    protocol = protocol_of(service, head)
    return protocol if protocol in ("json", "cbor", "query") else "rest-json"


def encode_error(service: str, head: Request, error: AwsError, request_id: str) -> Response:
    """An error that a client of the service can read."""
    protocol = protocol_of(service, head)
    if protocol == "ec2":
        return _ec2(error, request_id)
    # rest-xml's errors, but for S3's, have the form of query's.
    codecs: dict[str, Any] = {"json": json11, "cbor": cbor, "rest-json": restjson}
    response: Response = codecs.get(protocol, query).encode_error(None, None, error, request_id)
    return response


def _ec2(error: AwsError, request_id: str) -> Response:
    inner = f"<Error><Code>{text_of(error.code)}</Code><Message>{text_of(error.message)}</Message></Error>"
    body = f"<Response><Errors>{inner}</Errors><RequestID>{request_id}</RequestID></Response>"
    return Response(error.status, {"x-amzn-RequestId": request_id, "Content-Type": "text/xml"}, body.encode())
