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
    shape = operation.input
    if shape is None:
        return params
    # By what the request has: of S3's forty headers, that is a handful.
    for name, text in (uris.labels(operation.http_uri, request.path) or {}).items():
        member = shape.labels.get(name)
        if member is not None:
            params[member.name] = from_text(member, text)
    for member in shape.query_members.values() if request.query_string else ():
        value = _from_query(member, request)
        if value is not None:
            params[member.name] = value
    for name, text in request.headers.items():
        member = shape.header_members.get(name)
        if member is not None:
            params[member.name] = _from_header(member, text)
    for prefix, member in shape.header_prefixes.items():
        found = {name[len(prefix) :]: text for name, text in request.headers.items() if name.startswith(prefix)}
        if found:
            params[member.name] = found
    return params


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
    members = {} if operation.output is None else operation.output.members
    for name, value in result.items():
        member = members.get(name)
        if value is None or member is None:
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
