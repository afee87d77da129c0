"""rest-json: members travel in the URI, the query, headers, the status, and a body that is JSON or bytes."""

import base64
import json
from typing import Any

from samebox.errors import AwsError, SerializationException
from samebox.wire import jsonbody, uris
from samebox.wire.error_shapes import error_shape
from samebox.wire.http import Request, Response
from samebox.wire.json11 import error_members
from samebox.wire.models import Operation, Service
from samebox.wire.schema import Reference, Shape
from samebox.wire.shapes import from_text, parse, to_json, to_text


def decode(operation: Operation, request: Request) -> dict[str, Any]:
    shape = operation.input
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    labels = uris.labels(operation.http_uri, request.path) or {}
    for name, member in shape.members.items():
        value = _located(member, labels, request)
        if value is not None:
            params[name] = value
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


def _located(member: Reference, labels: dict[str, str], request: Request) -> Any:
    name = member.wire_name
    match member.location:
        case "uri":
            return None if name not in labels else from_text(member, labels[name])
        case "querystring":
            return _from_query(member, request)
        case "header":
            text = request.headers.get(name.lower())
            return None if text is None else _from_header(member, text)
        case "headers":
            prefix = name.lower()
            found = {key[len(prefix) :]: text for key, text in request.headers.items() if key.startswith(prefix)}
            return found or None
        case _:
            return None


def _from_query(member: Reference, request: Request) -> Any:
    shape = member.shape
    if shape.type == "map":  # all the fields that no other member takes; AWS uses it for free-form filters only
        return dict(request.query) or None
    texts = request.query_lists.get(member.wire_name)
    if texts is None:
        return None
    if shape.type == "list":
        return [from_text(shape.element, text) for text in texts]
    return from_text(member, texts[0])


def _from_header(member: Reference, text: str) -> Any:
    if member.shape.type == "list":
        return [from_text(member.shape.element, part.strip()) for part in text.split(",")]
    if member.is_json_value:
        try:
            return json.dumps(json.loads(base64.b64decode(text, validate=True)))
        except ValueError:
            raise SerializationException(f"Header {member.wire_name} is not base64 of JSON") from None
    return from_text(member, text)


def encode(service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:  # noqa: ARG001
    shape = operation.output
    headers = {"x-amzn-RequestId": request_id}
    status = operation.http_status
    if shape is None:
        return Response(status, headers, b"")
    for name, member in shape.members.items():
        value = result.get(name)
        if value is None:
            continue
        match member.location:
            case "header":
                headers[member.wire_name] = _to_header(member, value)
            case "headers":
                headers.update({f"{member.wire_name}{key}": str(item) for key, item in value.items()})
            case "statusCode":
                status = int(value)
            case _:
                pass
    body, content_type = _body(shape, result)
    if content_type is not None:
        headers.setdefault("Content-Type", content_type)
    return Response(status, headers, body)


def _to_header(member: Reference, value: Any) -> str:
    if member.shape.type == "list":
        return ",".join(to_text(member.shape.element, item, "rfc822") for item in value)
    text = to_text(member, value, "rfc822")
    if member.is_json_value:
        return base64.b64encode(text.encode()).decode("ascii")
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{member.wire_name} cannot be a header: {text!r}")
    return text


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
