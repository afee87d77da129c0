"""Records of the objects of a transform job: taken apart as they come, and packed into payloads (contract §3.2)."""

from __future__ import annotations

import struct
import zlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from samebox.data import recordio
from samebox.data.recordio import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SplitType = Literal["None", "Line", "RecordIO", "TFRecord"]

_TF_LENGTH = struct.Struct("<Q")
_TF_CHECKSUM = 4  # after the length, and after the payload


class RecordTooLarge(Exception):
    """A record does not fit into a payload."""


@dataclass(frozen=True)
class InputRecord:
    """`payload` is what is sent of it alone, `framed` what is sent of it among others."""

    payload: bytes
    framed: bytes


def split(chunks: Iterable[bytes], kind: SplitType, most: int) -> Iterator[InputRecord]:
    """The records of an object, one at a time. Raises RecordError for broken frames, RecordTooLarge above `most` bytes.

    Framing and padding of RecordIO and TFRecord are part of `framed` only, and so is the end of a line: whether AWS
    sends that of a single line is not known.
    """
    return _SPLITTERS[kind](chunks, most)


def packed(records: Iterable[bytes], most: int) -> Iterator[list[bytes]]:
    """As many whole records as fit into `most` bytes, in their order. Raises RecordTooLarge for one that never does."""
    batch, size = list[bytes](), 0
    for record in records:
        if len(record) > most:
            raise RecordTooLarge(f"a record has {len(record)} bytes; a payload holds {most}")
        if batch and size + len(record) > most:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record)
    if batch:
        yield batch


def packed_lines(chunks: Iterable[bytes], most: int) -> Iterator[list[bytes | memoryview]]:
    """What `packed` makes of lines, each batch as the pieces in which it came: no line is taken apart, none copied."""
    waiting, size = deque[memoryview](), 0
    for chunk in chunks:
        waiting.append(memoryview(chunk))
        size += len(chunk)
        while size > most:
            batch = _whole_lines(waiting, most)
            size -= sum(map(len, batch))
            yield batch
    if waiting:
        yield list(waiting)


def _whole_lines(waiting: deque[memoryview], most: int) -> list[bytes | memoryview]:
    """Take as many lines as fit from the pieces, of which there are more than `most` bytes. Raises RecordTooLarge."""
    taken, size = list[memoryview](), 0
    while size < most:
        taken.append(waiting.popleft())
        size += len(taken[-1])
    surplus = size - most
    while taken:
        last = taken.pop()
        whole = last.obj
        assert isinstance(whole, bytes)
        first = len(whole) - len(last)  # what waits is the end of a chunk
        end = whole.rfind(b"\n", first, len(whole) - surplus) + 1
        if end:
            if end < len(whole):
                waiting.appendleft(memoryview(whole)[end:])
            return [*taken, last[: end - first]]
        waiting.appendleft(last)
        surplus = 0
    raise RecordTooLarge(f"a record has more than {most} bytes, the most that a payload holds")


def gunzipped(chunks: Iterable[bytes], piece: int = 1 << 20) -> Iterator[bytes]:
    """The content of a gzip file of one member or several. Raises RecordError where it is none, or breaks off."""
    decompressor, begun = zlib.decompressobj(31), False
    try:
        for chunk in chunks:
            waiting = chunk
            while waiting:
                if decompressor.eof:
                    decompressor = zlib.decompressobj(31)
                begun = True
                if data := decompressor.decompress(waiting, piece):
                    yield data
                waiting = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
    except zlib.error as error:
        raise RecordError(f"The object is not a gzip file: {error}") from None
    if begun and not decompressor.eof:
        raise RecordError("The gzip file breaks off.")


def _whole(chunks: Iterable[bytes], most: int) -> Iterator[InputRecord]:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        _check(len(body), most)
    yield InputRecord(bytes(body), bytes(body))


def _lines(chunks: Iterable[bytes], most: int) -> Iterator[InputRecord]:
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        _check(len(rest), most)
        for line in lines:
            yield InputRecord(line, line + b"\n")
    if rest:
        yield InputRecord(rest, rest)


def _record_io(chunks: Iterable[bytes], most: int) -> Iterator[InputRecord]:
    for payload in recordio.records(chunks):
        _check(len(payload), most)
        yield InputRecord(payload, recordio.frame(payload))


def _tf_records(chunks: Iterable[bytes], most: int) -> Iterator[InputRecord]:
    stream, position = recordio.ByteStream(iter(chunks)), 0
    while head := stream.take(_TF_LENGTH.size + _TF_CHECKSUM):
        if len(head) < _TF_LENGTH.size + _TF_CHECKSUM:
            raise RecordError(f"The stream ends inside a header, at byte {position}.")
        (length,) = _TF_LENGTH.unpack_from(head)
        _check(length, most)
        body = stream.take(length + _TF_CHECKSUM)
        if len(body) < length + _TF_CHECKSUM:
            raise RecordError(f"The record at byte {position} breaks off.")
        position += len(head) + len(body)
        yield InputRecord(body[:length], head + body)


def _check(size: int, most: int) -> None:
    if size > most:
        raise RecordTooLarge(f"a record has more than {most} bytes, the most that a payload holds")


_SPLITTERS: dict[str, Callable[[Iterable[bytes], int], Iterator[InputRecord]]] = {
    "None": _whole,
    "Line": _lines,
    "RecordIO": _record_io,
    "TFRecord": _tf_records,
}
