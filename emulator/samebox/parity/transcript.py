"""A transcript: the calls of one endpoint, one JSON object per line, for a replay on an image.

The first line is the header, each further line one call of InvokeEndpoint:

    {"samebox_transcript": 1, "endpoint": "digits", "region": "eu-west-1", "recorded_at": "2026-11-22T18:00:00.000Z",
     "url": "https://runtime.sagemaker.eu-west-1.amazonaws.com", "samebox": "0.1.0"}
    {"at": "2026-11-22T18:00:01.250Z", "ms": 12.4,
     "request": {"ContentType": "text/csv", "Accept": "text/csv", "Body": "5.1,3.5,1.4,0.2\n"},
     "response": {"status": 200, "ContentType": "text/csv", "InvokedProductionVariant": "AllTraffic", "Body": "0\n"}}

`request` and `response` have the members of the API under the API's names (boto3, InvokeEndpoint); absent members are
left out. A UTF-8 body is the text `Body`, any other is `BodyBase64`; an empty one is neither. A failed call has an
`error`, and its `response` has a status only:

     "error": {"Code": "ModelError", "Message": "Received client error (400) from primary …",
               "OriginalStatusCode": 400, "OriginalMessage": "no such row"}

A call without a response has an `error` and no `response`. No other part of a request is ever written: no further
header, and so no signature, no key and no token. Readers keep members that they do not know.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import json
import math
import os
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT = 1
REQUEST_MEMBERS = frozenset(
    {
        "ContentType",
        "Accept",
        "CustomAttributes",
        "TargetModel",
        "TargetVariant",
        "TargetContainerHostname",
        "InferenceId",
        "EnableExplanations",
        "InferenceComponentName",
        "SessionId",
        "PrefixAwareId",
    }
)
RESPONSE_MEMBERS = frozenset(
    {"ContentType", "InvokedProductionVariant", "CustomAttributes", "NewSessionId", "ClosedSessionId"}
)
ERROR_MEMBERS = frozenset({"OriginalStatusCode", "OriginalMessage", "LogStreamArn"})
_LINE_MOST = 200 << 20  # two bodies of 25 MB, each character of them escaped, and then some
_HEADER_MEMBERS = ("endpoint", "region", "recorded_at", "url", "samebox")


class BadTranscript(Exception):
    """It is not a transcript, or a line of it is not what it should be; the message names the file and the line."""


class Occupied(Exception):
    """A transcript cannot be written there; the message has the reason."""


@dataclass(frozen=True)
class Header:
    """Whose calls these are. `url` is where they were sent; `more` holds members that are not known here."""

    endpoint: str
    region: str
    recorded_at: str
    url: str = ""
    samebox: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedResponse:
    """What the endpoint answered. `members` are the API's, without the body."""

    status: int
    members: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content_type(self) -> str:
        return str(self.members.get("ContentType") or "")


@dataclass(frozen=True)
class Error:
    """Why there is no prediction. `members` are what AWS's error has beside code and message."""

    code: str
    message: str
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedCall:
    """One call. `request` has the API's members, without the body; `ms` is how long the answer took."""

    request: Mapping[str, Any]
    body: bytes
    response: RecordedResponse | None
    error: Error | None = None
    at: str = ""
    ms: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0  # where it was read; 0: nowhere


def now() -> str:
    """As transcripts have it: UTC, to a millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Reading


class Reader:
    """A transcript that is open: `header`, and its calls one by one. Use it in a `with`."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, BadTranscript."""
        self._path = path
        self._file = path.open("rb")
        self._line = 0
        try:
            self.header = self._header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[RecordedCall]:
        """Raises OSError, BadTranscript."""
        while (document := self._next()) is not None:
            try:
                yield call_of(document, self._line)
            except _Wrong as error:
                raise BadTranscript(f"{self._path}, line {self._line}: {error}") from None

    def _header(self) -> Header:
        document = self._next()
        if document is None:
            raise BadTranscript(
                f"{self._path} is empty; a transcript begins with a header (`samebox record` writes one)."
            )
        version = document.get("samebox_transcript")
        if version is None:
            raise BadTranscript(f"{self._path}, line 1: no transcript's header; it has no member samebox_transcript")
        if version != FORMAT:
            raise BadTranscript(f"{self._path}, line 1: format {version!r} is not known; this samebox reads {FORMAT}")
        for name in _HEADER_MEMBERS:
            if not isinstance(document.get(name, ""), str):
                raise BadTranscript(f"{self._path}, line 1: {name} is not text")
        known = {name: document[name] for name in _HEADER_MEMBERS if name in document}
        more = {name: value for name, value in document.items() if name not in {*known, "samebox_transcript"}}
        return Header(**{"endpoint": "", "region": "", "recorded_at": "", **known}, more=more)

    def _next(self) -> dict[str, Any] | None:
        """The next line that is not blank; None at the end."""
        while True:
            data = self._file.readline(_LINE_MOST)
            if not data:
                return None
            self._line += 1
            if data.strip():
                break
        where = f"{self._path}, line {self._line}"
        if not data.endswith(b"\n") and len(data) == _LINE_MOST:
            raise BadTranscript(f"{where}: it is longer than {_LINE_MOST:,} bytes")
        try:
            document = json.loads(data.decode())
        except UnicodeDecodeError:
            raise BadTranscript(f"{where}: it is not UTF-8") from None
        except (ValueError, RecursionError) as error:
            cut = " (it is the last one, and has no end)" if not data.endswith(b"\n") else ""
            raise BadTranscript(f"{where}: no JSON: {error}{cut}") from None
        if not isinstance(document, dict):
            raise BadTranscript(f"{where}: expected a JSON object, not {json.dumps(document)[:60]}")
        return document


class _Wrong(Exception):
    """What is wrong with a call."""


def call_of(document: Mapping[str, Any], line: int = 0) -> RecordedCall:
    """One call, from its JSON object."""
    request, body = _members(document, "request")
    response = error = None
    if document.get("response") is not None:
        members, answered = _members(document, "response")
        status = members.pop("status", None)
        if type(status) is not int or not 100 <= status <= 599:
            raise _Wrong(f"response.status is {json.dumps(status)[:60]}; expected a number such as 200")
        response = RecordedResponse(status, members, answered)
    if document.get("error") is not None:
        members = _object(document, "error")
        code, message = members.pop("Code", ""), members.pop("Message", "")
        if not isinstance(code, str) or not isinstance(message, str):
            raise _Wrong("error.Code and error.Message are texts")
        if type(members.get("OriginalStatusCode", 0)) is not int:
            raise _Wrong("error.OriginalStatusCode is not a number")
        error = Error(code, message, members)
    if response is None and error is None:
        raise _Wrong("it has neither a response nor an error")
    at, ms = document.get("at", ""), document.get("ms")
    if not isinstance(at, str):
        raise _Wrong("at is not text")
    if ms is not None and (isinstance(ms, bool) or not isinstance(ms, int | float) or not math.isfinite(ms)):
        raise _Wrong("ms is not a number")
    known = {"request", "response", "error", "at", "ms"}
    more = {name: value for name, value in document.items() if name not in known}
    return RecordedCall(request, body, response, error, at, ms, more, line)


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    if not isinstance(found, dict):
        raise _Wrong(f"{name} is {'missing' if name not in document else 'not an object'}")
    return dict(found)


def _members(document: Mapping[str, Any], name: str) -> tuple[dict[str, Any], bytes]:
    """An object's members, and its body apart from them."""
    members = _object(document, name)
    for member in REQUEST_MEMBERS | RESPONSE_MEMBERS:
        value = members.get(member, "")
        # They become headers again: one that ends a header early would be another request than the one recorded.
        if not isinstance(value, str) or re.search(r"[\r\n\0]", value):
            raise _Wrong(f"{name}.{member} is not text of one line")
    text, encoded = members.pop("Body", None), members.pop("BodyBase64", None)
    if text is not None and encoded is not None:
        raise _Wrong(f"{name} has both Body and BodyBase64")
    if text is not None:
        if not isinstance(text, str):
            raise _Wrong(f"{name}.Body is not text")
        try:
            return members, text.encode()
        except UnicodeEncodeError:
            raise _Wrong(f"{name}.Body has half a character in it, which no bytes stand for") from None
    if encoded is not None:
        try:
            return members, base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise _Wrong(f"{name}.BodyBase64 is not base64") from None
    return members, b""


# Writing


class Writer:
    """Appends calls to a file, each whole or not at all; from any thread. Use it in a `with`."""

    def __init__(self, path: Path, header: Header, append: bool = False) -> None:
        """Raises Occupied where something is there (with `append`: not a transcript of this endpoint); OSError."""
        self._path = path
        self._lock = threading.Lock()
        self.count = 0
        self.is_new = not (append and path.exists() and path.stat().st_size)
        if not self.is_new:
            _look_at(path, header)
        try:
            # Bodies may be personal data: readable by the owner only, who can change that.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (0 if append else os.O_EXCL)
            self._file = os.open(path, flags, 0o600)
        except FileExistsError:
            raise Occupied(f"{path} is there already; --append adds to it.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.is_new:
                self._append(_header_document(header))
        except BlockingIOError:
            os.close(self._file)
            raise Occupied(f"{path} is being written by another `samebox record`.") from None
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, call: RecordedCall) -> None:
        """Raises OSError; what was there before is whole then, too."""
        with self._lock:
            self._append(document_of(call))
            self.count += 1

    def close(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            os.close(self._file)

    def _append(self, document: Mapping[str, Any]) -> None:
        before = os.fstat(self._file).st_size
        view = memoryview(_line(document))
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except BaseException:  # a full disk, or Ctrl-C: half a line would make the file unreadable
            os.ftruncate(self._file, before)
            raise


def document_of(call: RecordedCall) -> dict[str, Any]:
    """A call as the JSON object of its line."""
    document: dict[str, Any] = {"at": call.at} if call.at else {}
    if call.ms is not None:
        document["ms"] = round(call.ms, 3)
    document["request"] = {**call.request, **_body(call.body)}
    if call.response is not None:
        answer = call.response
        document["response"] = {"status": answer.status, **answer.members, **_body(answer.body)}
    if call.error is not None:
        document["error"] = {"Code": call.error.code, "Message": call.error.message, **call.error.members}
    return {**document, **call.more}


def _header_document(header: Header) -> dict[str, Any]:
    members = {name: getattr(header, name) for name in _HEADER_MEMBERS}
    return {"samebox_transcript": FORMAT, **members, **header.more}


def _line(document: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a character, out of an error's JSON: only its escape can be written
        return json.dumps(document).encode() + b"\n"


def _body(body: bytes) -> dict[str, str]:
    if not body:
        return {}
    try:
        return {"Body": body.decode()}
    except UnicodeDecodeError:
        return {"BodyBase64": base64.b64encode(body).decode()}


def _look_at(path: Path, header: Header) -> None:
    """Raises Occupied where calls of this endpoint do not belong."""
    try:
        with Reader(path) as there:
            if (there.header.endpoint, there.header.region) != (header.endpoint, header.region):
                raise Occupied(f"{path} is a transcript of {there.header.endpoint} in {there.header.region}.")
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                raise Occupied(f"{path} ends within a line; take that off before more is added.")
    except BadTranscript as error:
        raise Occupied(f"nothing is added to what is not a transcript: {error}") from None
