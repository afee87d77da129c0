"""Operations with bodies that stream, as S3's: a handler reads its request's body in pieces, and gives its response's.

    Gateway(..., s3=StreamingEndpoint(service, CODECS["s3"], operations.find, handlers, caller_of))

Handlers are those of the gateway, and run in worker threads as they do there. Where the model says that a member is
streamed, its value is an `asgi.BodyReader` in the parameters, and any iterator of bytes in the result; every other body
is a document, which is read whole. No streamed body is in memory as a whole, and both directions have back-pressure.
"""

import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import anyio

from samebox import asgi
from samebox.asgi import BodyReader, BodyTooLarge, ClientGone, Receive, Scope, Send
from samebox.errors import AwsError, NotImplementedByEmulator
from samebox.wire import shapes
from samebox.wire.caller import Caller
from samebox.wire.codecs import Codec
from samebox.wire.constraints import validate, words_of
from samebox.wire.error_shapes import internal_failure
from samebox.wire.http import Request, Response, request_of, respond
from samebox.wire.models import Operation, Service
from samebox.wire.schema import Shape

Handler = Callable[[dict[str, Any], Caller], dict[str, Any] | None]

log = logging.getLogger(__name__)

_LARGEST_DOCUMENT = 2 * 1024 * 1024


class StreamingEndpoint:
    """The ASGI callable for one service. `find` knows a request's operation; at most `threads` handlers run at once.

    A client may be silent, or take nothing, for `idle_seconds`.
    """

    def __init__(
        self,
        service: Service,
        codec: Codec,
        find: Callable[[Request], Operation | None],
        handlers: Mapping[str, Handler],
        caller_of: Callable[[Request], Caller],
        threads: int = 64,
        idle_seconds: float = 60.0,
    ) -> None:
        self._service, self._codec, self._find = service, codec, find
        self._handlers, self._caller_of = handlers, caller_of
        self._threads = anyio.CapacityLimiter(threads)
        self._idle_seconds = idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head, request_id = request_of(scope), str(uuid.uuid4())
        operation: Operation | None = None
        body: Iterator[bytes] | None = None
        try:
            operation = self._operation(head)
            request = head if _streamed(operation.input) else await self._document(head, receive)
            reader = BodyReader(receive, self._idle_seconds)
            result = await asgi.in_thread(self._run, operation, request, reader, limiter=self._threads)
            body = result.pop(_streamed(operation.output) or "", None)
            response = self._codec.encode(self._service, operation, result, request_id)
        except ClientGone:
            return
        except AwsError as error:
            log.info("%s %s: %s (%s)", head.method, head.path, error, request_id)
            response = self._codec.encode_error(self._service, operation, error, request_id)
        except Exception:
            log.exception("%s %s failed (%s)", head.method, head.path, request_id)
            response = self._codec.encode_error(self._service, operation, internal_failure(request_id), request_id)
        if body is None:
            await respond(send, response)
        else:
            await self._stream(send, response, body)

    def _operation(self, head: Request) -> Operation:
        operation = self._find(head)
        if operation is None or operation.name not in self._handlers:
            wanted = f"{head.method} {head.path}" if operation is None else operation.name
            raise NotImplementedByEmulator(self._service.name, wanted)
        return operation

    async def _document(self, head: Request, receive: Receive) -> Request:
        declared = head.headers.get("content-length", "").encode()
        try:
            return replace(head, body=await asgi.read_body(receive, _LARGEST_DOCUMENT, declared))
        except BodyTooLarge:
            raise AwsError("MaxMessageLengthExceeded", "Your request was too large.") from None

    def _run(self, operation: Operation, request: Request, reader: BodyReader) -> dict[str, Any]:
        params = self._codec.decode(operation, request)
        if operation.input is not None:
            validate(operation.input, params, words_of(operation))
        if member := _streamed(operation.input):
            params[member] = reader
        result = dict(self._handlers[operation.name](params, self._caller_of(request)) or {})
        streamed = {member: result.pop(member) for member in (_streamed(operation.output),) if member in result}
        projected = {} if operation.output is None else shapes.project(operation.output, result)
        return {**projected, **streamed}

    async def _stream(self, send: Send, response: Response, body: Iterator[bytes]) -> None:
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
        try:
            await asgi.stream(send, response.status, headers, self._pieces(body), self._idle_seconds)
        except ClientGone:
            log.debug("the client took no more of its response")
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                await asgi.in_thread(close, limiter=self._threads)

    async def _pieces(self, body: Iterator[bytes]) -> AsyncIterator[bytes]:
        while (piece := await asgi.in_thread(next, body, None, limiter=self._threads)) is not None:
            yield piece


def _streamed(shape: Shape | None) -> str:
    """The member of a shape that is a streamed body, or ''."""
    payload = None if shape is None else shape.payload
    return payload.name if payload is not None and payload.is_streamed else ""
