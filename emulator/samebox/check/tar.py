"""Tar headers at speed: names, modes, sizes and links of a stream of any length, in one pass and constant memory.

`tarfile` keeps every member it has seen and takes five times as long; images of a million files have to be read here.
Only what image layers contain is understood: ustar, GNU long names, pax headers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

BLOCK = 512
_CHUNK = 1 << 20
_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12x")
_LONGEST_TEXT = 1 << 20  # of a long name or a pax header; no real tar has longer ones

FILE, HARD_LINK, SYMBOLIC_LINK, CHARACTER, BLOCK_DEVICE, FOLDER, FIFO = b"0", b"1", b"2", b"3", b"4", b"5", b"6"


class BadTar(Exception):
    """Not a tar, or a truncated one; the message has the position."""


class Entry(NamedTuple):
    """One member. `kind` is the type flag; a file of whatever old sort is FILE."""

    name: str
    mode: int
    uid: int
    gid: int
    size: int
    kind: bytes
    link: str


Read = Callable[[int], bytes]  # the next bytes of the entry's content, at most so many; b"" at its end


def entries(stream: BinaryIO) -> Iterator[tuple[Entry, Read]]:
    """Each member with a function that reads its content, valid until the next member. Raises BadTar."""
    long_name = long_link = ""
    pax: dict[str, str] = {}
    offset = 0
    while True:
        header = _exactly(stream, BLOCK, offset, may_end=True)
        if not header or header == b"\0" * BLOCK:
            return  # some writers leave the two empty blocks out
        offset += BLOCK
        entry = _entry(header, offset)
        if entry.kind in (b"L", b"K", b"x", b"g", b"X"):
            text = _exactly(stream, min(entry.size, _LONGEST_TEXT), offset)
            _skip(stream, _padded(entry.size) - len(text), offset)
            offset += _padded(entry.size)
            if entry.kind == b"L":
                long_name = _text(text)
            elif entry.kind == b"K":
                long_link = _text(text)
            elif entry.kind != b"g":
                pax = _pax(text)
            continue
        if long_name or long_link or pax:
            entry = _amended(entry, long_name, long_link, pax)
            long_name, long_link, pax = "", "", {}
        content = _Content(stream, entry.size, offset)
        yield entry, content.read
        content.finish()
        offset += _padded(entry.size)


class _Content:
    def __init__(self, stream: BinaryIO, size: int, offset: int) -> None:
        self._stream = stream
        self._left = size
        self._padding = -size % BLOCK
        self._offset = offset

    def read(self, most: int) -> bytes:
        wanted = min(most, self._left)
        if wanted <= 0:
            return b""
        data = self._stream.read(wanted)
        if not data:
            raise BadTar(f"it ends in the middle of a file, after {self._offset} bytes")
        self._left -= len(data)
        return data

    def finish(self) -> None:
        _skip(self._stream, self._left + self._padding, self._offset)


def _entry(header: bytes, offset: int) -> Entry:
    name, mode, uid, gid, size, _, _, kind, link, magic, _, _, _, _, prefix = _FIELDS.unpack(header)
    if magic[:5] != b"ustar" and not _sums_up(header):
        raise BadTar(f"what stands at byte {offset - BLOCK} is not a tar header")
    path = _text(name)
    # GNU's own format has times where ustar has the prefix.
    if prefix[0] and magic[5:6] == b"\0":
        path = f"{_text(prefix)}/{path}"
    if kind in (b"\0", b"7", b"S"):
        kind = FOLDER if path.endswith("/") else FILE
    length = _number(size) if kind not in (HARD_LINK, SYMBOLIC_LINK, FOLDER, CHARACTER, BLOCK_DEVICE, FIFO) else 0
    return Entry(path, _number(mode), _number(uid), _number(gid), length, kind, _text(link))


def _amended(entry: Entry, long_name: str, long_link: str, pax: dict[str, str]) -> Entry:
    name = pax.get("path") or long_name or entry.name
    link = pax.get("linkpath") or long_link or entry.link
    size = int(pax["size"]) if pax.get("size", "").isdigit() and entry.kind == FILE else entry.size
    uid = int(pax["uid"]) if pax.get("uid", "").isdigit() else entry.uid
    gid = int(pax["gid"]) if pax.get("gid", "").isdigit() else entry.gid
    return Entry(name, entry.mode, uid, gid, size, entry.kind, link)


def _pax(data: bytes) -> dict[str, str]:
    """The records "<length> <key>=<value>\n" of a pax header."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        blank = data.find(b" ", at, at + 20)
        if blank < 0 or not data[at:blank].isdigit():
            break
        length = int(data[at:blank])
        key, _, value = data[blank + 1 : at + length - 1].partition(b"=")
        found[key.decode(errors="replace")] = value.decode(errors="surrogateescape")
        at += max(length, 1)
    return found


def _number(field: bytes) -> int:
    """Octal digits, or, with the highest bit set, a big-endian number (GNU's way with large ones)."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else 0
    digits = field.strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        raise BadTar(f"a tar header has {field!r} for a number") from None


def _sums_up(header: bytes) -> bool:
    stated = header[148:156].strip(b" \0")
    return stated.isdigit() and sum(header) - sum(header[148:156]) + 8 * 32 == int(stated, 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="surrogateescape")


def _padded(size: int) -> int:
    return size + -size % BLOCK


def _exactly(stream: BinaryIO, size: int, offset: int, may_end: bool = False) -> bytes:
    data = stream.read(size)
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            if may_end and not data:
                return b""
            raise BadTar(f"it ends after {offset + len(data)} bytes, in the middle of a header")
        data += more
    return data


def _skip(stream: BinaryIO, size: int, offset: int) -> None:
    while size > 0:
        data = stream.read(min(size, _CHUNK))
        if not data:
            raise BadTar(f"it ends in the middle of a file, after {offset} bytes")
        size -= len(data)
