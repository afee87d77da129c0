"""S3's errors, for a request that is refused before it reaches whoever speaks S3."""

from typing import Any
from xml.sax.saxutils import escape

from samebox.errors import AwsError
from samebox.wire.http import Request, Response
from samebox.wire.models import Operation, Service

# S3 has names of its own for what the other services agree on.
_CODES = {
    "AccessDeniedException": "AccessDenied",
    "MissingAuthenticationTokenException": "AccessDenied",
    "IncompleteSignatureException": "AuthorizationHeaderMalformed",
    "InternalFailure": "InternalError",
}


def decode(operation: Operation, request: Request) -> dict[str, Any]:
    raise NotImplementedError(f"{operation.name} {request.path}: S3 is not spoken through the gateway")


def encode(service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:
    raise NotImplementedError(f"{service.name} {operation.name} {request_id}: S3 is not spoken through the gateway")


def encode_error(
    service: Service | None,  # noqa: ARG001 - one signature for all codecs
    operation: Operation | None,  # noqa: ARG001
    error: AwsError,
    request_id: str,
) -> Response:
    code = _CODES.get(error.code, error.code)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(error.message)}</Message>"
        f"<RequestId>{request_id}</RequestId></Error>"
    )
    return Response(error.status, {"x-amz-request-id": request_id, "Content-Type": "application/xml"}, body.encode())
