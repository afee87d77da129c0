"""CBOR (RFC 8949): the items that Smithy's RPC v2 protocol is made of, read and written."""

import math
import struct
from typing import Any

from samebox.errors import SerializationException
from samebox.wire.jsonbody import DEEPEST

_EPOCH_TAG = 1  # a time, in seconds since the epoch
_INDEFINITE = 31
_BREAK = 0xFF
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


class Timestamp(float):
    """A time in seconds since the epoch, which is written with its tag."""


def load(data: bytes) -> Any:
    """The item that the bytes are. SerializationException of everything that is not one."""
    reader = _ItemReader(data)
    try:
        item = reader.item(DEEPEST)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError):
        raise _malformed("it breaks off or has an unknown item") from None
    if reader.at != len(data):
        raise _malformed("it goes on after its end")
    return item


def dump(value: Any) -> bytes:
    """The bytes of a value: None, booleans, numbers, times, text, bytes, lists and maps of text."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case Timestamp():
            return _head(6, _EPOCH_TAG) + b"\xfb" + struct.pack(">d", value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str():
            raw = value.encode("utf-8", "replace")
            return _head(3, len(raw)) + raw
        case bytes():
            return _head(2, len(value)) + value
        case list():
            return _head(4, len(value)) + b"".join(map(dump, value))
        case dict():
            return _head(5, len(value)) + b"".join(dump(key) + dump(item) for key, item in value.items())
        case _:
            raise TypeError(type(value))


def _head(major: int, size: int) -> bytes:
    """An item's first bytes (RFC 8949 §3): its major type, and its size in as few bytes as it needs."""
    if size < 24:
        return bytes([major << 5 | size])
    for extra, width in _WIDTHS.items():
        if size < 1 << 8 * width:
            return bytes([major << 5 | extra]) + size.to_bytes(width, "big")
    raise OverflowError(size)


class _ItemReader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def item(self, levels: int) -> Any:
        if levels == 0:
            raise _malformed("it is nested too deeply")
        first = self._data[self.at]
        self.at += 1
        major, extra = first >> 5, first & 0x1F
        if major == 7:
            return self._simple(extra)
        if extra == _INDEFINITE:
            return self._indefinite(major, levels)
        size = self._size(extra)
        match major:
            case 0:
                return size
            case 1:
                return -1 - size
            case 2 | 3:
                raw = self._take(size)
                return raw if major == 2 else raw.decode()
            case 4:
                return [self.item(levels - 1) for _ in range(size)]
            case 5:
                return {self._key(levels): self.item(levels - 1) for _ in range(size)}
            case _:
                return self._tagged(size, levels)

    def _simple(self, extra: int) -> Any:
        if extra in _FLOATS:
            form, width = _FLOATS[extra]
            (number,) = struct.unpack(form, self._take(width))
            return number
        if extra not in _SIMPLE:
            raise _malformed("it has an unknown item")
        return _SIMPLE[extra]

    def _indefinite(self, major: int, levels: int) -> Any:
        """An item of unknown size, which a break ends; text and bytes come in pieces."""
        items: list[Any] = []
        while self._data[self.at] != _BREAK:
            items.append((self._key(levels), self.item(levels - 1)) if major == 5 else self.item(levels - 1))
        self.at += 1
        match major:
            case 2:
                return b"".join(items)
            case 3:
                return "".join(items)
            case 4:
                return items
            case 5:
                return dict(items)
            case _:
                raise _malformed("it has an unknown item")

    def _key(self, levels: int) -> str:
        key = self.item(levels - 1)
        if not isinstance(key, str):
            raise _malformed("a key of a map is not text")
        return key

    def _tagged(self, tag: int, levels: int) -> Any:
        item = self.item(levels - 1)
        if tag != _EPOCH_TAG:
            return item
        if isinstance(item, bool) or not isinstance(item, int | float) or not math.isfinite(item):
            raise _malformed("a time is not a number")
        return Timestamp(item)

    def _size(self, extra: int) -> int:
        if extra < 24:
            return extra
        if extra not in _WIDTHS:
            raise _malformed("it has an unknown item")
        return int.from_bytes(self._take(_WIDTHS[extra]), "big")

    def _take(self, size: int) -> bytes:
        raw = self._data[self.at : self.at + size]
        if len(raw) < size:
            raise _malformed("it breaks off")
        self.at += size
        return raw


def _malformed(why: str) -> SerializationException:
    return SerializationException(f"Could not parse request body into CBOR: {why}")
