"""HTTP over a raw socket: requests byte for byte, and the response or the way in which it failed.

http.client hides how a server handles early responses, aborted connections and two requests at once. Every request has
a time limit that covers the whole of it, however slowly bytes arrive.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Address = tuple[str, int]
Why = Literal["refused", "reset", "closed", "timeout", "not http"]

USER_AGENT = "AHC/2.0"  # the platform's own, as containers' access logs show it
_HEAD_MOST = 64 << 10
_BODY_MOST = 64 << 20
_PIECE = 64 << 10


class NoResponse(Exception):
    """No complete response. `why`: how it ended; `begun`: the part that was parsed; `received`: the bytes of it."""

    def __init__(self, why: Why, words: str, begun: HttpResponse | None = None, received: bytes = b"") -> None:
        super().__init__(words)
        self.why = why
        self.begun = begun
        self.received = received


@dataclass(frozen=True)
class ResponsePart:
    """One chunk of an answer in chunks: how long after the request it came, and its size."""

    seconds: float
    size: int


@dataclass(frozen=True)
class HttpResponse:
    """`headers` have lower-case names. `closes`: the server will take no further request on this connection."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    version: str = "HTTP/1.1"
    seconds: float = 0.0
    is_early: bool = False  # it came before the request's body had been sent
    parts: tuple[ResponsePart, ...] = ()  # of one in chunks
    head_bytes: int = 0  # that its headers take, names, colons and line ends included

    @property
    def is_chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def closes(self) -> bool:
        said = self.headers.get("connection", "").lower()
        return "close" in said or (self.version == "HTTP/1.0" and "keep-alive" not in said)

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def words(self) -> str:
        """Status, and what a person can read of the body."""
        text = " ".join(self.body[:200].decode(errors="replace").split())
        return f"{self.status} {text[:120]}".strip() if text.isprintable() else str(self.status)


def request(
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    chunked: bool = False,
    host: str = "localhost:8080",
) -> tuple[bytes, bytes]:
    """Head and body as they go over the wire."""
    all_headers = {"Host": host, "User-Agent": USER_AGENT, "Accept": "*/*", **(headers or {})}
    if body is not None and chunked:
        all_headers["Transfer-Encoding"] = "chunked"
        body = b"".join(_chunks(body)) + b"0\r\n\r\n"
    elif body is not None:
        all_headers["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in all_headers.items()), "", ""]
    return "\r\n".join(lines).encode(), body or b""


def _chunks(body: bytes) -> Iterator[bytes]:
    # Several, and none of a round size: a server that takes only the first is found out.
    size = max(1, min(4093, -(-len(body) // 3)))
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)


class RawConnection:
    """One connection; `connect_seconds` is how long the server took to accept it."""

    def __init__(self, address: Address, seconds: float = 2.0) -> None:
        began = time.monotonic()
        try:
            self._socket = socket.create_connection(address, timeout=max(seconds, 0.001))
        except TimeoutError:
            raise NoResponse("timeout", f"the connection was not accepted within {seconds:g} s") from None
        except OSError as error:
            raise NoResponse("refused", f"the connection was refused ({error.strerror or error})") from None
        self.connect_seconds = time.monotonic() - began
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._begun: HttpResponse | None = None  # the answer that is being read, once it has a head
        self._parts: list[ResponsePart] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        chunked: bool = False,
        seconds: float = 10.0,
    ) -> HttpResponse:
        """Raises NoResponse."""
        began = time.monotonic()
        head, data = request(method, path, body, headers, chunked)
        whole = self.send(head + data, seconds)
        return self.receive(began + seconds - time.monotonic(), method, began, is_early=not whole)

    def send(self, data: bytes, seconds: float = 10.0) -> bool:
        """False when the server answered or closed the connection before everything was sent; `receive` shows which."""
        end = time.monotonic() + seconds
        view = memoryview(data)
        while view:
            left = end - time.monotonic()
            if left <= 0:
                raise NoResponse("timeout", f"it did not read the request within {seconds:g} s")
            readable, writable, _ = select.select([self._socket], [self._socket], [], left)
            if readable and len(view) > _PIECE:
                return False
            if writable:
                try:
                    self._socket.settimeout(left)
                    view = view[self._socket.send(view[:_PIECE]) :]
                except TimeoutError:
                    continue
                except OSError:
                    return False
        return True

    def receive(
        self, seconds: float, method: str = "GET", began: float | None = None, is_early: bool = False
    ) -> HttpResponse:
        """The next answer. Raises NoResponse."""
        began = time.monotonic() if began is None else began
        end = time.monotonic() + seconds
        head = self.receive_head(seconds, began)
        if method == "HEAD" or head.status in (101, 204, 304):
            body = b""
        elif head.is_chunked:
            body = self._chunked(began, end)
        elif "content-length" in head.headers:
            if not head.headers["content-length"].isdigit():
                raise NoResponse("not http", f"its Content-Length is {head.headers['content-length'][:40]!r}")
            body = self._exactly(int(head.headers["content-length"]), end)
        else:
            body = self._to_the_end(end)
        self._begun = None
        seconds = time.monotonic() - began
        return replace(head, body=body, seconds=seconds, is_early=is_early, parts=tuple(self._parts))

    def receive_head(self, seconds: float, began: float | None = None) -> HttpResponse:
        """The next answer as far as its headers go; what follows them is left to be taken. Raises NoResponse."""
        began = time.monotonic() if began is None else began
        end = time.monotonic() + seconds
        self._begun, self._parts = None, []
        while True:
            head = self._until(b"\r\n\r\n", end)
            version, status, headers = _parse(head)
            size = len(head.partition(b"\r\n")[2])
            if status >= 200 or status == 101:
                seconds = time.monotonic() - began
                self._begun = HttpResponse(status, headers, version=version, seconds=seconds, head_bytes=size)
                return self._begun

    def take(self, size: int, seconds: float) -> bytes:
        """So many bytes of what comes, as they are. Raises NoResponse."""
        return self._exactly(size, time.monotonic() + seconds)

    def reset(self) -> None:
        """Reset the connection, as the end of a client's process does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def _fill(self, end: float) -> None:
        left = end - time.monotonic()
        late = "no answer in time", "its answer did not end in time"
        if left <= 0:
            raise self._unfinished("timeout", *late)
        try:
            self._socket.settimeout(left)
            data = self._socket.recv(_PIECE)
        except TimeoutError:
            raise self._unfinished("timeout", *late) from None
        except OSError as error:
            words = f"the connection was reset ({error.strerror or error})"
            raise self._unfinished("reset", words, f"within its answer, {words}") from None
        if not data:
            words = "the connection was closed"
            raise self._unfinished("closed", f"{words} without an answer", f"{words} within its answer")
        self._buffer += data

    def _unfinished(self, why: Why, before: str, within: str) -> NoResponse:
        if self._begun is None:
            return NoResponse(why, before)
        begun = replace(self._begun, parts=tuple(self._parts))
        count = f", after {len(begun.parts)} of its parts" if begun.parts else ""
        return NoResponse(why, f"{within}{count}", begun)

    def _until(self, mark: bytes, end: float) -> bytes:
        while mark not in self._buffer:
            if len(self._buffer) > _HEAD_MOST:
                raise NoResponse("not http", "its answer has no end of headers")
            if self._buffer and not b"HTTP/".startswith(self._buffer[:5]) and mark == b"\r\n\r\n":
                begins = self._buffer[:20]
                raise NoResponse("not http", f"its answer begins with {begins!r}", received=begins)
            self._fill(end)
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _exactly(self, size: int, end: float) -> bytes:
        if size > _BODY_MOST:
            raise NoResponse("not http", f"its body is {size:,} bytes")
        while len(self._buffer) < size:
            self._fill(end)
        body, self._buffer = self._buffer[:size], self._buffer[size:]
        return body

    def _to_the_end(self, end: float) -> bytes:
        try:
            while len(self._buffer) <= _BODY_MOST:
                self._fill(end)
        except NoResponse as error:
            if error.why != "closed":
                raise
        body, self._buffer = self._buffer, b""
        return body

    def _chunked(self, began: float, end: float) -> bytes:
        parts: list[bytes] = []
        total = 0
        while True:
            line = self._until(b"\r\n", end)
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError:
                raise NoResponse("not http", f"a chunk of its answer begins with {line[:20]!r}") from None
            total += size
            if total > _BODY_MOST:
                raise NoResponse("not http", f"its body is over {_BODY_MOST:,} bytes")
            if size == 0:
                while self._until(b"\r\n", end):
                    continue
                return b"".join(parts)
            parts.append(self._exactly(size, end))
            self._parts.append(ResponsePart(time.monotonic() - began, size))
            self._until(b"\r\n", end)


def ask(
    address: Address,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    chunked: bool = False,
    seconds: float = 10.0,
) -> HttpResponse:
    """One request on a connection of its own. Raises NoResponse."""
    began = time.monotonic()
    with contextlib.closing(RawConnection(address, seconds)) as connection:
        left = max(began + seconds - time.monotonic(), 0.001)
        headers = {"Connection": "close", **(headers or {})}
        return connection.ask(method, path, body, headers, chunked, left)


def _parse(head: bytes) -> tuple[str, int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise NoResponse("not http", f"its answer begins with {first[:60]!r}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return words[0], int(words[1]), headers
