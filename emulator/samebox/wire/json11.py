"""AWS JSON 1.1 and 1.0: POST / with the operation's name in X-Amz-Target, and JSON both ways."""

from typing import Any

from samebox.errors import AwsError
from samebox.wire import jsonbody
from samebox.wire.error_shapes import ErrorShape, error_shape
from samebox.wire.http import Request, Response
from samebox.wire.models import Operation, Service
from samebox.wire.shapes import parse, to_json


def decode(operation: Operation, request: Request) -> dict[str, Any]:
    document = jsonbody.load(request.body)
    if operation.input is None:
        return {}
    params: dict[str, Any] = parse(operation.input, document)
    return params


def encode(service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:
    # An operation without an output answers an empty body, not {}.
    body = b"" if operation.output is None else jsonbody.dump(to_json(operation.output, result))
    return Response(200, _headers(service, request_id), body)


def encode_error(service: Service | None, operation: Operation | None, error: AwsError, request_id: str) -> Response:
    found = error_shape(service, operation, error)
    headers = _headers(service, request_id)
    if service is not None and service.is_query_compatible:
        code = found.shape.error_code if found.shape is not None else found.code
        headers["x-amzn-query-error"] = f"{code};{'Receiver' if found.is_server_fault else 'Sender'}"
    return Response(found.status, headers, jsonbody.dump({"__type": found.code, **error_members(found)}))


def error_members(found: ErrorShape) -> dict[str, Any]:
    """The body of an error: its modelled members, the service's members beyond the model, and the message."""
    members = dict(found.members)
    if found.shape is None:
        return {**members, found.message_member: found.message}
    members[found.message_member] = found.message
    known = to_json(found.shape, members)
    beyond = {name: value for name, value in members.items() if name not in found.shape.members}
    return {**known, **beyond}


def _headers(service: Service | None, request_id: str) -> dict[str, str]:
    version = "1.1" if service is None else service.json_version
    return {"x-amzn-RequestId": request_id, "Content-Type": f"application/x-amz-json-{version}"}
