"""S3 at our URL: one ASGI request becomes an operation, which a worker thread carries out on the storage.

Bodies stream both ways: one that comes in is read by the thread as it arrives, one that goes out is read from its file
piece by piece. Whether the request was signed as it must be, the gateway has seen before.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from samebox import asgi
from samebox.asgi import BodyPipe, BodyTooLarge, ClientGone
from samebox.errors import AwsError, NotImplementedByEmulator
from samebox.services import absent
from samebox.services.members.refusal import refuse_by
from samebox.services.members.s3 import REFUSED
from samebox.services.s3 import cors, decoding, documents, public
from samebox.services.s3.chunked import STREAMING, Decoder
from samebox.services.s3.heads import check_time, head_of
from samebox.services.s3.operations import OPERATIONS
from samebox.services.s3.requests import S3Request, S3Response
from samebox.services.s3.together import WritesTogether
from samebox.wire import restxml
from samebox.wire.caller import caller_in
from samebox.wire.chunk_signature import SIGNED_CHUNKS, ChunkSignatures
from samebox.wire.http import Request, Response
from samebox.wire.s3_operations import S3Operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from samebox.asgi import Message, Receive, Scope, Send
    from samebox.s3.reading import OpenObject
    from samebox.s3.store import S3Store
    from samebox.services.s3.notifications import Notifications
    from samebox.wire.models import Models, Operation

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

# Request line and headers together, as S3's own answer names its bound (seen in 2024 and 2026).
_HEAD_BYTES = 8192
_MOST_DOCUMENT = 4 * 1024 * 1024  # a DeleteObjects of a thousand long keys has 1.2 MB
_PIECE_BYTES = 1024 * 1024
_SMALL_BYTES = 64 * 1024
# On AWS an object has another origin than the API. Here a browser that shows an object, an HTML report of a job, say,
# would let its scripts use the emulator as our own page; in a sandbox they run with the origin `null`, which
# traffic/origins.py refuses.
_SANDBOX = (b"content-security-policy", b"sandbox allow-scripts allow-popups allow-modals allow-downloads")
# What reads and writes a few rows, once its body is there.
_SHORT_WRITES = frozenset({"DeleteObject", "PutObject", "UploadPart"})
# Fields of an error that are headers of the answer alone.
_HIDDEN_FIELDS = frozenset({"DeleteMarker", "ETag", "LastModified"})


class S3Endpoint:
    """S3 over `store`. At most `threads` requests are carried out at once; the others wait.

    A client that sends nothing, or takes nothing, for `idle_seconds` is given up. `redirects`: a request that is signed
    for another region than its bucket's is answered as AWS does, with 301. With a `token`, chunks of a body must be
    signed with it as the request was. `public_access`: without a signature, only what everybody may do is done.
    `notify` has what is done to objects sent to where their buckets say.
    """

    def __init__(
        self,
        store: S3Store,
        models: Models,
        *,
        account: str,
        region: str,
        clock: Callable[[], float] = time.time,
        redirects: bool = False,
        token: str = "",
        public_access: bool = False,
        notify: Notifications | None = None,
        idle_seconds: float = 60.0,
        threads: int = 64,
    ) -> None:
        self._store = store
        self._account, self._region = account, region
        self._clock = clock
        self._redirects = redirects
        self._token = token
        self._public_access = public_access
        self._notify = notify
        self._idle_seconds = idle_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="s3")
        self._writes: WritesTogether[tuple[S3Response, Response]] = WritesTogether(store)
        # The model takes a tenth of a second to read, which is the first request's and not the start's.
        self._models = models
        self._operations: S3Operations | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One S3 request, in path style or with its bucket in the host."""
        head = head_of(scope)
        exchange = _Exchange(scope, receive, send, head)
        try:
            self._check_head(scope, head)
            if cors.is_preflight(head):
                answer = await self._in_thread(lambda: cors.preflight(self._store, head))
                await self._respond(exchange, answer)
                return
            exchange.operation = (await self._model()).find(head)
            given, response = await self._carried_out(exchange)
            await self._notified(exchange, given)
        except ClientGone:
            return
        except AwsError as error:
            await self._refuse(exchange, error)
        except Exception:
            log.exception("S3 %s %s failed (%s)", head.method, head.path, exchange.id)
            text = "We encountered an internal error. Please try again."
            await self._refuse(exchange, AwsError("InternalError", text, 500))
        else:
            await self._answer(exchange, given, response)

    async def close(self) -> None:
        """Wait for the requests under way."""
        await self._writes.close()
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    async def _model(self) -> S3Operations:
        if self._operations is None:
            # Two requests may both read it: the models keep the service, and the rest is the same.
            self._operations = await self._in_thread(lambda: S3Operations(self._models.service("s3")))
        return self._operations

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _carried_out(self, exchange: _Exchange) -> tuple[S3Response, Response]:
        """What the operation gave, and the head and document of its answer."""
        operation, head = exchange.operation, exchange.head
        if operation is None:
            text = "The specified method is not allowed against this resource."
            raise AwsError("MethodNotAllowed", text, 405, {"Method": head.method, "ResourceType": _noun(head.path)})
        handler = OPERATIONS.get(operation.name)
        if handler is None:
            raise NotImplementedByEmulator("s3", operation.name, absent.sentence_of("s3", operation.name))
        payload = operation.input.payload if operation.input is not None else None
        streamed = payload is not None and payload.is_streamed
        if not streamed:
            head = head.changed(body=await self._document(head, exchange.receive))
        bodies: tuple[bytes, ...] = ()
        pipe: BodyPipe | None = None
        if streamed and _is_small(head):
            bodies = (await self._small(exchange.receive),)
        elif streamed:
            pipe = BodyPipe(exchange.receive, self._idle_seconds)
        service = (await self._model()).service

        def carry_out() -> tuple[S3Response, Response]:
            request = S3Request(
                operation=operation.name,
                params=decoding.decoded(operation, head),
                head=head,
                caller=caller_in(head.credential_scope, head.headers, self._account, self._region),
                store=self._store,
                now=self._clock(),
                signatures=self._signatures(head),
                scheme=exchange.scheme,
                is_signed_form=exchange.is_signed_form,
                pieces=(lambda: iter(bodies)) if pipe is None else pipe.read,
            )
            refuse_by(REFUSED.get(operation.name, ()), "s3", operation.name, request.params)
            exchange.request = request
            if not streamed:
                documents.check(request)
            self._check_region(request)
            if self._public_access:
                public.check(request)
            if self._notify is not None and operation.name == "PutBucketNotificationConfiguration":
                self._notify.check(request, exchange.id)
            log.debug("S3 %s (%s)", operation.name, exchange.id)
            given = handler(request)
            exchange.is_notified = self._notify is not None and self._notify.is_due(request)
            try:
                return given, restxml.encode(service, operation, dict(given.result), exchange.id)
            except BaseException:
                if given.reading is not None:
                    given.reading.close()
                raise

        if pipe is None and operation.name in _SHORT_WRITES:
            return await self._writes.carry_out(carry_out)
        feeding = None if pipe is None else asyncio.create_task(pipe.feed())
        try:
            return await self._in_thread(carry_out)
        finally:
            if feeding is not None:
                feeding.cancel()

    async def _notified(self, exchange: _Exchange, given: S3Response) -> None:
        """Events are kept before the client has its answer."""
        notify, request = self._notify, exchange.request
        if notify is not None and request is not None and exchange.is_notified:
            await self._in_thread(lambda: notify.after(request, given, exchange.id))

    async def _small(self, receive: Receive) -> bytes:
        """A body of a few kilobytes. Raises ClientGone, also where it is not there within `idle_seconds`."""
        try:
            async with asyncio.timeout(self._idle_seconds):
                return await asgi.read_body(receive, _SMALL_BYTES)
        except TimeoutError:
            raise ClientGone from None

    async def _document(self, head: Request, receive: Receive) -> bytes:
        """The body of an operation that takes a document, or none. Raises AwsError, ClientGone."""
        declared = head.headers.get("content-length", "").encode()
        try:
            async with asyncio.timeout(self._idle_seconds):
                body = await asgi.read_body(receive, _MOST_DOCUMENT, declared)
        except BodyTooLarge:
            raise AwsError("MaxMessageLengthExceeded", "Your request was too big.") from None
        except TimeoutError:
            text = (
                "Your socket connection to the server was not read from or written to within the timeout period. Idle "
                "connections will be closed."
            )
            raise AwsError("RequestTimeout", text) from None
        if head.headers.get("x-amz-content-sha256", "").startswith(STREAMING):
            return b"".join(Decoder(self._signatures(head)).body([body]))
        return body

    def _signatures(self, head: Request) -> ChunkSignatures | None:
        signed = head.headers.get("x-amz-content-sha256", "").startswith(SIGNED_CHUNKS)
        return ChunkSignatures(head, self._token) if self._token and signed else None

    def _check_head(self, scope: Scope, head: Request) -> None:
        if asgi.SIGNED_FORM in scope:
            return  # The head is made of a form, whose fields have a bound of their own.
        size = len(scope.get("query_string") or b"") + len(asgi.raw_path(scope))
        if size + sum(len(name) + len(value) for name, value in scope["headers"]) > _HEAD_BYTES:
            text = "Your request header section exceeds the maximum allowed size."
            fields = {"MaxSizeAllowed": _HEAD_BYTES}
            raise AwsError("RequestHeaderSectionTooLarge", text, 400, fields)
        check_time(head, self._clock())

    def _check_region(self, request: S3Request) -> None:
        """As AWS answers a request at another region's endpoint, where `redirects` is on."""
        if not self._redirects or not request.bucket_name or request.operation in ("CreateBucket", "GetBucketLocation"):
            return
        region = request.store.buckets.get(request.bucket_name).region
        if request.caller.region != region:
            text = (
                "The bucket you are attempting to access must be addressed using the specified endpoint. Please send "
                "all future requests to this endpoint."
            )
            fields = {"Endpoint": f"{request.bucket_name}.s3.{region}.amazonaws.com", "Bucket": request.bucket_name}
            raise AwsError("PermanentRedirect", text, 301, {**fields, "Region": region})

    async def _answer(self, exchange: _Exchange, given: S3Response, response: Response) -> None:
        headers = {**response.headers, **given.headers}
        status = given.status or response.status
        if given.reading is None:
            await self._respond(exchange, Response(status, headers, response.body))
            return
        try:
            pieces = self._pieces(given.reading, given.first, given.length)
            out = await self._readable(exchange.head, _headers(headers, exchange.id))
            await asgi.stream(exchange.send, status, out, pieces, self._idle_seconds)
        except ClientGone:
            log.debug("%s: nothing of the object was taken for %g s", exchange.head.path, self._idle_seconds)
        finally:
            await self._in_thread(given.reading.close)

    async def _pieces(self, reading: OpenObject, first: int, length: int | None) -> AsyncIterator[bytes]:
        """What is sent, read ahead by one piece: the next is read while the last is on its way."""
        source = reading.chunks(first, length, _PIECE_BYTES)
        coming = asyncio.ensure_future(self._in_thread(lambda: next(source, b"")))
        try:
            while piece := await coming:
                coming = asyncio.ensure_future(self._in_thread(lambda: next(source, b"")))
                yield piece
        finally:
            # The file is closed after this, so that no thread may read it then.
            await asyncio.gather(coming, return_exceptions=True)

    async def _refuse(self, exchange: _Exchange, error: AwsError) -> None:
        head, fields = exchange.head, error.fields
        log.info("S3 %s %s: %s (%s)", head.method, head.path, error, exchange.id)
        shown = {name: value for name, value in fields.items() if name not in _HIDDEN_FIELDS}
        if fields.get("ResourceType") == "DeleteMarker":
            shown = {"Method": head.method, "ResourceType": "DeleteMarker"}
        service = (await self._model()).service
        refusal = AwsError(error.code, error.message, error.status, shown)
        response = restxml.encode_error(service, exchange.operation, refusal, exchange.id)
        headers = dict(response.headers)
        if "DeleteMarker" in fields:
            headers["x-amz-delete-marker"] = "true"
        if "VersionId" in fields:
            headers["x-amz-version-id"] = str(fields["VersionId"])
        if error.code == "MethodNotAllowed" and "DeleteMarker" in fields:
            headers["Allow"] = "DELETE"
        if error.status == 304:
            headers["ETag"] = f'"{fields["ETag"]}"'
        if "LastModified" in fields:
            headers["Last-Modified"] = formatdate(fields["LastModified"], usegmt=True)
        if error.status == 301:
            headers["x-amz-bucket-region"] = str(fields.get("Region", ""))
        if "expect" in head.headers and not exchange.asked_for_body:
            # The client will not send its body: what comes next on the connection would be taken for it.
            headers["Connection"] = "close"
        await self._respond(exchange, replace(response, headers=headers))

    async def _respond(self, exchange: _Exchange, response: Response) -> None:
        """A whole answer. HEAD has no body, and the length that the headers say, if they say one."""
        headers = await self._readable(exchange.head, _headers(response.headers, exchange.id))
        method, send = exchange.head.method, exchange.send
        if method == "HEAD" or response.status in (204, 304):
            if method == "HEAD" and response.status == 200 and asgi.header(headers, b"content-length") is None:
                headers.append((b"content-length", b"0"))
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        headers = [(name, value) for name, value in headers if name != b"content-length"]
        await asgi.respond(send, response.status, headers, response.body)

    async def _readable(self, head: Request, headers: list[asgi.Header]) -> list[asgi.Header]:
        """The headers, and those that let a page of an origin that the bucket's CORS rules name read the answer."""
        if "origin" not in head.headers:
            return headers
        return [*headers, *await self._in_thread(lambda: cors.permission(self._store, head))]


class _Exchange:
    """One request on its way: what came of it so far, and where its answer goes."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, head: Request) -> None:
        self.send = send
        self.head = head
        # Nothing is kept secret by it, and the system's own randomness costs a change of threads.
        self.id = f"{random.getrandbits(64):016X}"
        self.operation: Operation | None = None
        self.request: S3Request | None = None
        self.is_notified = False
        self.scheme: str = scope.get("scheme", "http")
        self.is_signed_form = bool(scope.get(asgi.SIGNED_FORM))
        self.asked_for_body = False
        self._receive = receive

    async def receive(self) -> Message:
        """The next message of the body; a client that waits for `100 Continue` gets it with the first."""
        self.asked_for_body = True
        return await self._receive()


def _is_small(head: Request) -> bool:
    """Whether a body is read before the thread begins: a change of threads costs more than so many bytes.

    A client that waits for `100 Continue` may not be asked for its body before its request is looked at.
    """
    length = head.headers.get("content-length", "")
    return length.isdecimal() and len(length) <= 6 and int(length) <= _SMALL_BYTES and "expect" not in head.headers


def _headers(headers: Mapping[str, str], request_id: str) -> list[asgi.Header]:
    encoded = [(_name(name), _bytes(value)) for name, value in headers.items()]
    return [*encoded, (b"x-amz-id-2", request_id.encode() * 4), (b"server", b"AmazonS3"), _SANDBOX]


@lru_cache(maxsize=1000)
def _name(name: str) -> bytes:
    return name.lower().encode("latin-1")


def _bytes(value: str) -> bytes:
    """A header's value; what is not ASCII goes as UTF-8, line ends not at all."""
    return value.replace("\r", " ").replace("\n", " ").encode("utf-8")


def _noun(path: str) -> str:
    return {0: "SERVICE", 1: "BUCKET"}.get(path.rstrip("/").count("/"), "OBJECT")
