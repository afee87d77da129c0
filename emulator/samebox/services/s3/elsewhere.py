"""S3 elsewhere: requests to the emulator's S3 are signed anew and passed on to another S3, and its answers come back.

Clients and containers keep their one endpoint URL and their own keys; the keys of the other S3 stay here. Bodies stream
in both directions. Requests go on in path style, whatever style they came in.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from samebox.asgi import RequestHead
from samebox.errors import AwsError
from samebox.services.s3.heads import check_time, head_of
from samebox.services.s3.unsigned import UnsignedChunks
from samebox.traffic.forward import Failure, Forward, ProxyResponse
from samebox.wire import restxml, sigv4
from samebox.wire.http import respond
from samebox.wire.sigv4 import CredentialScope

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.asgi import Header, Message, Receive, Scope, Send
    from samebox.wire.http import Request

log = logging.getLogger(__name__)

_SIGNED_CHUNKS = "STREAMING-AWS4-"
_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
# Of the request as it came: its signature and what belongs to it, and what the next connection decides for itself.
_LEFT_OUT = frozenset({"authorization", "host", "x-amz-date", "date", "x-amz-security-token", "x-amz-content-sha256"})
_SIGNING = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature",
     "x-amz-security-token", "awsaccesskeyid", "signature", "expires"}
)  # fmt: skip


@dataclass(frozen=True)
class Credentials:
    """Keys of the other S3."""

    access_key: str
    secret_key: str
    session_token: str = ""


class S3Elsewhere:
    """Passes requests on to the S3 at `url`, signed with `credentials` for `region`. `setting` is its name."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        region: str,
        setting: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._setting = url, setting
        self._host = urlsplit(url).netloc.rpartition("@")[2]
        self._credentials = credentials
        self._region = region
        self._clock = clock
        self._forward = Forward(url, on_failure=self._unreachable)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        head = head_of(scope)
        try:
            check_time(head, self._clock())
        except AwsError as error:
            await respond(send, restxml.encode_error(None, None, error, ""))
            return
        declared = head.headers.get("x-amz-content-sha256", sigv4.UNSIGNED)
        headers = {name: value for name, value in head.headers.items() if name not in _LEFT_OUT}
        if declared.startswith(_SIGNED_CHUNKS):
            has_trailers = declared.endswith("-TRAILER")
            receive = _unsigned(receive, UnsignedChunks(keeps_chunks=has_trailers))
            declared = _UNSIGNED_TRAILER if has_trailers else sigv4.UNSIGNED
            _describe_unsigned(headers, has_trailers)
        raw = self._signed(head, headers, declared)
        path, _, query = raw.target.partition(b"?")
        again = {
            **scope,
            "path": unquote(head.path),
            "raw_path": path,
            "query_string": query,
            "headers": [*raw.headers],
        }
        await self._forward(again, receive, send)

    async def close(self) -> None:
        """Close the connections that are kept for later."""
        await self._forward.close()

    def _signed(self, head: Request, headers: dict[str, str], payload: str) -> RequestHead:
        query = "&".join(
            pair for pair in head.query_string.split("&") if unquote(pair.partition("=")[0]).lower() not in _SIGNING
        )
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        headers = {**headers, "host": self._host, "x-amz-date": date, "x-amz-content-sha256": payload}
        if self._credentials.session_token:
            headers["x-amz-security-token"] = self._credentials.session_token
        scope = CredentialScope(self._credentials.access_key, date[:8], self._region, "s3")
        named = {name: value for name, value in headers.items() if name == "host" or name.startswith("x-amz-")}
        # As it is signed: servers decode the path that they see, and encode it again.
        path = quote(unquote(head.path), safe="/~")
        request = sigv4.SignedRequest(head.method, path, query, named, payload)
        found = sigv4.signature(self._credentials.secret_key, scope, date, request)
        headers["authorization"] = (
            f"{sigv4.ALGORITHM} Credential={scope.access_key}/{scope.text}, SignedHeaders={request.header_names}, "
            f"Signature={found}"
        )
        target = f"{path}?{query}" if query else path
        return RequestHead(head.method, target.encode(), tuple(_encoded(headers)))

    def _unreachable(self, head: RequestHead, failure: Failure) -> ProxyResponse:
        log.warning("S3 at %s could not be reached: %s", self._url, failure.message)
        text = f"S3 at {self._url}, which {self._setting} names, could not be reached: {failure.message}"
        answer = restxml.encode_error(None, None, AwsError("ServiceUnavailable", text, 503), "")
        headers = tuple(_encoded(dict(answer.headers)))
        return ProxyResponse(answer.status, headers, b"" if head.method == "HEAD" else answer.body)


def _describe_unsigned(headers: dict[str, str], has_trailers: bool) -> None:
    length = headers.pop("x-amz-decoded-content-length", None)
    if has_trailers:
        # How long it is without its signatures is known at its end.
        headers.pop("content-length", None)
        headers["transfer-encoding"] = "chunked"
        if length is not None:
            headers["x-amz-decoded-content-length"] = length
        return
    if length is not None:
        headers["content-length"] = length
    encodings = [one.strip() for one in headers.pop("content-encoding", "").split(",")]
    if kept := ",".join(one for one in encodings if one and one != "aws-chunked"):
        headers["content-encoding"] = kept


def _unsigned(receive: Receive, chunks: UnsignedChunks) -> Receive:
    async def receive_unsigned() -> Message:
        message = await receive()
        if message["type"] != "http.request":
            return message
        try:
            body = chunks.feed(message.get("body", b""))
            if not message.get("more_body"):
                body += chunks.finish()
        except AwsError:
            # Half a body must not look like a whole one.
            return {"type": "http.disconnect"}
        return {**message, "body": body}

    return receive_unsigned


def _encoded(headers: dict[str, str]) -> list[Header]:
    return [(name.lower().encode("latin-1"), value.encode()) for name, value in headers.items()]
