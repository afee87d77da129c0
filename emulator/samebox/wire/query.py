"""The query protocol of STS, IAM and older CloudWatch clients: form fields in, XML out."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from samebox.errors import AwsError, SerializationException
from samebox.wire.error_shapes import error_shape
from samebox.wire.http import Request, Response
from samebox.wire.jsonbody import DEEPEST
from samebox.wire.models import Operation, Service
from samebox.wire.schema import Reference, Shape
from samebox.wire.shapes import from_text
from samebox.wire.xmltext import text_of, write_members

# A field's name is a path, `Tags.member.1.Key`; the fields of a request are the tree that those paths make. A leaf is
# kept under the empty name, so that `Tags=` (an empty list) and `Tags.member.1=a` can stand side by side.
_Tree = dict[str, Any]

_MOST_FIELDS = 10_000

# The query protocol is older than the words that the others agree on.
_CODES = {
    "AccessDeniedException": "AccessDenied",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "SerializationException": "MalformedInput",
    "UnknownOperationException": "InvalidAction",
    "ValidationException": "ValidationError",
}


def fields(request: Request) -> Mapping[str, str]:
    """The form's fields: of the body, or of the query where the body is empty (a presigned GET)."""
    if not request.body.strip():
        return request.query
    try:
        pairs = parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:  # UnicodeDecodeError, or more fields than any real request has
        raise SerializationException(f"Could not parse request body as a form: {error}") from None
    return dict(reversed(pairs))


def decode(operation: Operation, request: Request) -> dict[str, Any]:
    if operation.input is None:
        return {}
    return _structure(operation.input, _tree(fields(request)))


def _tree(form: Mapping[str, str]) -> _Tree:
    root: _Tree = {}
    for name, value in form.items():
        steps = name.split(".")
        if len(steps) > DEEPEST:
            raise SerializationException("A field's name is nested too deeply")
        node = root
        for step in steps:
            node = node.setdefault(step, {})
        node[""] = value
    return root


def _structure(shape: Shape, tree: _Tree) -> dict[str, Any]:
    params = {}
    for name, member in shape.members.items():
        node = tree.get(member.xml_tag)
        if node is not None:
            params[name] = _value(member, node)
    return params


def _value(reference: Reference, node: _Tree) -> Any:
    shape = reference.shape
    match shape.type:
        case "structure":
            return _structure(shape, node)
        case "list":
            items = node if reference.is_flattened else node.get(shape.element.wire_name, {})
            return [_value(shape.element, item) for item in _numbered(items)]
        case "map":
            entries = node if reference.is_flattened else node.get("entry", {})
            return dict(_entries(shape, entries))
        case _:
            if "" not in node:
                raise SerializationException(f"Unexpected complex element in {reference.wire_name}")
            return from_text(reference, node[""])


def _numbered(node: _Tree) -> list[_Tree]:
    """Elements in the order of their numbers; which numbers they are does not matter."""
    numbered = {}
    for key, item in node.items():
        if key:
            if not re.fullmatch("[0-9]{1,9}", key):
                raise SerializationException(f"{key[:64]!r} is not an index of a list")
            numbered[int(key)] = item
    return [numbered[number] for number in sorted(numbered)]


def _entries(shape: Shape, node: _Tree) -> Iterator[tuple[Any, Any]]:
    for entry in _numbered(node):
        key = entry.get(shape.key.wire_name)
        if key is None:
            raise SerializationException("An entry of a map has no key")
        yield _value(shape.key, key), _value(shape.value, entry.get(shape.value.wire_name, {"": ""}))


def encode(service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:
    inner: list[str] = []
    if operation.output is not None:
        write_members(operation.output, result, inner)
        wrapper = operation.result_wrapper
        if wrapper is not None:
            inner = [f"<{wrapper}>", *inner, f"</{wrapper}>"]
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return _response(service, f"{operation.name}Response", "".join(inner) + metadata, 200, request_id)


def encode_error(service: Service | None, operation: Operation | None, error: AwsError, request_id: str) -> Response:
    found = error_shape(service, operation, error)
    code = _CODES.get(found.code, found.code) if found.shape is None else found.shape.error_code
    kind = "Receiver" if found.is_server_fault else "Sender"
    inner = [f"<Error><Type>{kind}</Type><Code>{text_of(code)}</Code><Message>{text_of(found.message)}</Message>"]
    if found.shape is not None:
        write_members(found.shape, {k: v for k, v in found.members.items() if k != found.message_member}, inner)
    inner.append(f"</Error><RequestId>{request_id}</RequestId>")
    return _response(service, "ErrorResponse", "".join(inner), found.status, request_id)


def _response(service: Service | None, root: str, inner: str, status: int, request_id: str) -> Response:
    namespace = f' xmlns="{service.xml_namespace}"' if service is not None and service.xml_namespace else ""
    body = f"<{root}{namespace}>{inner}</{root}>".encode()
    return Response(status, {"x-amzn-RequestId": request_id, "Content-Type": "text/xml"}, body)
