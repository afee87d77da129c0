"""HTTP's chunked transfer coding, taken apart (RFC 9112 §7.1). Pure."""

from __future__ import annotations


class Chunks:
    """Feed it what the connection gives, take what the chunks hold. Trailers are passed over.

    Raises ValueError when it is not this coding.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0  # of the chunk that is being read, its closing line end included
        self._ended = False

    @property
    def is_complete(self) -> bool:
        """Whether the last chunk, which is empty, has come."""
        return self._ended

    def feed(self, data: bytes) -> bytes:
        self._buffer += data
        content = bytearray()
        while self._buffer and not self._ended:
            if self._left:
                taken = min(self._left, len(self._buffer))
                # The last two bytes of a chunk are its line end.
                content += self._buffer[: max(0, min(taken, self._left - 2))]
                del self._buffer[:taken]
                self._left -= taken
                continue
            line, end, _ = self._buffer.partition(b"\r\n")
            if not end:
                break
            size = int(line.split(b";", 1)[0], 16)
            del self._buffer[: len(line) + 2]
            self._left = size + 2 if size else 0
            self._ended = not size
        return bytes(content)
