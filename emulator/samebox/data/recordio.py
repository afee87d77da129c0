"""RecordIO framing: magic, length, payload, padding to four bytes (contract §5.1)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGIC = 0xCED7230A
LARGEST = (1 << 29) - 1
_HEADER = struct.Struct("<II")
_MAGIC_BYTES = struct.pack("<I", MAGIC)
# The upper three bits of the length say which part of a record this is.
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


class RecordError(Exception):
    """The bytes are no RecordIO; the message says where."""


def frame(payload: bytes) -> bytes:
    """One record, as the SDK's writer makes it: never split. ValueError above 512 MiB."""
    if len(payload) > LARGEST:
        raise ValueError(f"A record may have {LARGEST} bytes, not {len(payload)}.")
    return _HEADER.pack(MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)


def records(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The payloads of a stream of records; parts of a split record are joined by the magic that split them."""
    stream, position = ByteStream(iter(chunks)), 0
    parts: list[bytes] = []
    while header := stream.take(_HEADER.size):
        if len(header) < _HEADER.size:
            raise RecordError(f"The stream ends inside a header, at byte {position}.")
        magic, word = _HEADER.unpack(header)
        if magic != MAGIC:
            raise RecordError(f"No record begins at byte {position}: {header[:4].hex()} is not the magic.")
        part, length = word >> 29, word & LARGEST
        padded = length + -length % 4
        body = stream.take(padded)
        if len(body) < padded:
            raise RecordError(f"The record at byte {position} breaks off.")
        if part > _LAST or (part in (_WHOLE, _FIRST)) == bool(parts):
            raise RecordError(f"The record at byte {position} is part {part} out of place.")
        parts.append(body[:length])
        if part in (_WHOLE, _LAST):
            yield _MAGIC_BYTES.join(parts)
            parts = []
        position += _HEADER.size + padded
    if parts:
        raise RecordError(f"The stream ends inside a split record, at byte {position}.")


class ByteStream:
    """Chunks of any size, to be taken in pieces of any other."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""

    def take(self, size: int) -> bytes:
        """So many bytes; less at the end."""
        parts, missing = [self._buffer], size - len(self._buffer)
        while missing > 0 and (chunk := next(self._chunks, b"")):
            parts.append(chunk)
            missing -= len(chunk)
        whole = b"".join(parts)
        self._buffer = whole[size:]
        return whole[:size]
