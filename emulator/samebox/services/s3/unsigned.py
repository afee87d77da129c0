"""A body with signed chunks as one without: its signatures were made with another key than the next server knows.

The chunks stay as they are; their signatures, and that of the trailers, are left out. A body without trailers loses its
chunks, too.
"""

from __future__ import annotations

import re

from samebox.services.s3.chunked import malformed

_LINE_BYTES = 16 * 1024
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=[0-9a-f]{64})?\s*")
_SIGNATURE = b"x-amz-trailer-signature:"


class UnsignedChunks:
    """Takes the bytes of a chunked body as they come, and gives those that go on."""

    def __init__(self, *, keeps_chunks: bool) -> None:
        self._keeps_chunks = keeps_chunks
        self._held = b""
        self._left = 0  # of the chunk that is passing
        self._is_first = True
        self._in_trailers = False

    def feed(self, data: bytes) -> bytes:
        """What goes on. Raises AwsError where the body is not encoded as it says."""
        held, out = self._held + data, []
        while held:
            if self._left:
                piece, held = held[: self._left], held[self._left :]
                self._left -= len(piece)
                out.append(piece)
                continue
            line, found, rest = held.partition(b"\r\n")
            if not found:
                if len(held) > _LINE_BYTES:
                    raise malformed()
                break
            held = rest
            out.append(self._passed(line))
        self._held = held
        return b"".join(out)

    def finish(self) -> bytes:
        """What is left at the body's end: some clients leave the last line end out. Raises AwsError."""
        if self._left or not self._in_trailers:
            raise malformed()
        last, self._held = self._held, b""
        return self._passed(last) if last else b""

    def _passed(self, line: bytes) -> bytes:
        if self._in_trailers:
            is_passed = self._keeps_chunks and not line.lower().startswith(_SIGNATURE)
            return line + b"\r\n" if is_passed else b""
        if not line and not self._is_first:  # behind a chunk
            return b"\r\n" if self._keeps_chunks else b""
        found = _SIZE.fullmatch(line)
        if found is None:
            raise malformed()
        self._left = int(found[1], 16)
        self._is_first, self._in_trailers = False, not self._left
        return found[1] + b"\r\n" if self._keeps_chunks else b""
