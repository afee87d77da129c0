"""What `docker login`, `push` and `pull` talk to at /v2/: ECR's rules in front of a plain registry.

The registry behind holds every account's repositories under account/region/name and trusts every client that knows its
path, which is the emulator alone. Tags are kept in our store only (services/repositories.py): manifests are requested
by digest, even where the client names a tag.
"""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, urlencode

import anyio

from samebox import asgi
from samebox.asgi import Headers, Receive, RequestHead, Scope, Send
from samebox.errors import AwsError
from samebox.resources.kinds import REPOSITORY
from samebox.resources.resources import Resources
from samebox.resources.store import Changed, Resource
from samebox.services import registry_tokens, repositories
from samebox.services.context import Registry
from samebox.services.repositories import PushedImages, TagTaken
from samebox.traffic.forward import Failure, Forward, ProxyResponse
from samebox.wire.caller import Caller

log = logging.getLogger(__name__)

_TARGET = re.compile(r"/v2/(?P<name>.+)/(?P<what>manifests|blobs|tags|referrers)/(?P<rest>[^?]+)")
_UPLOADS = "uploads/"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REFERENCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,299}")
# A last chunk, or the check of a large layer's digest, may take a while to be answered.
_IDLE_SECONDS = 300.0
# Threads that read and write rows at once; as many more may wait for the registry to start.
_THREADS = 16
_HEAD = "samebox.head"  # where the request's new head travels from our decision to the proxy


@dataclass(frozen=True)
class _Place:
    """What a request is about: a repository, and a manifest, blob, upload or list in it."""

    repository: Resource
    what: str
    rest: str
    query: str

    @property
    def target(self) -> bytes:
        path = f"/v2/{repositories.name_in_registry(self.repository)}/{self.what}/{self.rest}"
        return (path + (f"?{self.query}" if self.query else "")).encode("latin-1")


class RegistryEndpoint:
    """The ASGI application for /v2/. `url` gives the registry's base URL, started when first needed."""

    def __init__(
        self,
        resources: Resources,
        pushed: PushedImages,
        manifests: Registry,
        secret: bytes,
        url: Callable[[], str],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._resources = resources
        self._pushed = pushed
        self._manifests = manifests
        self._secret = secret
        self._url = url
        self._forget = forget
        self._forwards: dict[str, Forward] = {}
        self._threads, self._starts = anyio.CapacityLimiter(_THREADS), anyio.CapacityLimiter(_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = asgi.request_head(scope)
        decided = await asgi.in_thread(self.decide, head, limiter=self._threads)
        if isinstance(decided, RequestHead):
            try:
                forward = await asgi.in_thread(self._forward, limiter=self._starts)
            except AwsError as error:
                decided = _refusal(503, "UNAVAILABLE", error.message)
            else:
                scope[_HEAD] = decided
                await forward(scope, receive, send)
                return
        await asgi.respond(send, decided.status, decided.headers, decided.body or b"", head.method != "HEAD")

    async def close(self) -> None:
        """Close the connections to the registry."""
        for forward in self._forwards.values():
            await forward.close()

    def decide(self, head: RequestHead) -> RequestHead | ProxyResponse:
        """The request for the registry behind, or our own response to it."""
        try:
            caller = self._caller(head)
        except registry_tokens.Expired:
            return _refusal(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
        if caller is None:
            return ProxyResponse(401, (*_HEADERS, (b"www-authenticate", _CHALLENGE)), b"Not Authorized\n")
        path, _, query = head.target.decode("latin-1").partition("?")
        if path in ("/v2", "/v2/"):
            return ProxyResponse(200, _JSON, b"{}")
        found = _TARGET.fullmatch(path)
        if found is None:
            return _refusal(404, "UNSUPPORTED", "The operation is unsupported.")
        is_reading = head.method in ("GET", "HEAD")
        repository = self._repository(caller, found["name"], is_reading)
        if repository is None:
            return _refusal(
                404,
                "NAME_UNKNOWN",
                f"The repository with name '{found['name']}' does not exist in the registry with id '{caller.account}'",
            )
        place = _Place(repository, found["what"], found["rest"], query)
        if place.what == "tags":
            return self._tag_list(repository)
        if place.what == "manifests":
            return self._manifest(head, place, is_reading)
        if head.method == "DELETE" and not place.rest.startswith(_UPLOADS):
            return _refusal(405, "UNSUPPORTED", "The operation is unsupported.")
        return replace(head, target=self._mounted(caller, place).target, headers=_without_authorization(head.headers))

    def _caller(self, head: RequestHead) -> Caller | None:
        authorization = dict(head.headers).get(b"authorization", b"").decode("latin-1")
        scheme, _, basic = authorization.partition(" ")
        if scheme.lower() != "basic":
            return None
        return registry_tokens.verify(self._secret, basic.strip(), self._resources.now())

    def _repository(self, caller: Caller, name: str, is_reading: bool) -> Resource | None:
        found = self._resources.find(REPOSITORY, caller, name)
        if found is None and is_reading:
            # Images of another account are pulled as account/region/name (services/images.py). No policies here forbid
            # it.
            account, _, rest = name.partition("/")
            region, _, inner = rest.partition("/")
            if inner:
                found = self._resources.find(REPOSITORY, Caller(account, region), inner)
        return found

    def _manifest(self, head: RequestHead, place: _Place, is_reading: bool) -> RequestHead | ProxyResponse:
        digest = place.rest if _DIGEST.fullmatch(place.rest) else None
        tag = None if digest else place.rest
        if tag is not None and not _REFERENCE.fullmatch(tag):
            return _refusal(400, "TAG_INVALID", f"Invalid tag '{tag}'")
        headers = _without_authorization(head.headers)
        if is_reading:
            pushed = self._pushed.find(place.repository, tag, digest)
            if pushed is None:
                return _refusal(404, "MANIFEST_UNKNOWN", "Requested image not found")
            return replace(head, target=replace(place, rest=pushed.digest).target, headers=headers)
        if head.method != "PUT":
            return _refusal(405, "UNSUPPORTED", "The operation is unsupported.")
        if tag is not None and self._pushed.is_immutable(place.repository, tag):
            return _immutable(place.repository, tag)
        return replace(head, target=place.target, headers=headers)

    def _tag_list(self, repository: Resource) -> ProxyResponse:
        tags = sorted(tag for tags in self._pushed.tags(repository).values() for tag in tags)
        return ProxyResponse(200, _JSON, json.dumps({"name": repository.name, "tags": tags}).encode())

    def _mounted(self, caller: Caller, place: _Place) -> _Place:
        # Another repository of the same registry may lend a layer; it too has another name behind us.
        query = dict(parse_qsl(place.query, keep_blank_values=True))
        if "from" not in query:
            return place
        source = self._resources.find(REPOSITORY, caller, query["from"])
        if source is None:
            query = {name: value for name, value in query.items() if name not in ("from", "mount")}
        else:
            query["from"] = repositories.name_in_registry(source)
        return replace(place, query=urlencode(query, quote_via=quote))

    def _forward(self) -> Forward:
        url = self._url()
        if url not in self._forwards:
            self._forwards[url] = Forward(
                url,
                on_request=_decided,
                on_answer=self._answered,
                on_failure=self._failed,
                idle_timeout=_IDLE_SECONDS,
            )
        return self._forwards[url]

    async def _answered(self, head: RequestHead, answer: ProxyResponse) -> ProxyResponse:
        """Write down a push before it is answered, and take our own part out of names."""
        found = _TARGET.match(head.target.decode("latin-1").partition("?")[0])
        if found is None:
            return answer
        account, region, name = found["name"].split("/", 2)
        headers = _renamed(answer.headers, f"{account}/{region}/{name}", name)
        if head.method == "PUT" and found["what"] == "manifests" and answer.status == 201:
            push = (Caller(account, region), name, found["rest"], dict(head.headers), dict(headers))
            refused = await asgi.in_thread(self._record, *push, limiter=self._threads)
            if refused is not None:
                return refused
        return replace(answer, headers=headers)

    def _record(
        self, owner: Caller, name: str, reference: str, request: dict[bytes, bytes], answer: dict[bytes, bytes]
    ) -> ProxyResponse | None:
        digest = answer[b"docker-content-digest"].decode()
        media_type = request.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
        tag = None if _DIGEST.fullmatch(reference) else reference
        repository = self._resources.find(REPOSITORY, owner, name)
        gone = _refusal(404, "NAME_UNKNOWN", f"The repository with name '{name}' was deleted during the push")
        if repository is None:
            return gone
        try:
            # It went by in pieces; asking for it is cheap, and what it says never changes.
            body = self._manifests.manifest(repositories.name_in_registry(repository), digest)
            self._pushed.put(repository, digest, repositories.manifest_facts(media_type, body or b""), tag)
        except AwsError as error:
            return _refusal(503, "UNAVAILABLE", error.message)
        except Changed:
            return gone
        except TagTaken:  # by a push that was faster
            return _immutable(repository, reference)
        log.info("%s:%s: pushed %s", name, tag or "", digest)
        return None

    def _failed(self, head: RequestHead, failure: Failure) -> ProxyResponse:
        log.warning("registry: %s %s: %s", head.method, head.target.decode("latin-1"), failure.message)
        self._forget()
        return _refusal(503, "UNAVAILABLE", f"The registry did not answer: {failure.message}")


_HEADERS: Headers = ((b"docker-distribution-api-version", b"registry/2.0"),)
_JSON: Headers = (*_HEADERS, (b"content-type", b"application/json; charset=utf-8"))
_CHALLENGE = b'Basic realm="samebox",service="ecr.amazonaws.com"'


def _refusal(status: int, code: str, message: str) -> ProxyResponse:
    # The form docker prints from: "name unknown: The repository with name …".
    return ProxyResponse(status, _JSON, json.dumps({"errors": [{"code": code, "message": message}]}).encode())


def _immutable(repository: Resource, tag: str) -> ProxyResponse:
    return _refusal(400, "TAG_INVALID", repositories.immutable(repository, tag))


def _renamed(headers: Headers, inner: str, outer: str) -> Headers:
    # The registry's own path comes first, and stays secret (containers/registry_server.py).
    pattern = re.compile(rb"^(?:https?://[^/]+)?(?:/[0-9a-f]+)?/v2/" + re.escape(inner.encode()) + rb"/")
    return tuple(
        (name, pattern.sub(f"/v2/{outer}/".encode(), value) if name == b"location" else value)
        for name, value in headers
    )


def _without_authorization(headers: Headers) -> Headers:
    return tuple((name, value) for name, value in headers if name != b"authorization")


async def _decided(_: RequestHead, scope: Scope) -> RequestHead:
    head: RequestHead = scope[_HEAD]
    return head
