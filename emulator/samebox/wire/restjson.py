"""rest-json: members travel in the URI, the query, headers, the status, and a body that is JSON or bytes."""

from typing import Any

from samebox.errors import AwsError, SerializationException
from samebox.wire import jsonbody, rest
from samebox.wire.error_shapes import error_shape
from samebox.wire.http import Request, Response
from samebox.wire.json11 import error_members
from samebox.wire.models import Operation, Service
from samebox.wire.schema import Shape
from samebox.wire.shapes import parse, to_json


def decode(operation: Operation, request: Request) -> dict[str, Any]:
    shape = operation.input
    if shape is None:
        return {}
    params = rest.located(operation, request)
    payload = shape.payload
    if payload is None:
        params.update(parse(shape, jsonbody.load(request.body)))
    elif payload.shape.type == "blob":
        # An empty body is a value where the model demands one, and the lack of one elsewhere.
        if request.body or payload.name in shape.required:
            params[payload.name] = request.body
    elif payload.shape.type == "string":
        params[payload.name] = _utf8(request.body)
    elif request.body:
        params[payload.name] = parse(payload.shape, jsonbody.load(request.body))
    return params


def encode(service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:  # noqa: ARG001
    shape, head = operation.output, rest.head(operation, result)
    headers = {"x-amzn-RequestId": request_id, **head.headers}
    if shape is None:
        return Response(head.status, headers, b"")
    body, content_type = _body(shape, result)
    if content_type is not None:
        headers.setdefault("Content-Type", content_type)
    return Response(head.status, headers, body)


def _body(shape: Shape, result: dict[str, Any]) -> tuple[bytes, str | None]:
    """The body and its media type, which of plain bytes only the handler can know."""
    payload = shape.payload
    if payload is None:
        return jsonbody.dump(to_json(shape, result)), "application/json"
    value = result.get(payload.name)
    if payload.shape.type == "blob":
        return value or b"", None
    if payload.shape.type == "string":
        return (value or "").encode(), "text/plain"
    return (b"" if value is None else jsonbody.dump(to_json(payload.shape, value))), "application/json"


def encode_error(service: Service | None, operation: Operation | None, error: AwsError, request_id: str) -> Response:
    found = error_shape(service, operation, error)
    headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": found.code, "Content-Type": "application/json"}
    return Response(found.status, headers, jsonbody.dump(error_members(found)))


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise SerializationException("The request body is not UTF-8") from None
