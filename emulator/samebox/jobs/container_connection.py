"""A connection to the server in a container, for one thread: it sends a body while the response comes back already.

Over httptools, as the connections of InvokeEndpoint, but without an event loop: a transform job has few connections and
much data, and each piece of it crosses one buffer of ours. The head and the beginning of a body are one write.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections import deque
from itertools import chain, islice
from typing import TYPE_CHECKING

import httptools

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RECEIVE_BYTES = 256 * 1024
# Of a body whose length is known: it passes by the parser, and what wakes us is so much of it, or its end. Each time
# that a thread waits for the kernel it waits for the interpreter, too.
BODY_BYTES = 1024 * 1024
_WAKE_BYTES = 512 * 1024
_WRITE_AT_ONCE = 32  # pieces; the kernel takes 1,024
_LONGEST_HEAD = 64 * 1024


class Unanswered(Exception):
    """No response came, or only a part of one. `is_stale`: the server had closed a kept connection before it read the
    request.
    """

    def __init__(self, message: str, is_stale: bool = False) -> None:
        super().__init__(message)
        self.is_stale = is_stale


class ContainerConnection:
    """One exchange at a time: `ask`, then `pieces` to their end. Raises Unanswered; then it is to be closed."""

    def __init__(self, address: tuple[str, int], deadline: float) -> None:
        """Connect, until `deadline` at the latest: seconds of the monotonic clock. Raises OSError."""
        self._socket = socket.create_connection(address, max(0.001, deadline - time.monotonic()))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._host = f"{address[0]}:{address[1]}"
        self._uses = 0
        self._woken_at = 1
        self._begin(iter(()), deadline)

    def _begin(self, body: Iterator[bytes | memoryview], deadline: float) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._parser = httptools.HttpResponseParser(self)
        self._body = body
        self._to_send: deque[bytes | memoryview] = deque()
        self._deadline = deadline
        self._received: deque[bytes] = deque()
        self._head_bytes = 0
        self._left: int | None = None  # of a body whose length is known
        self._is_touched = self._has_head = self._is_complete = self._keeps = False
        self._is_sent = False

    @property
    def is_reusable(self) -> bool:
        """Whether the exchange is over and the server keeps the connection."""
        # What comes now is the end of the connection, or bytes that no request asked for.
        return self._is_complete and self._keeps and self._is_sent and not self._poll.poll(0)

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Iterable[bytes | memoryview] = (),
        *,
        deadline: float,
    ) -> None:
        """Send a request, and wait for the head of its response: `status` and `headers`, with names in lower case.

        `headers` have Content-Length, or the body is sent in chunks. What the body's iterator raises is raised.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", "Accept-Encoding: identity"]
        has_length = "Content-Length" in headers or not body
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["\r\n"] if has_length else ["Transfer-Encoding: chunked", "\r\n"]
        head = "\r\n".join(lines).encode("latin-1")
        self._uses += 1
        self._begin(chain((head,), body if has_length else _chunked(body)), deadline)
        self._more()
        while not self._has_head:
            self._step()

    def pieces(self) -> Iterator[bytes]:
        """The body of the response, as it comes."""
        while True:
            while self._received:
                yield self._received.popleft()
            if self._is_complete:
                return
            self._step()

    def shut(self) -> None:
        """End the exchange under way, from any thread: the one that waits for it sees the connection end."""
        with contextlib.suppress(OSError):  # it has ended by itself
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it, in the thread that uses it or once none does."""
        self._socket.close()

    def _more(self) -> None:
        """Take the next pieces of the body."""
        self._to_send.extend(islice((one for one in self._body if one), _WRITE_AT_ONCE))
        self._is_sent = not self._to_send
        self._poll.modify(self._socket, select.POLLIN | (0 if self._is_sent else select.POLLOUT))

    def _step(self) -> None:
        """Send or receive what can be sent or received, and wait until something can."""
        left = self._deadline - time.monotonic()
        found = self._poll.poll(left * 1000) if left > 0 else []
        if not found:
            raise self._unanswered("it took too long")
        events = found[0][1]
        # First what comes in: a server may answer a request of which it does not want to read the rest.
        if events & ~select.POLLOUT:
            self._receive()
        elif events & select.POLLOUT:
            self._send()

    def _send(self) -> None:
        try:
            sent = self._socket.sendmsg(self._to_send)
        except BlockingIOError:
            return
        except OSError as error:
            raise self._unanswered(str(error)) from error
        while sent:
            first = self._to_send.popleft()
            if sent < len(first):
                self._to_send.appendleft(memoryview(first)[sent:])
                return
            sent -= len(first)
        if not self._to_send:
            self._more()

    def _receive(self) -> None:
        try:
            data = self._socket.recv(min(self._left, BODY_BYTES) if self._left else RECEIVE_BYTES)
            if data:
                if self._left:
                    self.on_body(data)
                    self._is_complete = not self._left
                else:
                    self._is_touched = True
                    self._parser.feed_data(data)
                    self._check_head(len(data))
                self._wake_at(0 if self._is_complete else self._left or 0)
                return
        except BlockingIOError:
            return
        except (OSError, httptools.HttpParserError) as error:
            raise self._unanswered(str(error)) from error
        if self._has_head and not {"content-length", "transfer-encoding"} & self.headers.keys():
            self._is_complete = True  # the end of a body without a length is the end of the connection
            return
        raise self._unanswered("the connection was closed")

    def _wake_at(self, size: int) -> None:
        """Have the poll return when so many bytes have come, or a good part of them, or the end."""
        wanted = min(size, _WAKE_BYTES) or 1
        if wanted != self._woken_at:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)
            self._woken_at = wanted

    def _check_head(self, size: int) -> None:
        if not self._has_head:
            self._head_bytes += size
            if self._head_bytes > _LONGEST_HEAD:
                raise self._unanswered("the head of the response is too long")

    def _unanswered(self, message: str) -> Unanswered:
        is_stale = self._uses > 1 and not self._is_touched and time.monotonic() < self._deadline
        return Unanswered(message, is_stale)

    # httptools' callbacks

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._keeps = False  # a second response, to which there was no request

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_complete:
            return
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._is_complete:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:  # 100 Continue and the like precede the response
            self.headers = {}
            return
        self._has_head = True
        self._keeps = self._parser.should_keep_alive()
        length = self.headers.get("content-length", "")
        if length.isdecimal() and "transfer-encoding" not in self.headers:
            self._left = int(length)

    def on_body(self, data: bytes) -> None:
        if not self._is_complete:
            self._received.append(data)
            if self._left is not None:
                self._left -= len(data)

    def on_message_complete(self) -> None:
        self._is_complete = self._has_head


def _chunked(body: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    for piece in body:
        if piece:
            yield from (b"%x\r\n" % len(piece), piece, b"\r\n")
    yield b"0\r\n\r\n"
