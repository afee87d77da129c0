"""The one way in: call an operation in process, or over HTTP through the ASGI endpoint around it.

    Gateway(Models(), {"sts": {"GetCallerIdentity": handler}}, s3=s3_proxy)

A request is routed, read whole, decoded, validated, handed to its handler, and what comes back is cut to the output
shape and encoded. S3's bodies are not read here: its requests are passed on as they come.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import anyio

from samebox import asgi
from samebox.asgi import Application, BodyTooLarge, ClientGone, Receive, Scope, Send
from samebox.errors import AwsError, NotImplementedByEmulator, UnknownOperation, UnspokenService
from samebox.wire import post_policy, sessions, shapes, signature, unspoken
from samebox.wire.caller import DEFAULT_ACCOUNT, DEFAULT_REGION, Caller, account_of, caller_in, lasting_credential
from samebox.wire.codecs import CODECS
from samebox.wire.constraints import validate, words_of
from samebox.wire.error_shapes import internal_failure
from samebox.wire.http import Request, Response, inflated, request_of, respond
from samebox.wire.models import Models, Operation, Service
from samebox.wire.routing import RoutedOperation, Router

Handler = Callable[[dict[str, Any], Caller], dict[str, Any] | None]
Handlers = Mapping[str, Mapping[str, Handler]]  # botocore's service name -> operation name -> handler

# An upload form, which is signed in its body: `(bucket, fields, size of the file)` may be refused with AwsError.
CheckForm = Callable[[str, Mapping[str, str], int], None]
# Answers for services that are not spoken here: (signing name, caller, ASGI's three).
Elsewhere = Callable[[str, Caller, Scope, Receive, Send], Awaitable[None]]
FormApplication = Callable[[Scope, Receive, Send, CheckForm], Awaitable[None]]

log = logging.getLogger(__name__)

MEBIBYTE = 1024 * 1024
# The largest body whose signature is verified on the event loop: a hash of so much takes a twentieth of a millisecond.
_HASHED_AT_ONCE = 64 * 1024
_OF_SIGNATURES = frozenset({"x-amz-algorithm", "x-amz-credential", "x-amz-signature", "awsaccesskeyid", "signature"})
_NO_HANDLERS: Mapping[str, Handler] = MappingProxyType({})


class Gateway:
    """Answers AWS requests with `handlers`; passes S3's on to `s3`, and its upload forms to `s3_forms`.

    `s3_consents`: whether a bucket's rules let the page of another origin in that a request is from. `s3_anonymous`: S3
    itself decides on requests that are not signed, a token or not. `elsewhere` answers for services that `models` have
    not; without it they are refused.

    `token`, where there is one, is the secret key that every request must be signed with; `sessions` knows whether the
    session token of a temporary key is good, in either case. A body may have `largest_body` bytes and take
    `body_seconds` to arrive; at most `threads` handlers run at once. `why_absent` gives a sentence for an
    operation that has no handler.
    """

    def __init__(
        self,
        models: Models,
        handlers: Handlers,
        *,
        account: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
        token: str = "",
        sessions: sessions.Look | None = None,
        s3: Application | None = None,
        s3_forms: FormApplication | None = None,
        s3_consents: Callable[[Scope], Awaitable[bool]] | None = None,
        s3_anonymous: bool = False,
        elsewhere: Elsewhere | None = None,
        clock: Callable[[], float] = time.time,
        largest_body: int = 32 * MEBIBYTE,
        body_seconds: float = 60.0,
        threads: int = 32,
        why_absent: Callable[[str, str], str] = lambda _service, _operation: "",
    ) -> None:
        self._models = models
        self._handlers = handlers
        self._router = Router(models)
        self._account, self._region, self._token = account, region, token
        self._sessions = sessions
        self._s3, self._s3_forms, self._s3_consents = s3, s3_forms, s3_consents
        self._s3_anonymous = s3_anonymous
        self._elsewhere = elsewhere
        self._spoken: set[str] = set()  # signing names that were found in the models
        self._clock = clock
        self._largest_body, self._body_seconds = largest_body, body_seconds
        self._threads = anyio.CapacityLimiter(threads)
        self._why_absent = why_absent

    def load(self) -> None:
        """Ask for the handlers of every service, where they are made when they are asked for."""
        for service in self._handlers:
            self._handlers[service]

    def call(self, service: str, operation: str, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Call an operation as a client would, without HTTP: same checks, same errors, same cut to the output shape.

        Timestamps are epoch seconds (a datetime is taken too), blobs are bytes.
        """
        try:
            found = self._models.operation(service, operation)
        except KeyError:
            raise UnknownOperation from None
        handler = self._handler(found)
        accepted = {} if found.input is None else shapes.accept(found.input, dict(params))
        return self._run(handler, found, accepted, caller)

    def answer(self, request: Request) -> Response:
        """Answer a request that was read whole. Only here do exceptions end."""
        request_id = str(uuid.uuid4())
        route, service, operation = RoutedOperation(None, None, _likely_protocol(request)), None, None
        start = time.perf_counter()
        try:
            # A signature is of the body as it came; SDKs compress larger ones, such as those of PutMetricData.
            came, request = request, inflated(request, self._largest_body)
            route = self._router.route(request)
            self._authorize(came, route.protocol)
            service, operation = self._find(route)
            handler = self._handler(operation)
            params = CODECS[route.protocol].decode(operation, request)
            who = caller_in(request.credential_scope, request.headers, self._account, self._region)
            result = self._run(handler, operation, params, who)
            response = CODECS[route.protocol].encode(service, operation, result, request_id)
        except AwsError as error:
            response = CODECS[route.protocol].encode_error(service, operation, error, request_id)
            log.info("%s %s: %s (%s)", route.wanted, route.operation, error, request_id)
        except Exception:
            log.exception("%s %s failed (%s)", route.wanted, route.operation, request_id)
            response = CODECS[route.protocol].encode_error(service, operation, internal_failure(request_id), request_id)
        else:
            log.debug("%s %s in %.1f ms", route.wanted, route.operation, (time.perf_counter() - start) * 1e3)
        return response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI endpoint. HTTP only; lifespan and websockets are the application's around it."""
        head = request_of(scope)
        if self._s3 is not None and await self._is_s3(head):
            await self._answer_s3(self._s3, scope, receive, send)
            return
        service = await self._unspoken(head)
        if service and not self._token:
            # Nothing here needs the body: it may be an hour's stream.
            await self._answer_unspoken(service, head, scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await asgi.read_body(
                    receive, self._largest_body, asgi.header(scope["headers"], b"content-length")
                )
        except ClientGone:
            return
        except TimeoutError:
            response = self._refuse(head, AwsError("RequestTimeout", "The body did not arrive in time.", 408))
        except BodyTooLarge:
            words = f"Request size exceeded {self._largest_body} bytes"
            response = self._refuse(head, AwsError("RequestEntityTooLargeException", words, 413))
        else:
            request = replace(head, body=body)
            if service:
                await self._answer_unspoken(service, request, scope, asgi.whole(body), send)
                return
            response = await asgi.in_thread(self.answer, request, limiter=self._threads)
        await respond(send, response)

    async def _unspoken(self, head: Request) -> str:
        signed = head.credential_scope
        if signed is not None and signed.service in self._spoken:
            return ""
        service = await asgi.in_thread(self._router.unspoken, head, limiter=self._threads)
        if not service and signed is not None:
            self._spoken.add(signed.service)
        return service

    async def _answer_unspoken(
        self, service: str, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        protocol = unspoken.authorization_protocol(service, request)
        try:
            await asgi.in_thread(self._authorize, request, protocol, limiter=self._threads)
            if self._elsewhere is None:
                raise UnspokenService(service)
        except AwsError as error:
            log.info("%s %s: %s", request.method, request.path, error)
            await respond(send, unspoken.encode_error(service, request, error, str(uuid.uuid4())))
            return
        who = caller_in(request.credential_scope, request.headers, self._account, self._region)
        await self._elsewhere(service, who, scope, receive, send)

    async def for_foreign_page(self, scope: Scope) -> Application | None:
        """What answers a request of a page of another origin: S3, where the bucket's rules let the page in; or None."""
        s3 = self._s3
        if s3 is None or self._s3_consents is None or not await self._s3_consents(scope):
            return None
        return partial(self._answer_s3, s3)

    async def _answer_s3(self, s3: Application, scope: Scope, receive: Receive, send: Send) -> None:
        head = request_of(scope)
        if self._s3_forms is not None and head.method == "POST" and head.content_type == "multipart/form-data":
            try:
                await self._s3_forms(scope, receive, send, self._check_form)
            except AwsError as error:
                await self.refuse(scope, send, error)
            return
        refusal = self._refuse_s3(head)
        if refusal is None:
            await s3(scope, receive, send)
        else:
            await respond(send, refusal)

    async def identify(self, scope: Scope, body: bytes) -> tuple[str, str]:
        """Account and region of a request that is answered elsewhere. AwsError where it is not signed as it must be."""
        if not self._token:  # the signature is not checked, so the body does not count
            signed = lasting_credential(scope["headers"])
            if signed is not None:
                # Most requests, and nothing else of them matters here.
                return account_of(signed.access_key, self._account), signed.region or self._region
        request = request_of(scope)
        if not self._token:
            self._authorize(request, "rest-json")
        elif len(body) > _HASHED_AT_ONCE:
            await asgi.in_thread(self._authorize, replace(request, body=body), "rest-json", limiter=self._threads)
        else:
            self._authorize(replace(request, body=body), "rest-json")
        who = caller_in(request.credential_scope, request.headers, self._account, self._region)
        return who.account, who.region

    async def refuse(self, scope: Scope, send: Send, error: AwsError) -> None:
        """Answer with an error a request of which only the head was read, in the protocol that it seems to speak."""
        head = request_of(scope)
        protocol = "s3" if await self._is_s3(head) else _likely_protocol(head)
        log.info("%s %s: %s", head.method, head.path, error)
        await respond(send, CODECS[protocol].encode_error(None, None, error, str(uuid.uuid4())))

    async def _is_s3(self, head: Request) -> bool:
        if head.credential_scope is not None:
            return self._router.is_s3(head)
        # Where no signature names the service, the models may have to be read.
        return await asgi.in_thread(self._router.is_s3, head, limiter=self._threads)

    def _authorize(self, request: Request, protocol: sessions.Protocol, body_was_read: bool = True) -> None:
        # The key first, as AWS does: without the session token of its key, a signature proves nothing.
        if self._sessions is not None:
            sessions.check(request, protocol, self._sessions)
        if protocol == "s3":
            signature.check_presigned(request, self._clock())
        if self._token:
            try:
                signature.verify(request, self._token, self._clock(), body_was_read)
            except AwsError as error:
                # AWS's JSON services answer 400 to what is not signed as it must be, the others 403.
                status = 400 if protocol in ("json", "cbor") else error.status
                raise AwsError(error.code, error.message, status) from None

    def _find(self, route: RoutedOperation) -> tuple[Service, Operation]:
        if route.service is None or route.service == "s3":
            raise NotImplementedByEmulator(route.wanted or "this service", route.operation or "")
        service = self._models.service(route.service)
        operation = service.operations.get(route.operation or "")
        if operation is None:
            raise UnknownOperation
        return service, operation

    def _handler(self, operation: Operation) -> Handler:
        # Refused before the request is validated: correcting a request that is not implemented would be in vain.
        handler = self._handlers.get(operation.service, _NO_HANDLERS).get(operation.name)
        if handler is None:
            why = self._why_absent(operation.service, operation.name)
            raise NotImplementedByEmulator(operation.service, operation.name, why)
        return handler

    def _run(self, handler: Handler, operation: Operation, params: dict[str, Any], who: Caller) -> dict[str, Any]:
        if operation.input is not None:
            validate(operation.input, params, words_of(operation))
        result = handler(params, who) or {}
        if operation.output is None:
            return {}
        projected: dict[str, Any] = shapes.project(operation.output, result)
        return projected

    def _refuse_s3(self, head: Request) -> Response | None:
        if self._s3_anonymous and not _claims_signature(head):
            return None
        try:
            self._authorize(head, "s3", body_was_read=False)
        except AwsError as error:
            return CODECS["s3"].encode_error(None, None, error, str(uuid.uuid4()))
        return None

    def _check_form(self, bucket: str, fields: Mapping[str, str], size: int) -> None:
        form = post_policy.Form(bucket, fields, size)
        if self._sessions is not None and form.access_key:
            sessions.check_key(form.access_key, fields.get("x-amz-security-token", ""), "s3", self._sessions)
        if self._token:
            post_policy.check_signature(form, self._token)
        post_policy.check_policy(form, self._clock())

    def _refuse(self, head: Request, error: AwsError) -> Response:
        log.info("%s %s: %s", head.method, head.path, error)
        return CODECS[_likely_protocol(head)].encode_error(None, None, error, str(uuid.uuid4()))


def _claims_signature(head: Request) -> bool:
    """Whether a request is signed, or tries to be: it has anything of a signature."""
    names = {name.lower() for name in head.query}
    return "authorization" in head.headers or not names.isdisjoint(_OF_SIGNATURES)


def _likely_protocol(request: Request) -> Any:
    """The protocol to refuse a request in that was not understood, or not read, far enough to be routed."""
    if "x-amz-target" in request.headers:
        return "json"
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    return "query" if request.content_type == "application/x-www-form-urlencoded" else "rest-json"
