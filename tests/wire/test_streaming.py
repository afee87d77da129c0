"""Bodies that stream between a client and a handler in a thread: S3's operations over a dict of objects."""

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser

from samebox.asgi import Message
from samebox.errors import AwsError
from samebox.wire.caller import Caller, caller
from samebox.wire.codecs import CODECS
from samebox.wire.http import Request
from samebox.wire.models import Models
from samebox.wire.s3_operations import S3Operations
from samebox.wire.streaming import StreamingEndpoint

PIECE = b"0123456789abcdef" * 65536  # a megabyte


class DictObjects:
    """PutObject, GetObject, HeadObject and DeleteObjects of one bucket, and the most bytes of a body seen at once."""

    def __init__(self) -> None:
        self.digests: dict[str, tuple[str, int]] = {}
        self.largest = 0
        self.closed = 0

    def put(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        digest, size = hashlib.md5(usedforsecurity=False), 0
        for piece in params["Body"]:
            self.largest = max(self.largest, len(piece))
            digest.update(piece)
            size += len(piece)
        self.digests[params["Key"]] = (digest.hexdigest(), size)
        return {"ETag": f'"{digest.hexdigest()}"'}

    def get(self, params: dict[str, Any], __: Caller) -> dict[str, Any]:
        if params["Key"] not in self.digests:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
        _, size = self.digests[params["Key"]]
        return {"ContentLength": size, "Body": self._pieces(size)}

    def head(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        return {"ContentLength": self.digests[params["Key"]][1]}

    def delete(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        return {"Deleted": [{"Key": one["Key"]} for one in params["Delete"]["Objects"]]}

    def _pieces(self, size: int) -> Iterator[bytes]:
        try:
            for _ in range(size // len(PIECE)):
                yield PIECE
        finally:
            self.closed += 1


def endpoint(objects: DictObjects, models: Models) -> StreamingEndpoint:
    service = models.service("s3")
    handlers = {
        "PutObject": objects.put, "GetObject": objects.get, "HeadObject": objects.head, "DeleteObjects": objects.delete,
    }  # fmt: skip

    def caller_of(request: Request) -> Caller:
        return caller(request.headers, request.query)

    return StreamingEndpoint(service, CODECS["s3"], S3Operations(service).find, handlers, caller_of)


def ask(
    app: StreamingEndpoint, method: str, target: str, *pieces: bytes, takes: int | None = None, stays: bool = True
) -> tuple[int, dict[str, str], bytes]:
    """Send a request in these pieces; a client that takes so many pieces of its response goes away then."""
    path, _, query = target.partition("?")
    scope = {"method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(), "headers": []}
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    waiting.append({"type": "http.request", "body": b"", "more_body": False} if stays else {"type": "http.disconnect"})
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        if takes is not None and len(sent) > takes:
            raise OSError("the client is gone")
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    if not sent:
        return 0, {}, b""
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(one["body"] for one in sent[1:])


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(("s3",))


def test_a_body_passes_in_pieces_and_comes_back_so(models: Models) -> None:
    objects = DictObjects()
    app = endpoint(objects, models)
    status, headers, _ = ask(app, "PUT", "/bucket/key", *[PIECE[: 64 * 1024]] * (16 * 8))
    assert status == 200
    assert objects.digests["key"] == (headers["etag"].strip('"'), 8 * len(PIECE))
    assert objects.largest <= 2 * len(PIECE)
    status, headers, body = ask(app, "GET", "/bucket/key")
    assert (status, headers["content-length"]) == (200, str(8 * len(PIECE)))
    assert body == PIECE * 8
    assert objects.closed == 1


def test_a_response_to_head_has_the_length_of_the_object(models: Models) -> None:
    objects = DictObjects()
    objects.digests["key"] = ("", 8)
    status, headers, body = ask(endpoint(objects, models), "HEAD", "/bucket/key")
    assert (status, headers["content-length"], body) == (200, "8", b"")


def test_a_document_is_read_whole_and_has_a_bound(models: Models) -> None:
    app = endpoint(DictObjects(), models)
    text = b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a</Key></Object></Delete>'
    status, headers, body = ask(app, "POST", "/bucket?delete", text[:20], text[20:])
    shape = botocore.session.Session().get_service_model("s3").operation_model("DeleteObjects").output_shape
    parser: Any = create_parser("rest-xml")
    read = parser.parse({"status_code": status, "headers": headers, "body": body}, shape)
    assert read["Deleted"] == [{"Key": "a"}]
    status, _, body = ask(app, "POST", "/bucket?delete", *[PIECE] * 3)
    assert (status, b"<Code>MaxMessageLengthExceeded</Code>" in body) == (400, True)


def test_errors_are_the_protocols_own(models: Models) -> None:
    app = endpoint(DictObjects(), models)
    status, _, body = ask(app, "GET", "/bucket/none")
    assert (status, b"<Code>NoSuchKey</Code>" in body) == (404, True)
    status, _, body = ask(app, "GET", "/bucket?acl")
    assert (status, b"s3:GetBucketAcl" in body) == (501, True)


def test_a_fault_of_a_handler_is_an_internal_error(models: Models, caplog: pytest.LogCaptureFixture) -> None:
    status, _, body = ask(endpoint(DictObjects(), models), "HEAD", "/bucket/none")
    assert (status, "KeyError" in caplog.text) == (500, True)
    assert b"<Code>InternalError</Code>" in body


def test_half_a_body_makes_no_object(models: Models) -> None:
    objects = DictObjects()
    assert ask(endpoint(objects, models), "PUT", "/bucket/key", PIECE, stays=False)[0] == 0
    assert objects.digests == {}


def test_a_response_that_is_not_taken_is_closed(models: Models) -> None:
    objects = DictObjects()
    objects.digests["key"] = ("", 8 * len(PIECE))
    with pytest.raises(OSError, match="the client is gone"):
        ask(endpoint(objects, models), "GET", "/bucket/key", takes=2)
    assert objects.closed == 1
