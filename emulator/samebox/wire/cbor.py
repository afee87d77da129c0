"""Smithy's RPC v2 over CBOR, which new CloudWatch clients speak first: told so far, politely, that we do not.

The route, the operation and this place are ready for a codec; until then `decode` refuses and only errors are written.
"""

from typing import Any

from samebox.errors import AwsError, NotImplementedByEmulator
from samebox.wire.error_shapes import error_shape
from samebox.wire.http import Request, Response
from samebox.wire.models import Operation, Service


def decode(operation: Operation, request: Request) -> dict[str, Any]:  # noqa: ARG001 - one signature for all codecs
    raise NotImplementedByEmulator(operation.service, f"{operation.name} over CBOR (smithy-rpc-v2-cbor)")


def encode(service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:  # noqa: ARG001
    raise NotImplementedByEmulator(operation.service, f"{operation.name} over CBOR (smithy-rpc-v2-cbor)")


def encode_error(service: Service | None, operation: Operation | None, error: AwsError, request_id: str) -> Response:
    found = error_shape(service, operation, error)
    headers = {
        "x-amzn-RequestId": request_id,
        "smithy-protocol": "rpc-v2-cbor",
        "Content-Type": "application/cbor",
    }
    return Response(found.status, headers, _map({"__type": found.code, found.message_member: found.message}))


def _map(items: dict[str, str]) -> bytes:
    return _head(5, len(items)) + b"".join(_text(key) + _text(value) for key, value in items.items())


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return _head(3, len(raw)) + raw


def _head(major: int, size: int) -> bytes:
    """A CBOR item's first bytes (RFC 8949 §3): its major type, and its size in as few bytes as it needs."""
    if size < 24:
        return bytes([major << 5 | size])
    for extra, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if size < 1 << 8 * width:
            return bytes([major << 5 | extra]) + size.to_bytes(width, "big")
    raise OverflowError(size)
