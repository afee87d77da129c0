"""Faults of the AWS API and of S3, around what answers; and the door at which they are listed, set and cleared."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from samebox import asgi
from samebox.asgi import Application, Receive, Scope, Send
from samebox.errors import AwsError, ValidationException
from samebox.faults.faults import FaultTable
from samebox.faults.kinds import BadFault, Fault, Point, is_fault_tag

MOST_BYTES = 4096

Handler = Callable[[dict[str, Any], Any], dict[str, Any] | None]
_LOOK_SECONDS = 0.1
_MOST_DRAINED, _DRAIN_SECONDS = 64 << 20, 10.0
BucketOf = Callable[[Scope], str]


def faulty(faults: FaultTable) -> Callable[[str, Handler], Handler]:
    """Handlers that raise ThrottlingException where that is set, and refuse a tag that names no fault.

    What is returned makes one of the name of an operation and its handler.
    """

    def around(operation: str, handler: Handler) -> Handler:
        def call(params: dict[str, Any], caller: Any) -> dict[str, Any] | None:
            if faults.take(Point.API, operation=operation) is not None:
                raise AwsError("ThrottlingException", "Rate exceeded")
            _check_tags(params.get("Tags"))
            return handler(params, caller)

        return call

    return around


def _check_tags(tags: Any) -> None:
    for tag in tags if isinstance(tags, list) else ():
        if str(tag.get("Key", "")).partition(":")[0] == "samebox" and is_fault_tag(str(tag["Key"])):
            try:
                Fault.read(str(tag.get("Value", "")))
            except BadFault as error:
                raise ValidationException(f"{tag['Key']}: {error}.") from None


class FaultyS3:
    """S3's endpoint, late or with SlowDown where that is set. `bucket_of` gives the bucket of a request."""

    def __init__(self, s3: Application, faults: FaultTable, bucket_of: BucketOf) -> None:
        self._s3 = s3
        self._faults = faults
        self._bucket_of = bucket_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.take(Point.S3, bucket=self._bucket_of(scope)) if self._faults.is_any_set else None
        if fault is not None and fault.kind.name == "s3-error":
            # S3 answers so where a client asks too fast; SDKs try again.
            await asgi.drain(receive, _MOST_DRAINED, _DRAIN_SECONDS)
            await asgi.respond(send, 503, [(b"content-type", b"application/xml")], _SLOW_DOWN)
            return
        if fault is not None:
            await self._delay(fault)
        await self._s3(scope, receive, send)

    async def _delay(self, fault: Fault) -> None:
        """Wait as long as it says, but not after it is cleared."""
        until = time.monotonic() + fault.number("seconds", 1.0)
        while (left := until - time.monotonic()) > 0 and self._faults.is_set(fault):
            await asyncio.sleep(min(left, _LOOK_SECONDS))


class FaultDoor:
    """GET lists the faults that are set, POST sets the one in its body, DELETE clears all."""

    def __init__(self, faults: FaultTable, authorize: Callable[[Scope, bytes], Awaitable[object]]) -> None:
        self._faults = faults
        self._authorize = authorize

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await asgi.read_body(receive, MOST_BYTES, asgi.header(scope["headers"], b"content-length"))
            await self._authorize(scope, body)
            if scope["method"] == "POST":
                self._faults.set(body.decode(errors="replace"))
            elif scope["method"] == "DELETE":
                self._faults.clear()
            answer: dict[str, Any] = {"faults": self._faults.list()}
            status = 200
        except AwsError as error:
            status, answer = error.status, {"__type": error.code, "message": error.message}
        except (BadFault, asgi.BodyTooLarge) as error:
            status, answer = 400, {"__type": "ValidationException", "message": str(error)}
        except asgi.ClientGone:
            return
        await asgi.respond_json(send, status, answer)


_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
