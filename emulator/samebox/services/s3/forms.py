"""Upload forms of S3: a browser's POST to a bucket, whose file becomes an object as a PUT of the same would make it.

The file is kept in a nameless file of the data folder until it is whole: only then is its size known, which the form's
policy may bound, and which a PUT declares first.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.message
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import anyio

from samebox import asgi
from samebox.asgi import BodyPipe, ClientGone
from samebox.errors import AwsError
from samebox.services.s3 import form_fields
from samebox.services.s3.links import link
from samebox.traffic.multipart import Malformed, Parts
from samebox.wire import s3_address
from samebox.wire.http import request_of
from samebox.wire.xmltext import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from samebox.asgi import Application, Headers, Message, Receive, Scope, Send
    from samebox.wire.models import Models

    Check = Callable[[str, Mapping[str, str], int], None]  # (bucket, fields, size of the file); AwsError to refuse

_FIELD_BYTES = 20 * 1024  # of all fields before the file, as S3 bounds them
_FILE_BYTES = 5 * 1024**3  # as S3 bounds a PUT
_THREADS = 8  # that read forms at once; a client that is slow keeps one
_IDLE_SECONDS = 60.0
# Headers of PUT's answer that are the form's, too.
_ANSWERED = ("x-amz-", "access-control-")


class Forms:
    """Upload forms as requests to PUT, which `s3` answers. `folder` is on the disk where the objects are."""

    def __init__(self, s3: Application, models: Models, folder: Path) -> None:
        self._s3 = s3
        self._models = models
        self._folder = folder
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, check: Check) -> None:
        """One form; `check` sees its fields and the size of its file. Raises AwsError before anything was answered."""
        pipe = asgi.BodyPipe(receive, _IDLE_SECONDS)
        feeding = asyncio.create_task(pipe.feed())
        try:
            form = await asgi.in_thread(_read, scope, pipe, self._folder, limiter=self._threads)
        except ClientGone:
            return
        finally:
            feeding.cancel()
        try:
            head = request_of(scope)
            bucket, key = unquote(s3_address.path_style(head).path.strip("/")), form.fields.get("key", "")
            if not key:
                words = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of "
                raise AwsError("InvalidArgument", f"{words}the fields.")
            check(bucket, form.fields, form.size)
            headers = await asgi.in_thread(self._headers, form.fields, limiter=self._threads)
            put = _put(scope, f"/{quote(bucket)}/{quote(key)}", {**headers, "content-length": str(form.size)})
            put[asgi.SIGNED_FORM] = bool(form.fields.get("x-amz-credential") or form.fields.get("awsaccesskeyid"))
            created = _Created(bucket, key, link(scope.get("scheme", "http"), head, bucket, key))
            await self._s3(put, self._body(form.file, receive), _Answers(send, created, form.fields))
        finally:
            await asgi.in_thread(form.file.close, limiter=self._threads)

    def _headers(self, fields: Mapping[str, str]) -> dict[str, str]:
        return form_fields.headers(self._models.service("s3"), fields)

    def _body(self, file: IO[bytes], receive: Receive) -> Receive:
        is_whole = False

        async def next_message() -> Message:
            nonlocal is_whole
            if is_whole:
                return await receive()  # which reports when the client disconnects
            piece = await asgi.in_thread(file.read, asgi.PIECE_BYTES, limiter=self._threads)
            is_whole = not piece
            return {"type": "http.request", "body": piece, "more_body": bool(piece)}

        return next_message


@dataclass(frozen=True)
class _ReceivedForm:
    """The fields before the file, by names in lower case, and the file, at its begin."""

    fields: Mapping[str, str]
    file: IO[bytes]
    size: int


def _read(scope: Scope, pipe: BodyPipe, folder: Path) -> _ReceivedForm:
    boundary = _content_type(scope).get_boundary()
    if not boundary or not boundary.isascii():
        raise _malformed()
    parts = Parts(pipe.read(), boundary)
    with contextlib.ExitStack() as until_read:
        file = until_read.enter_context(tempfile.TemporaryFile(dir=folder))
        try:
            fields, size = _read_parts(parts, file)
        except Malformed:
            raise _malformed() from None
        file.seek(0)
        until_read.pop_all()
    return _ReceivedForm(fields, file, size)


def _read_parts(parts: Parts, file: IO[bytes]) -> tuple[dict[str, str], int]:
    fields: dict[str, str] = {}
    left = _FIELD_BYTES
    while (head := parts.next()) is not None:
        name = str(head.get_param("name", "", "content-disposition")).lower()
        if name == "file":
            size = _keep(parts, file)
            # S3 takes no notice of what comes after the file; but it must have come.
            while parts.next() is not None:
                pass
            if "key" in fields:
                filename = (head.get_filename() or "").rpartition("\\")[2]
                fields["key"] = fields["key"].replace("${filename}", filename)
            return fields, size
        content = bytearray()
        for piece in parts.content():
            content += piece
            if len(content) > left:
                words = "Your POST request fields preceding the upload file were too large."
                raise AwsError("MaxPostPreDataLengthExceededError", words)
        left -= len(content)
        fields[name] = content.decode("utf-8", "replace")
    raise AwsError("InvalidArgument", "POST requires exactly one file upload per request.")


def _keep(parts: Parts, file: IO[bytes]) -> int:
    size = 0
    for piece in parts.content():
        size += len(piece)
        if size > _FILE_BYTES:
            raise AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        file.write(piece)
    return size


def _content_type(scope: Scope) -> email.message.Message:
    parsed = email.message.Message()
    given = asgi.header(scope["headers"], b"content-type")
    if given is not None:
        parsed["content-type"] = given.decode("latin-1")
    return parsed


def _put(scope: Scope, place: str, named: Mapping[str, str]) -> Scope:
    """The PUT that makes the object, as a client would send it."""
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    origin = asgi.header(scope["headers"], b"origin")
    if origin is not None:  # by it a bucket's rules let a page read the answer, which is one to a POST
        headers += [(b"origin", origin), (b"access-control-request-method", b"POST")]
    put = {"method": "PUT", "path": unquote(place), "raw_path": place.encode(), "query_string": b""}
    return {**scope, **put, "headers": headers}


@dataclass(frozen=True)
class _Created:
    """The object that a form makes."""

    bucket: str
    key: str
    url: str


class _Answers:
    """What S3 answers to the PUT, as S3 answers the form: an error as it is, success as the form wants it."""

    def __init__(self, send: Send, created: _Created, fields: Mapping[str, str]) -> None:
        self._send = send
        self._created = created
        self._fields = fields
        self._has_failed = False
        self._headers: Headers = ()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_failed = message["status"] != 200
            self._headers = tuple(message["headers"])
        if self._has_failed:
            await self._send(message)
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._succeed()

    async def _succeed(self) -> None:
        kept = [
            header
            for header in self._headers
            if header[0] in (b"etag", b"vary") or header[0].decode("latin-1").startswith(_ANSWERED)
        ]
        etag = (asgi.header(kept, b"etag") or b"").decode()
        bucket, key, url = self._created.bucket, self._created.key, self._created.url
        redirect = self._fields.get("success_action_redirect") or self._fields.get("redirect", "")
        status, body, location = 204, b"", url
        if urlsplit(redirect).scheme in ("http", "https"):
            place = urlsplit(redirect)
            query = urlencode([*parse_qsl(place.query), ("bucket", bucket), ("key", key), ("etag", etag)])
            status, location = 303, urlunsplit(place._replace(query=query))
        elif self._fields.get("success_action_status") in ("200", "201"):
            status = int(self._fields["success_action_status"])
        if status == 201:
            named = {"Location": url, "Bucket": bucket, "Key": key, "ETag": etag}
            inner = "".join(f"<{name}>{text_of(value)}</{name}>" for name, value in named.items())
            body = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inner}</PostResponse>'.encode()
            kept.append((b"content-type", b"application/xml"))
        kept.append((b"location", location.encode("latin-1", "replace")))
        if status != 204:
            kept.append((b"content-length", b"%d" % len(body)))
        await self._send({"type": "http.response.start", "status": status, "headers": kept})
        await self._send({"type": "http.response.body", "body": body})


def _malformed() -> AwsError:
    return AwsError("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
