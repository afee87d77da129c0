"""The members of a request, and the answers of S3 to those that no request of the operation has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError, SerializationException
from samebox.s3.checksums import ALGORITHMS
from samebox.wire import restxml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.wire.http import Request
    from samebox.wire.models import Operation
    from samebox.wire.schema import Shape

_INTEGER = re.compile(r"[+-]?\d{1,10}")
_INTEGERS = range(-(2**31), 2**31)
# S3 answers an unknown word in these in words of their own.
_OWN_WORDS = frozenset({"BucketLocationConstraint", "Permission", "Protocol", "Type"})


def decoded(operation: Operation, head: Request) -> Mapping[str, Any]:
    """The members of the request. Raises InvalidArgument, InvalidRequest, MalformedXML, MissingRequestBodyError."""
    shape = operation.input
    if shape is not None:
        _check_integers(shape, head)
        _check_algorithm(operation, head)
    try:
        params = restxml.decode(operation, head)
    except SerializationException as error:
        raise AwsError("InvalidArgument", error.message) from None
    if shape is None:
        return params
    for member in (shape.members[name] for name in shape.required if name not in params):
        if member.location is not None:
            raise AwsError("InvalidRequest", f"Missing required header for this request: {member.wire_name}")
        if shape.payload is None or shape.payload.name != member.name:
            raise restxml.malformed_xml()
        if not member.is_streamed:
            raise AwsError("MissingRequestBodyError", "Request Body is empty")
    if shape.payload is not None and shape.payload.shape.type == "structure" and shape.payload.name in params:
        _check_schema(shape.payload.shape, params[shape.payload.name])
    return params


def document(shape: Shape, root: str, text: bytes) -> Mapping[str, Any]:
    """The members of a document that is not the body of a request, such as a field of a form. Raises MalformedXML."""
    try:
        value = restxml.read_document(shape, root, text)
    except SerializationException:
        raise restxml.malformed_xml() from None
    _check_schema(shape, value)
    return value


def _check_integers(shape: Shape, head: Request) -> None:
    for name, member in shape.query_members.items():
        if member.shape.type == "integer" and name in head.query:
            text = head.query[name]
            if not _INTEGER.fullmatch(text) or int(text) not in _INTEGERS:
                words = f"Provided {name} not an integer or within integer range"
                raise AwsError("InvalidArgument", words, 400, {"ArgumentName": name, "ArgumentValue": text})


def _check_algorithm(operation: Operation, head: Request) -> None:
    # A word that is not an algorithm's; what is one, and is not run here, is refused by the tables.
    member = operation.input.members.get("ChecksumAlgorithm") if operation.input is not None else None
    if operation.name != "CreateMultipartUpload" or member is None:
        return
    text = head.headers.get(member.wire_name)
    if text is not None and text.upper() not in member.shape.allowed:
        words = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        raise AwsError("InvalidRequest", f"{words}[{', '.join(ALGORITHMS)}]")


def _check_schema(shape: Shape, value: Any) -> None:
    """Compare a document with the model's required members and enums, as S3 does. Raises MalformedXML."""
    if shape.type == "structure":
        for name, member in shape.members.items():
            if name in value:
                _check_schema(member.shape, value[name])
            elif name in shape.required:
                raise restxml.malformed_xml()
    elif shape.type == "list":
        for one in value:
            _check_schema(shape.element.shape, one)
    elif shape.enum and value not in shape.allowed:
        if shape.name == "Event":
            raise AwsError("InvalidArgument", f"The event '{value}' is not supported for notifications")
        if shape.name not in _OWN_WORDS:
            raise restxml.malformed_xml()
