"""Multipart bodies (RFC 7578), read as they come: the parts' headers, and their contents in pieces."""

import email.message
import email.parser
from collections.abc import Iterator

_HEADER_BYTES = 16 * 1024  # of one part


class Malformed(Exception):
    """The body does not match its boundary."""


class Parts:
    """The parts of one body: `next` gives a part's headers, `content` what follows them, to its end."""

    def __init__(self, pieces: Iterator[bytes], boundary: str) -> None:
        self._pieces = pieces
        self._delimiter = b"\r\n--" + boundary.encode("latin-1")
        self._buffer = bytearray(b"\r\n")  # the first delimiter is at the body's begin, without a line before it
        self._is_in_content = True  # what precedes the first part belongs to none, and is dropped as content is

    def next(self) -> email.message.Message | None:
        """The headers of the next part, None at the end. What is left of the last part's content is dropped."""
        for _ in self.content():
            pass
        if self._take(2) == b"--":
            return None
        head = bytearray(b"\r\n")
        while not head.endswith(b"\r\n\r\n"):
            if len(head) > _HEADER_BYTES:
                raise Malformed
            head += self._take(1)
        self._is_in_content = True
        return email.parser.BytesHeaderParser().parsebytes(bytes(head[2:]))

    def content(self) -> Iterator[bytes]:
        """The content in pieces, up to the delimiter."""
        while self._is_in_content:
            end = self._buffer.find(self._delimiter)
            if end >= 0:
                if end:
                    yield bytes(self._buffer[:end])
                del self._buffer[: end + len(self._delimiter)]
                self._is_in_content = False
                return
            # The last bytes may be a delimiter's first.
            safe = len(self._buffer) - len(self._delimiter)
            if safe > 0:
                yield bytes(self._buffer[:safe])
                del self._buffer[:safe]
            self._fill()

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _fill(self) -> None:
        try:
            self._buffer += next(self._pieces)
        except StopIteration:
            raise Malformed from None
