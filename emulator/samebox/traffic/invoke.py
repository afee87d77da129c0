"""InvokeEndpoint: from a client's POST to a container's /invocations and back, in AWS's words (contract.md §2.3)."""

import asyncio
import itertools
import json
import logging
import random
import time
import urllib.parse
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import anyio

from samebox import asgi
from samebox.asgi import BodyTooLarge, ClientGone, Header, Receive, Scope, Send
from samebox.errors import AwsError
from samebox.traffic.client import HttpClient
from samebox.traffic.connection import NotConnected, UpstreamError, WholeResponse
from samebox.traffic.hooks import Activator, ModelLoader
from samebox.traffic.model_error import ModelError, cut_off, model_error, passed_too_much
from samebox.traffic.observers import Invocation, ObserverQueue
from samebox.traffic.routes import Address, Key, Route, RoutingTable, Target

log = logging.getLogger(__name__)

# (request, body) -> account and region; may refuse with AwsError
Identify = Callable[[Scope, bytes], Awaitable[tuple[str, str]]]

# All other headers are stripped on the way in. Whether Inference-Id and Target-Variant reach the container on AWS is
# unverified (contract.md §9, 12); the documented ones do.
_TO_CONTAINER = {
    b"content-type": b"Content-Type",
    b"accept": b"Accept",
    b"x-amzn-sagemaker-custom-attributes": b"X-Amzn-SageMaker-Custom-Attributes",
    b"x-amzn-sagemaker-session-id": b"X-Amzn-SageMaker-Session-Id",
}
_TO_CLIENT = {
    b"content-type": b"Content-Type",
    b"x-amzn-sagemaker-custom-attributes": b"X-Amzn-SageMaker-Custom-Attributes",
    b"x-amzn-sagemaker-new-session-id": b"X-Amzn-SageMaker-New-Session-Id",
    b"x-amzn-sagemaker-closed-session-id": b"X-Amzn-SageMaker-Closed-Session-Id",
}
# The API's model bounds what a client sends and gets in these (InvokeEndpointInput, InvokeEndpointOutput).
LONGEST = {
    b"content-type": 1024,
    b"accept": 1024,
    b"x-amzn-sagemaker-custom-attributes": 1024,
    b"x-amzn-sagemaker-session-id": 256,
    b"x-amzn-sagemaker-new-session-id": 256,
    b"x-amzn-sagemaker-closed-session-id": 256,
}
_MEMBERS = {
    b"content-type": "contentType",
    b"accept": "accept",
    b"x-amzn-sagemaker-custom-attributes": "customAttributes",
    b"x-amzn-sagemaker-session-id": "sessionId",
}
_IDS_BEGIN = str(uuid.uuid4())[:24].encode()
_IDS = itertools.count(random.getrandbits(48))
_LOOKS = 4  # for endpoints without a route, at once
_ACTIVATION_SECONDS = 60.0  # choice: how long a request is held while its first container comes


class _Call:
    """One request, as much of it as is known."""

    __slots__ = ("body", "headers", "instances", "key", "model_seconds", "received", "reply", "variant")

    def __init__(self) -> None:
        self.received = time.perf_counter()
        self.key = Key("", "", "")
        self.headers: Mapping[bytes, bytes] = {}
        self.body = b""
        self.variant = ""  # empty until it is asked
        self.instances = 0
        self.model_seconds = 0.0
        self.reply: WholeResponse | None = None

    def invocation(self) -> Invocation:
        """For observers."""
        reply = self.reply or WholeResponse(0, (), b"")
        seconds = time.perf_counter() - self.received
        return Invocation(
            self.key, self.variant, self.instances, reply.status, seconds, self.model_seconds, self.headers, self.body,
            reply.headers, reply.body,
        )  # fmt: skip


class Invocations:
    """The ASGI callable behind `POST /endpoints/{name}/invocations`.

    `limit` is the largest body in bytes, both ways; `seconds` how long a container may take. `lenient` decides what
    the container contract leaves open: a status that is neither 2xx nor 4xx nor 5xx is passed on as 200, and so is
    Content-Encoding; else such a status is a ModelError, and the header is dropped like every undocumented one.

    `observers` see each invocation that reached a container. `activator` is asked for a container where a variant has
    none, and has `activation_seconds`; `loader` is asked for the container of a target model. Endpoints without the one
    or the other cost nothing for it. `look_up` brings the table to what is stored of an endpoint; it may block, and is
    called where the table has no route. One container of a pipeline may send `pipeline_bytes` to the next.
    """

    def __init__(
        self,
        table: RoutingTable,
        client: HttpClient,
        identify: Identify,
        limit: int,
        seconds: float,
        lenient: bool = False,
        observers: ObserverQueue | None = None,
        activator: Activator | None = None,
        loader: ModelLoader | None = None,
        activation_seconds: float = _ACTIVATION_SECONDS,
        look_up: Callable[[Key], None] | None = None,
        pipeline_bytes: int = 5 << 20,
    ) -> None:
        self._pipeline_bytes = pipeline_bytes
        self._table = table
        self._observers = observers
        self._activator, self._loader = activator, loader
        self._activation_seconds = activation_seconds
        self._look_up = look_up
        self._limiter = anyio.CapacityLimiter(_LOOKS)
        self._client = client
        self._identify = identify
        self._limit = limit
        self._seconds = seconds
        self._lenient = lenient
        self._to_client = _TO_CLIENT | ({b"content-encoding": b"Content-Encoding"} if lenient else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        call = _Call()
        try:
            body = await asgi.read_body(receive, self._limit, headers.get(b"content-length"))
            account, region = await self._identify(scope, body)
            name = urllib.parse.unquote(scope["path"][len("/endpoints/") : -len("/invocations")])
            call.key, call.headers, call.body = Key(account, region, name), headers, body
            target, reply = await self._invoke(call)
        except AwsError as error:
            await _answer(send, error.status, [(b"x-amzn-errortype", error.code.encode())], _error_body(error))
            self._observe(call)
            return
        except BodyTooLarge:
            await _answer(send, 413, [], _json({"message": f"HTTP content length exceeded {self._limit} bytes."}))
            return
        except ClientGone:
            return
        out = [
            (self._to_client[name], _within(name, value, target))
            for name, value in reply.headers
            if name in self._to_client
        ]
        out.append((b"x-Amzn-Invoked-Production-Variant", target.variant.encode()))
        await _answer(send, 200, out, reply.body)
        self._observe(call)

    def _observe(self, call: _Call) -> None:
        if self._observers is not None and call.variant:
            self._observers.put(call.invocation())

    async def _invoke(self, call: _Call) -> tuple[Target, WholeResponse]:
        """Send a body to one of the endpoint's containers. Raises AwsError: ValidationError, ModelError and others."""
        route, target = await self._chosen(call.key, call.headers)
        _check_lengths(call.headers)
        model = call.headers.get(b"x-amzn-sagemaker-target-model")
        places, path = route.addresses(target), b"/invocations"
        if model is not None and self._loader is not None:
            address, path = await self._loader.load(route, target, model.decode("latin-1"))
            places = (address,)
        call.variant, call.instances = target.variant, len(target.addresses)
        asked = time.perf_counter()
        inward = [(_TO_CONTAINER[name], value) for name, value in call.headers.items() if name in _TO_CONTAINER]
        try:
            if target.further:
                return target, await self._piped(route, target, call, inward, places)
            return target, await self._answered(route, target, call, call.body, inward, places, path, self._seconds)
        finally:
            call.model_seconds = time.perf_counter() - asked

    async def _piped(
        self, route: Route, target: Target, call: _Call, headers: Iterable[Header], places: Iterable[Address]
    ) -> WholeResponse:
        """Through the containers of a pipeline: each further one gets body and media type of the response before, and
        the last one alone the client's Accept (contract.md §2.7). Choice: all together have the time of one.
        """
        until, body, last = time.perf_counter() + self._seconds, call.body, len(target.further)
        stages = [(target, places)]
        stages += [(replace(target, container=one.container), route.addresses(one)) for one in target.further]
        for number, (stage, addresses) in enumerate(stages):
            own = [one for one in headers if number == last or one[0] != b"Accept"]
            left = max(until - time.perf_counter(), 0.0)
            reply = await self._answered(route, stage, call, body, own, addresses, b"/invocations", left)
            if number < last and len(reply.body) > self._pipeline_bytes:
                following = stages[number + 1][0].container
                raise passed_too_much(route, stage.container, following, reply, self._pipeline_bytes)
            media, body = reply.header(b"content-type"), reply.body
            headers = [one for one in headers if one[0] != b"Content-Type"]
            headers += [(b"Content-Type", media)] if media else []
        return reply

    async def _answered(
        self,
        route: Route,
        target: Target,
        call: _Call,
        body: bytes,
        headers: Iterable[Header],
        places: Iterable[Address],
        path: bytes,
        seconds: float,
    ) -> WholeResponse:
        reply = call.reply = await self._asked(route, target, body, headers, places, path, seconds)
        if not 200 <= reply.status < 300 and not (self._lenient and not 400 <= reply.status < 600):
            raise model_error(route, target, reply.status, reply.body.decode("utf-8", "replace"))
        return reply

    async def _chosen(self, key: Key, headers: Mapping[bytes, bytes]) -> tuple[Route, Target]:
        """The route of an endpoint, and which of its variants is asked; it has a container by then."""
        if self._look_up is not None and self._table.find(key) is None:
            await asgi.in_thread(self._look_up, key, limiter=self._limiter)
        route = self._route(key)
        _check_headers(route, headers, self._loader is not None)
        target = _target(route, headers, self._activator is not None)
        if not target.addresses and self._activator is not None:
            try:
                async with asyncio.timeout(self._activation_seconds):
                    await self._activator.activate(route, target)
            except TimeoutError:
                log.warning("endpoint %s: no container came in %g s", key.endpoint, self._activation_seconds)
            route = self._route(key)
            target = route.variant(target.variant) or target
        return route, target

    def _route(self, key: Key) -> Route:
        route = self._table.find(key)
        if route is None:
            raise AwsError("ValidationError", f"Endpoint {key.endpoint} of account {key.account} not found.")
        return route

    async def _asked(
        self,
        route: Route,
        target: Target,
        body: bytes,
        headers: Iterable[Header],
        places: Iterable[Address],
        path: bytes,
        seconds: float,
    ) -> WholeResponse:
        try:
            return await self._first_that_listens(route, target, places, path, headers, body, seconds)
        except UpstreamError as error:
            if error.reason == "timeout":
                # The container is not killed and keeps computing; it is only not listened to any more.
                message = (
                    f"Your invocation timed out while waiting for a response from container {target.container}. Review "
                    "the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
                )
                raise model_error(route, target, 0, message) from None
            if error.reason == "too large":
                message = f"The response of container {target.container} is larger than {self._limit} bytes."
                raise model_error(route, target, 0, message) from None
            if error.status:
                raise cut_off(route, target, error.status) from None
            # The text is ours: AWS's error when a container dies during a request is not recorded.
            raise model_error(route, target, 0, f"{error}") from None

    async def _first_that_listens(
        self,
        route: Route,
        target: Target,
        places: Iterable[Address],
        path: bytes,
        headers: Iterable[Header],
        body: bytes,
        seconds: float,
    ) -> WholeResponse:
        for address in places:
            try:
                return await self._client.ask(address, "POST", path, headers, body, seconds=seconds)
            except NotConnected as error:
                log.warning("endpoint %s: %s:%d does not listen: %s", route.key.endpoint, *address, error)
        raise AwsError("ServiceUnavailable", f"No container of variant {target.variant} accepts connections.", 503)


def _check_lengths(headers: Mapping[bytes, bytes]) -> None:
    for name, member in _MEMBERS.items():
        if len(headers.get(name, b"")) > LONGEST[name]:
            # The value is not repeated: the model calls it sensitive.
            raise AwsError(
                "ValidationError",
                f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
                f"Member must have length less than or equal to {LONGEST[name]}",
            )


def _within(name: bytes, value: bytes, target: Target) -> bytes:
    """A container's header as the API can give it. What becomes of a longer one is unverified (contract.md §2.3)."""
    most = LONGEST.get(name, len(value))
    if len(value) > most:
        log.warning("container %s: its %s has %d bytes, cut to %d", target.container, name.decode(), len(value), most)
    return value[:most]


def _check_headers(route: Route, headers: Mapping[bytes, bytes], has_models: bool) -> None:
    if b"x-amzn-sagemaker-target-model" in headers and not has_models:
        raise AwsError(
            "ValidationError",
            f"Endpoint {route.key.endpoint} is not a multi-model endpoint and does not support target model header.",
        )
    for header, word in (
        (b"x-amzn-sagemaker-inference-component", "inference component"),
        (b"x-amzn-sagemaker-target-container-hostname", "target container hostname"),
    ):
        if header in headers:
            # AWS's words for these two are unverified (contract.md §9, 21).
            raise AwsError("ValidationError", f"Endpoint {route.key.endpoint} does not support the {word} header.")


def _target(route: Route, headers: Mapping[bytes, bytes], can_come: bool) -> Target:
    wanted = headers.get(b"x-amzn-sagemaker-target-variant")
    if wanted is not None:
        name = wanted.decode("latin-1")
        target = route.variant(name)
        if target is None:
            raise AwsError("ValidationError", f"Variant {name} is not found in endpoint {route.key.endpoint}.")
        return target
    chosen = route.choose(needs_address=not can_come)
    if chosen is None:
        raise AwsError("ServiceUnavailable", f"No variant of endpoint {route.key.endpoint} takes traffic.", 503)
    return chosen


def _error_body(error: AwsError) -> bytes:
    # `ErrorCode` stands in AWS's bodies beside the modelled members (observed for client errors; the other is a guess).
    code: Mapping[str, Any] = {}
    if isinstance(error, ModelError):
        status = error.fields["OriginalStatusCode"]
        code = {"ErrorCode": "CLIENT_ERROR_FROM_MODEL" if 400 <= status < 500 else "INTERNAL_FAILURE_FROM_MODEL"}
    return _json({**code, **error.fields, "Message": error.message, "message": error.message})


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    if status != 200:
        headers = [(b"Content-Type", b"application/json"), *headers]
    headers.append((b"x-amzn-RequestId", _request_id()))
    await asgi.respond(send, status, headers, body)


def _request_id() -> bytes:
    """A UUID of version 4. It need not be secret: its last digits count on, as drawing them takes longer."""
    return b"%s%012x" % (_IDS_BEGIN, next(_IDS) % 16**12)
