"""A request that was read whole, and the response to it: all that a codec sees of HTTP."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_plus

from samebox import asgi
from samebox.asgi import Scope, Send
from samebox.errors import SerializationException
from samebox.wire.caller import scope as scope_of_credential
from samebox.wire.sigv4 import CredentialScope

_MEMO = "samebox.request"  # of a scope: what its request was found to be


@dataclass(frozen=True)
class Request:
    """`path` and `query_string` are as they came, still percent-encoded. Header names are lower case."""

    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""

    def changed(self, **changes: Any) -> "Request":
        """The same request with other fields. A query that stays is not parsed again."""
        other = replace(self, **changes)
        if "query_string" not in changes:
            for name in ("query", "query_lists"):
                if name in self.__dict__:
                    other.__dict__[name] = self.__dict__[name]
        return other

    @cached_property
    def credential_scope(self) -> CredentialScope | None:
        """See wire/caller.py."""
        return scope_of_credential(self.headers, self.query)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query's fields, decoded; of a field given twice, the first."""
        return MappingProxyType({name: texts[0] for name, texts in self.query_lists.items()})

    @cached_property
    def query_lists(self) -> Mapping[str, list[str]]:
        """The query's fields, decoded, with all their values."""
        lists: dict[str, list[str]] = {}
        if not self.query_string:
            return MappingProxyType(lists)
        # As `parse_qsl` reads it, in a third of the time: most of a presigned URL is not encoded.
        for pair in self.query_string.split("&"):
            if pair:
                key, _, value = pair.partition("=")
                lists.setdefault(_decoded(key), []).append(_decoded(value))
        return MappingProxyType(lists)

    @cached_property
    def host(self) -> str:
        """The host that the client meant, without a port, in lower case."""
        host = self.headers.get("host", "")
        if host.startswith("["):  # an IPv6 address
            return host.partition("]")[0].lstrip("[").lower()
        return host.partition(":")[0].lower()

    @cached_property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def _decoded(text: str) -> str:
    return _unquoted(text) if "%" in text or "+" in text else text


# Of a presigned URL it is the credential, which all of a client's requests of a day have.
_unquoted = lru_cache(maxsize=1000)(unquote_plus)


def inflated(request: Request, most: int) -> Request:
    """The request with its body as it was before the client compressed it (`Content-Encoding: gzip`).

    Raises SerializationException where it is not that, or would have more than `most` bytes.
    """
    if request.headers.get("content-encoding", "").lower() != "gzip" or not request.body:
        return request
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = unpacking.decompress(request.body, most + 1)
    except zlib.error:
        raise SerializationException("The request body is not compressed as its Content-Encoding says.") from None
    if len(body) > most or not unpacking.eof:
        raise SerializationException(f"The request body has more than {most} bytes, or is cut short.")
    return request.changed(body=body)


@dataclass(frozen=True)
class Response:
    """Header names in any case, as AWS writes them."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request_of(scope: Scope) -> Request:
    """The head of an ASGI request, without its body. Of a header given twice, both values, with a comma between."""
    memo = scope.get(_MEMO)
    if memo is not None and memo[0] is scope["headers"] and memo[1] is scope.get("raw_path"):
        request: Request = memo[2]
        return request
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    path = asgi.raw_path(scope).decode("latin-1")
    request = Request(scope["method"], path, scope.get("query_string", b"").decode("latin-1"), headers)
    # Each door asks again; a scope that was made of this one has other headers.
    scope[_MEMO] = (scope["headers"], scope.get("raw_path"), request)
    return request


async def respond(send: Send, response: Response) -> None:
    """Send a whole response. A length that it has already is that of a body which HEAD leaves out."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if asgi.header(headers, b"content-length") is None:
        await asgi.respond(send, response.status, headers, response.body)
        return
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
