"""The edge: one URL, and a table of its handlers. An ASGI callable that picks one by the path.

Before anything else it refuses requests that a browser sends for a page of another origin (traffic/origins.py).
"""

import ipaddress
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import anyio.to_thread

from samebox import asgi
from samebox.asgi import Application, Receive, Scope, Send
from samebox.errors import AwsError
from samebox.platform import networks
from samebox.proxy import targets
from samebox.traffic import cors, front_page
from samebox.traffic.origins import ForeignOrigin, OriginPolicy, host_name
from samebox.wire import s3_address

Refuse = Callable[[Scope, Send, AwsError], Awaitable[None]]

READY_PATH = "/_samebox/ready"
STATUS_PATH = "/_samebox/status"
FAULTS_PATH = "/_samebox/faults"
# What AWS's load balancers take of a request's headers at most; S3 takes less (traffic/s3.py).
HEAD_BYTES = 64 * 1024
DRAIN_SECONDS = 10.0
# Neither range is routed between machines: the network of 169.254.170.2, and jobs' own.
NETWORKS_OF_CONTAINERS = (ipaddress.ip_network("169.254.0.0/16"), networks.RANGE)
METADATA_PATHS = ("/v2/credentials/", "/v3/", "/v4/")
# In a scope: the client took us for a proxy of plain HTTP, and named a host with its path.
PROXIED = "samebox.proxied"


@dataclass(frozen=True)
class Edge:
    """Everything that answers on our URL; `doors` says what.

    `registry` speaks the Docker Registry HTTP API. `metadata` answers what containers ask of 169.254.170.2. `status` is
    what `samebox status` shows, and names folders and jobs: it is for clients that may use the API, which `authorize`
    knows. `ready` is asked many times while an emulator starts, so it reads nothing; probes do not sign, so it reveals
    nothing of this machine. `refuse` answers with an error in the protocol that a request seems to speak. `page` is
    what a browser shows.
    """

    invocations: Application
    registry: Application
    metadata: Application
    gateway: Application
    ready: Callable[[], dict[str, Any]]
    status: Callable[[], dict[str, Any]]
    faults: Application  # at which they are listed, set and cleared
    metadata_host: str
    origins: OriginPolicy
    # (request, body); AwsError where it is not signed as it must be
    authorize: Callable[[Scope, bytes], Awaitable[object]]
    is_near: Callable[[str], bool]  # whether an address is this machine's, or a container's of ours
    refuse: Refuse
    page: Callable[[str], str]
    # What answers a request of a page that no setting allows: S3, where the bucket's CORS rules name the page's origin.
    foreign: Callable[[Scope], Awaitable[Application | None]]
    docker_address: str | None = None  # at which the registry alone answers, to whatever reaches it

    @cached_property
    def doors(self) -> tuple[tuple[Callable[[Scope], bool], Application], ...]:
        """The first whose condition holds answers. Invocations come first: their path is measured in microseconds."""
        return (
            (_is_invocation, self.invocations),
            (self._is_of_metadata, self.metadata),
            (_is_telemetry, self._answer_nothing),
            (_names_bucket, self.gateway),
            # S3 cannot be meant by these paths where the bucket is in the path: its name has three characters at least.
            (lambda scope: scope["path"] == "/v2" or scope["path"].startswith("/v2/"), self.registry),
            (lambda scope: scope["path"] == READY_PATH, self._answer_ready),
            (lambda scope: scope["path"] == STATUS_PATH, self._answer_status),
            (lambda scope: scope["path"] == FAULTS_PATH, self.faults),
            (_wants_page, self._answer_page),
            (lambda _: True, self.gateway),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            return  # websockets are not spoken here yet; lifespan is switched off
        try:
            _check_size(scope)
            origin = self.origins.check(scope["headers"], self._has_name_of_aws(scope))
        except ForeignOrigin as error:
            answer = None if scope["server"][0] == self.docker_address else await self.foreign(scope)
            if answer is None:
                await self._turn_away(scope, send, error)
            elif await self._may_ask(scope, send):
                # Not by its path: a bucket may be called as another service's path begins.
                await answer(scope, receive, send)
            return
        except AwsError as error:
            await self._turn_away(scope, send, error)
            return
        if origin is None:
            await self._pass_on(scope, receive, send)
        elif cors.is_preflight(scope):
            await cors.permit(scope, send, origin)
        else:
            await self._pass_on(scope, receive, cors.readable(send, origin))

    async def _turn_away(self, scope: Scope, send: Send, error: AwsError) -> None:
        if scope["path"].startswith("/v2"):
            await asgi.respond_json(send, error.status, {"errors": [{"code": "DENIED", "message": error.message}]})
        else:
            await self.refuse(scope, send, error)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await self._may_ask(scope, send):
            return
        if self.docker_address is not None and scope["server"][0] == self.docker_address:
            if scope["path"] != "/v2" and not scope["path"].startswith("/v2/"):
                await asgi.respond_json(send, 403, {"message": "Only the registry is served here."})
            else:
                await self.registry(scope, receive, send)
            return
        for is_meant, answer in self.doors:
            if is_meant(scope):
                await answer(scope, receive, send)
                return

    async def _may_ask(self, scope: Scope, send: Send) -> bool:
        if scope["server"][0] != self.metadata_host or _is_near(scope["client"]):
            return True
        # A packet was routed here to an address that only containers of this machine may use.
        await asgi.respond_json(send, 403, {"message": "Only containers of this machine are served here."})
        return False

    def _has_name_of_aws(self, scope: Scope) -> bool:
        # Where there is TLS, our own authority says so (proxy/authority.py), and no browser trusts it.
        if scope.get("scheme") == "https":
            return True
        return PROXIED in scope and self.is_near((scope["client"] or ("",))[0])

    def _is_of_metadata(self, scope: Scope) -> bool:
        path: str = scope["path"]
        return bool(scope["server"][0] == self.metadata_host) and path.startswith(METADATA_PATHS)

    async def _answer_ready(self, _: Scope, __: Receive, send: Send) -> None:
        await asgi.respond_json(send, 200, self.ready())

    async def _answer_nothing(self, _: Scope, receive: Receive, send: Send) -> None:
        await asgi.drain(receive, HEAD_BYTES, DRAIN_SECONDS)
        await asgi.respond(send, 200)

    async def _answer_page(self, scope: Scope, _: Receive, send: Send) -> None:
        host = asgi.header(scope["headers"], b"host") or b"localhost"
        body = self.page(f"http://{host.decode('latin-1')}").encode()
        await asgi.respond(send, 200, front_page.HEADERS, body, has_body=scope["method"] != "HEAD")

    async def _answer_status(self, scope: Scope, _: Receive, send: Send) -> None:
        try:
            await self.authorize(scope, b"")
        except AwsError as error:
            await asgi.respond_json(send, error.status, {"__type": error.code, "message": error.message})
        else:
            # In a thread: it reads the store, and waits a moment for the container engine.
            await asgi.respond_json(send, 200, await anyio.to_thread.run_sync(self.status))


def _is_invocation(scope: Scope) -> bool:
    path: str = scope["path"]
    # S3 has POSTs too, all with a query, and a bucket may be in the host.
    return (
        path.startswith("/endpoints/") and path.endswith("/invocations")
        and scope["method"] == "POST" and not scope["query_string"]
    )  # fmt: skip


def _host(scope: Scope) -> str:
    return host_name((asgi.header(scope["headers"], b"host") or b"").decode("latin-1"))


def _is_telemetry(scope: Scope) -> bool:
    return scope.get("scheme") == "https" and targets.is_telemetry(_host(scope))


def _names_bucket(scope: Scope) -> bool:
    host = _host(scope)
    return targets.is_aws(host) and s3_address.bucket_in(host) != ""


def _is_near(client: tuple[str, int] | None) -> bool:
    return client is not None and any(ipaddress.ip_address(client[0]) in one for one in NETWORKS_OF_CONTAINERS)


def _wants_page(scope: Scope) -> bool:
    """A person's browser at `/`. AWS's clients accept no HTML, and sign: theirs is S3's ListBuckets."""
    if scope["path"] != "/" or scope["method"] not in ("GET", "HEAD") or scope["query_string"]:
        return False
    named = dict(scope["headers"])
    return b"text/html" in named.get(b"accept", b"") and b"authorization" not in named


def _check_size(scope: Scope) -> None:
    of_headers = sum(map(len, itertools.chain.from_iterable(scope["headers"])))
    if len(scope["query_string"]) + len(scope["path"]) + of_headers > HEAD_BYTES:
        raise AwsError("RequestHeaderSectionTooLarge", f"Request line and headers exceed {HEAD_BYTES} bytes.", 431)
