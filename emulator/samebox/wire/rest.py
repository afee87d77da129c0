"""What the rest protocols put beside the body: members in the URI, the query, headers and the status."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from samebox.errors import SerializationException
from samebox.wire import uris
from samebox.wire.http import Request
from samebox.wire.models import Operation
from samebox.wire.schema import Reference
from samebox.wire.shapes import from_text, to_text


@dataclass(frozen=True)
class ResponseHead:
    """The status and the headers that an operation's result gives its response."""

    status: int
    headers: dict[str, str]


def located(operation: Operation, request: Request) -> dict[str, Any]:
    """The members of an operation's input that do not travel in the body."""
    params: dict[str, Any] = {}
    labels = uris.labels(operation.http_uri, request.path) or {}
    for name, member in operation.input.members.items() if operation.input is not None else ():
        value = _located(member, labels, request)
        if value is not None:
            params[name] = value
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


def head(operation: Operation, result: dict[str, Any], only_ascii: bool = True) -> ResponseHead:
    """The head of a response. ValueError where a value cannot be a header; with `only_ascii`, all but ASCII cannot."""
    headers: dict[str, str] = {}
    status = operation.http_status
    for name, member in operation.output.members.items() if operation.output is not None else ():
        value = result.get(name)
        if value is None:
            continue
        match member.location:
            case "header":
                headers[member.wire_name] = _to_header(member, value, only_ascii)
            case "headers":
                headers.update({f"{member.wire_name}{key}": str(item) for key, item in value.items()})
            case "statusCode":
                status = int(value)
            case _:
                pass
    return ResponseHead(status, headers)


def _to_header(member: Reference, value: Any, only_ascii: bool) -> str:
    if member.shape.type == "list":
        return ",".join(to_text(member.shape.element, item, "rfc822") for item in value)
    text = to_text(member, value, "rfc822")
    if member.is_json_value:
        return base64.b64encode(text.encode()).decode("ascii")
    if (only_ascii and not text.isascii()) or not text.isprintable():
        raise ValueError(f"{member.wire_name} cannot be a header: {text!r}")
    return text
