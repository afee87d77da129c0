"""Smithy's RPC v2 over CBOR: POST /service/{target}/operation/{name}, and a CBOR map of members both ways.

Clients of CloudWatch speak it first.
"""

from typing import Any

from samebox.errors import AwsError
from samebox.wire import cbor_items
from samebox.wire.cbor_items import Timestamp
from samebox.wire.error_shapes import error_shape
from samebox.wire.http import Request, Response
from samebox.wire.models import Operation, Service
from samebox.wire.schema import Shape
from samebox.wire.shapes import accept


def decode(operation: Operation, request: Request) -> dict[str, Any]:
    if operation.input is None or not request.body:
        return {}
    params: dict[str, Any] = accept(operation.input, _plain(cbor_items.load(request.body)))
    return params


def encode(service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:  # noqa: ARG001 - one signature for all codecs
    shape = operation.output
    body = b"" if shape is None else cbor_items.dump(_of(shape, result))
    return Response(200, _headers(request_id), body)


def encode_error(service: Service | None, operation: Operation | None, error: AwsError, request_id: str) -> Response:
    found = error_shape(service, operation, error)
    headers = _headers(request_id)
    if service is not None and service.is_query_compatible:
        code = found.shape.error_code if found.shape is not None else found.code
        headers["x-amzn-query-error"] = f"{code};{'Receiver' if found.is_server_fault else 'Sender'}"
    members = {**found.members, found.message_member: found.message}
    if found.shape is not None:
        members = {**members, **_of(found.shape, members)}
    return Response(found.status, headers, cbor_items.dump({"__type": found.code, **members}))


def _headers(request_id: str) -> dict[str, str]:
    return {"x-amzn-RequestId": request_id, "smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}


def _plain(value: Any) -> Any:
    """Times as the plain numbers that the emulator works with."""
    if isinstance(value, Timestamp):
        return float(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def _of(shape: Shape, value: Any) -> Any:
    """A value of the shape as what CBOR writes: the model says what is a time and what has a fraction."""
    match shape.type:
        case "structure":
            members = shape.members
            return {
                name: _of(members[name].shape, item)
                for name, item in value.items()
                if name in members and item is not None
            }
        case "list":
            return [None if item is None else _of(shape.element.shape, item) for item in value]
        case "map":
            return {key: _of(shape.value.shape, item) for key, item in value.items()}
        case "timestamp":
            return Timestamp(value)
        case "float" | "double":
            return float(value)
        case _:
            return value
