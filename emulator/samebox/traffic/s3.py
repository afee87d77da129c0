"""S3 at our URL: an ASGI callable that turns a client's request into one that our own S3 server takes.

The client signed for our URL with keys of its own; the server behind knows one random pair. So the client's signature
is stripped (whether it is right, the gateway has seen before) and the request is signed again. And what the server does
differently from S3 is put right here, or refused in S3's words where it would do harm: rclone takes `PUT key?tagging`
for a new object.
"""

from __future__ import annotations

import html
import os
import re
import secrets
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

import anyio

from samebox import asgi, sigv4
from samebox.asgi import Headers, Receive, RequestHead, Scope, Send
from samebox.traffic.forward import Failure, Forward, ProxyResponse
from samebox.traffic.s3_keys import KEY_BYTES, cannot_keep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Query = list[tuple[str, str]]

_SIGNATURE_V4 = frozenset(
    f"x-amz-{name}"
    for name in ("algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token")
)
# The last two are headers of the request that was presigned; its sender has them as headers, too.
_SIGNATURE_V2 = frozenset({"AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5"})
_SIGNATURE_HEADERS = frozenset({b"authorization", b"x-amz-date", b"date", b"x-amz-security-token", b"host"})
# The query names that the server behind knows; every other one of S3's sub-resources it would take for a plain request.
_KNOWN = frozenset(
    {
        *("list-type", "prefix", "delimiter", "marker", "max-keys", "continuation-token", "start-after", "fetch-owner"),
        *(
            "encoding-type",
            "x-id",
            "uploads",
            "uploadId",
            "partNumber",
            "part-number-marker",
            "max-parts",
            "key-marker",
        ),
        *("upload-id-marker", "max-uploads", "delete", "location", "versioning", "response-content-type"),
        *("response-content-language", "response-expires", "response-cache-control", "response-content-disposition"),
        "response-content-encoding",
    }
)
_THREADS = 16  # that look at the folder at once
# Request line and headers together, as S3's own answer names its bound (seen in 2024 and 2026).
_HEAD_BYTES = 8192
# On AWS an object has another origin than the API. Here a browser that shows an object, an HTML report of a job, say,
# would let its scripts use the emulator as our own page; in a sandbox they run with the origin `null`, which
# origins.py refuses.
_SANDBOX = (b"content-security-policy", b"sandbox allow-scripts allow-popups allow-modals allow-downloads")
# What S3 answers about a bucket on which nothing of the kind was set; nothing can be set here.
_UNSET = {
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "tagging": ("NoSuchTagSet", "The TagSet does not exist"),
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "lifecycle": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "website": ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    "publicAccessBlock": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    "replication": ("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    "object-lock": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    "ownershipControls": ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    "encryption": (
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
}
_MESSAGES = {
    "NoSuchKey": "The specified key does not exist.",
    "NoSuchBucket": "The specified bucket does not exist",
    "NoSuchUpload": "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
    "aborted or completed.",
    "BucketNotEmpty": "The bucket you tried to delete is not empty",
    "BucketAlreadyOwnedByYou": "Your previous request to create the named bucket succeeded and you already own it.",
    "InvalidRange": "The requested range is not satisfiable",
    "BadDigest": "The Content-MD5 you specified did not match what we received.",
    "InternalError": "We encountered an internal error. Please try again.",
    "SlowDown": "Please reduce your request rate.",
}
_CODE = re.compile(rb"<Code>([^<]*)</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]*)</Message>")
_BARE_ETAG = re.compile(rb"<ETag>([^<&\"]+)</ETag>")
_KEPT_HEADERS = (b"x-amz-meta-", b"x-amz-server-side-encryption", b"x-amz-storage-class", b"x-amz-website-redirect-")


class S3Proxy:
    """S3 for clients, before the server at `url` that knows the one pair of keys and keeps its objects under `root`."""

    def __init__(
        self,
        url: str,
        access_key: str,
        secret_key: str,
        root: Path,
        clock: Callable[[], float] = time.time,
        idle_timeout: float = 60,
    ) -> None:
        self._host = urlsplit(url).netloc.encode()
        self._access_key, self._secret_key = access_key, secret_key
        self._root = root
        self._clock = clock
        self._threads = anyio.CapacityLimiter(_THREADS)
        self._forward = Forward(
            url,
            on_request=self._on_request,
            on_answer=_on_answer,
            on_failure=_on_failure,
            wants_body=_wants_body,
            idle_timeout=idle_timeout,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One S3 request, path style."""
        await self._forward(scope, receive, send)

    async def close(self) -> None:
        """Close the connections that are kept for later."""
        await self._forward.close()

    async def _on_request(self, head: RequestHead, scope: Scope) -> RequestHead | ProxyResponse:  # noqa: ARG002
        # In a thread: it looks at the folder, a path for each part of the key.
        return await asgi.in_thread(self._decide, head, limiter=self._threads)

    def _decide(self, head: RequestHead) -> RequestHead | ProxyResponse:
        path, query = _split(head.target)
        bucket, _, key = path.removeprefix("/").partition("/")
        if _is_expired(query, self._clock()):
            return _error(head, 403, "AccessDenied", "Request has expired")
        if _size(head) > _HEAD_BYTES:
            words = "Your request header section exceeds the maximum allowed size."
            return _error(head, 400, "RequestHeaderSectionTooLarge", words)
        link = self._link(bucket, key) or self._link(*_copied(head))
        if link is not None:
            words = f"{link!r} in the S3 folder is a symbolic link; no object is read or written behind it."
            return _error(head, 403, "AccessDenied", words)
        if head.method == "OPTIONS":
            return _error(head, 403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
        query = _without_signature(query)
        refusal = _unset_or_unknown(head, bucket, key, query) or self._refuse_name(head, bucket, key, query)
        if refusal is not None:
            return refusal
        return self._signed(head, path, query)

    def _link(self, bucket: str, key: str) -> str | None:
        # The server behind follows links below its folder, and would write, read and delete where they lead.
        place = self._root
        for part in (bucket, *key.split("/")):
            place = place / part.lstrip("/")
            if os.path.islink(place):  # noqa: PTH114  (False for what can be no file's name, where Path raises)
                return str(place.relative_to(self._root))
        return None

    def _refuse_name(self, head: RequestHead, bucket: str, key: str, query: Query) -> ProxyResponse | None:
        # Objects are files. What cannot be one is refused here, with the reason: the server would say InternalError,
        # which clients try again and again.
        names = {name for name, _ in query}
        makes_object = key and (head.method == "PUT" or (head.method == "POST" and names & {"uploads", "uploadId"}))
        if not makes_object:
            return None
        parts = key.split("/")
        if key.endswith("/"):
            words = "A key that ends with '/' cannot be kept as a file; folders need no objects of their own here."
            return _error(head, 501, "NotImplemented", words)
        if len(key.encode()) > KEY_BYTES:
            return _error(head, 400, "KeyTooLongError", "Your key is too long")
        if why_not := cannot_keep(key):
            return _error(head, 501, "NotImplemented", why_not)
        place = self._root / bucket
        for part in parts[:-1]:
            place = place / part
            if place.is_file():
                taken = place.relative_to(self._root / bucket).as_posix()
                words = f"The key cannot be kept as a file: {taken!r} is an object already, and would be a folder."
                return _error(head, 409, "OperationAborted", words)
        place = place / parts[-1]
        if place.is_dir():
            return _error(
                head, 409, "OperationAborted", "The key cannot be kept as a file: other objects are below it."
            )
        if head.header(b"if-match") is not None:
            return _error(head, 501, "NotImplemented", "If-Match is not implemented for writes.")
        if "partNumber" not in names and head.header(b"if-none-match") == b"*" and place.exists():
            words = "At least one of the pre-conditions you specified did not hold"
            return _error(head, 412, "PreconditionFailed", words)
        return None

    def _signed(self, head: RequestHead, path: str, query: Query) -> RequestHead:
        date = datetime.fromtimestamp(self._clock(), UTC).strftime(sigv4.DATE)
        declared = head.header(b"x-amz-content-sha256") or b""
        payload = declared if declared.startswith(b"STREAMING-") else sigv4.UNSIGNED.encode()
        kept = [
            (name, value)
            for name, value in head.headers
            if name not in _SIGNATURE_HEADERS and name != b"x-amz-content-sha256"
        ]
        headers = (*kept, (b"host", self._host), (b"x-amz-date", date.encode()), (b"x-amz-content-sha256", payload))
        signed: dict[str, str] = {}
        for name, value in headers:
            if name == b"host" or name.startswith(b"x-amz-"):
                text = value.decode("latin-1")
                signed[name.decode()] = f"{signed[name.decode()]},{text}" if name.decode() in signed else text
        target_path = quote(path, safe="/-_.~")
        target_query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in query)
        request = sigv4.SignedRequest(head.method, target_path, target_query, signed, payload.decode())
        scope = sigv4.CredentialScope(self._access_key, date[:8], "us-east-1", "s3")
        authorization = sigv4.authorization(self._secret_key, scope, date, request)
        target = target_path + (f"?{target_query}" if target_query else "")
        return RequestHead(head.method, target.encode(), (*headers, (b"authorization", authorization.encode())))


def _size(head: RequestHead) -> int:
    return len(head.target) + sum(len(name) + len(value) for name, value in head.headers)


def _copied(head: RequestHead) -> tuple[str, str]:
    """Bucket and key of the object that a request copies."""
    source = unquote((head.header(b"x-amz-copy-source") or b"").decode("latin-1")).partition("?")[0]
    bucket, _, key = source.removeprefix("/").partition("/")
    return bucket, key


def _split(target: bytes) -> tuple[str, Query]:
    path, _, query = target.decode("latin-1").partition("?")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    # A `+` in a query is a blank for some clients; S3 takes it so too.
    return unquote(path), [(unquote(name), unquote(value.replace("+", " "))) for name, _, value in pairs]


def _is_expired(query: Query, now: float) -> bool:
    values = {name.lower(): value for name, value in query}
    try:
        if "x-amz-expires" in values:
            signed = datetime.strptime(values["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            return now > signed + int(values["x-amz-expires"])
        if "awsaccesskeyid" in values:
            return now > int(values["expires"])
    except (KeyError, ValueError):
        return True
    return False


def _without_signature(query: Query) -> Query:
    old = {"AWSAccessKeyId"} <= {name for name, _ in query}
    return [
        (name, value)
        for name, value in query
        if name.lower() not in _SIGNATURE_V4 and not (old and name in _SIGNATURE_V2)
    ]


def _unset_or_unknown(head: RequestHead, bucket: str, key: str, query: Query) -> ProxyResponse | None:
    # boto3 presigns with the headers that a header would carry: x-amz-checksum-crc32 and the like are no sub-resource.
    unknown = [name for name, _ in query if name not in _KNOWN and not name.lower().startswith("x-amz-")]
    if "versioning" in dict(query) and head.method == "PUT":
        unknown.append("versioning")
    if head.header(b"x-amz-copy-source") is not None and "partNumber" in dict(query):
        return _error(head, 501, "NotImplemented", "UploadPartCopy is not implemented.")
    for name in unknown:
        if head.method == "GET" and not key and bucket and name in _UNSET:
            return _error(head, 404, *_UNSET[name])
        words = f"A header you provided implies functionality that is not implemented: {head.method} ?{name}."
        return _error(head, 501, "NotImplemented", words)
    return None


def _wants_body(head: RequestHead, answer: ProxyResponse) -> bool:
    if answer.status >= 400:
        return True
    # Of the XML answers only listings need a hand: they are small, a thousand keys at most.
    path, _ = _split(head.target)
    is_bucket = "/" not in path.strip("/")
    return head.method == "GET" and is_bucket and b"xml" in (answer.header(b"content-type") or b"")


async def _on_answer(head: RequestHead, answer: ProxyResponse) -> ProxyResponse:
    if answer.status >= 400:
        return _put_right(head, answer)
    # A part of an object is answered with 200 by the server behind.
    status = 206 if answer.status == 200 and answer.header(b"content-range") is not None else answer.status
    wants_checksum = head.method not in ("GET", "HEAD") or head.header(b"x-amz-checksum-mode") is not None
    headers = [
        *(header for header in answer.headers if _is_s3s(header[0], wants_checksum and status == 200)),
        *_identified(),
        _SANDBOX,
    ]
    if head.method == "HEAD" and "/" not in _split(head.target)[0].strip("/"):
        headers.append((b"x-amz-bucket-region", b"us-east-1"))
    changed = ProxyResponse(status, tuple(headers), None if answer.body is None else _listing(head, answer.body))
    return _precondition(head, changed) or changed


def _listing(head: RequestHead, body: bytes) -> bytes:
    # The server behind leaves out the quotes of ETags, and a count of none.
    body = _BARE_ETAG.sub(rb"<ETag>&quot;\1&quot;</ETag>", body)
    if b"<KeyCount>" not in body and ("list-type", "2") in _split(head.target)[1]:
        body = body.replace(b"</ListBucketResult>", b"<KeyCount>0</KeyCount></ListBucketResult>")
    return body


def _is_s3s(name: bytes, checksum_fits: bool) -> bool:
    # The server behind repeats what the upload's headers were, and opens every object to scripts of any web page.
    if name.startswith(b"x-amz-checksum-"):
        return checksum_fits
    if name.startswith(b"access-control-"):
        return False
    return not name.startswith(b"x-amz-") or name.startswith(_KEPT_HEADERS)


def _precondition(head: RequestHead, answer: ProxyResponse) -> ProxyResponse | None:
    # RFC 9110, 13.2.2; the server behind takes no notice of these headers.
    if head.method not in ("GET", "HEAD") or answer.status not in (200, 206):
        return None
    etag, modified = answer.header(b"etag"), _time(answer.header(b"last-modified"))
    wanted, unwanted = head.header(b"if-match"), head.header(b"if-none-match")
    since, until = _time(head.header(b"if-modified-since")), _time(head.header(b"if-unmodified-since"))
    failed = wanted is not None and not _has(wanted, etag)
    failed = failed or (wanted is None and until is not None and modified is not None and modified > until)
    if failed:
        words = "At least one of the pre-conditions you specified did not hold"
        return _error(head, 412, "PreconditionFailed", words)
    same = unwanted is not None and _has(unwanted, etag)
    same = same or (unwanted is None and since is not None and modified is not None and modified <= since)
    if not same:
        return None
    kept = (b"etag", b"last-modified", b"cache-control", b"x-amz-request-id")
    return ProxyResponse(304, tuple(header for header in answer.headers if header[0] in kept), b"")


def _has(tags: bytes, etag: bytes | None) -> bool:
    return any(tag.strip() in (b"*", etag, (etag or b"").strip(b'"')) for tag in tags.split(b","))


def _time(value: bytes | None) -> float | None:
    try:
        return parsedate_to_datetime(value.decode()).timestamp() if value else None
    except ValueError:
        return None


def _put_right(head: RequestHead, answer: ProxyResponse) -> ProxyResponse:
    body = answer.body or b""
    code, message = _CODE.search(body), _MESSAGE.search(body)
    if code is None:
        if head.method == "HEAD":
            return answer
        return _error(head, answer.status, "InternalError", _MESSAGES["InternalError"])
    name = code[1].decode()
    if name == "BucketAlreadyExists":
        # There is one owner here. In us-east-1, where no location is given, S3 takes it for done.
        if head.header(b"content-length") in (None, b"0"):
            path, _ = _split(head.target)
            return ProxyResponse(200, ((b"location", path.encode()), *_identified()), b"")
        name = "BucketAlreadyOwnedByYou"
    said = html.unescape(message[1].decode()) if message else ""
    words = said if said not in ("", name, "Internal Error") else _MESSAGES.get(name, name)
    return _error(head, answer.status, name, words)


def _on_failure(head: RequestHead, failure: Failure) -> ProxyResponse:
    # Words that make every SDK try again.
    if failure.reason == "timeout":
        return _error(head, 503, "SlowDown", f"{_MESSAGES['SlowDown']} ({failure.message})")
    return _error(head, 503, "ServiceUnavailable", f"The S3 server gives no answer ({failure.message}).")


def _identified() -> Headers:
    return (
        (b"x-amz-request-id", secrets.token_hex(8).upper().encode()),
        (b"x-amz-id-2", secrets.token_urlsafe(32).encode()),
    )


def _error(head: RequestHead, status: int, code: str, message: str) -> ProxyResponse:
    """S3's error XML; none for HEAD, which has no body to say it in."""
    identity = _identified()
    path, _ = _split(head.target)
    bucket, _, key = path.removeprefix("/").partition("/")
    named = {
        "Code": code,
        "Message": message,
        **({"BucketName": bucket} if code == "NoSuchBucket" else {}),
        **({"Key": key} if code == "NoSuchKey" else {}),
        "Resource": path,
        "RequestId": identity[0][1].decode(),
        "HostId": identity[1][1].decode(),
    }
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in named.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    headers = ((b"content-type", b"application/xml"), *identity)
    return ProxyResponse(status, headers, b"" if head.method == "HEAD" else body.encode())
