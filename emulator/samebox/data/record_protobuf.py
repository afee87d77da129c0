"""Records of RecordIO-protobuf, `application/x-recordio-protobuf`: the schema of contract §5.2, read and written.

What is written is byte for byte what the SageMaker SDK writes (`sagemaker.amazon.common`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from samebox.data import recordio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ElementType = Literal["float32", "float64", "int32"]

_FIELDS: Mapping[ElementType, int] = {"float32": 2, "float64": 3, "int32": 7}  # of Value
_BYTES_FIELD = 9
_FLOATS: Mapping[ElementType, str] = {"float32": "f", "float64": "d"}
_VARINT, _FIXED64, _BLOCK, _FIXED32 = 0, 1, 2, 5  # wire types
_TEXTS = {3: "uid", 4: "metadata", 5: "configuration"}


class BadRecord(Exception):
    """The bytes are not a record, or a value has no place in one; the message says why."""


@dataclass(frozen=True)
class Tensor:
    """A dense tensor, or with `keys` (the index of each value) a sparse one, whose `shape` is then known."""

    type: ElementType
    values: Sequence[float]
    keys: Sequence[int] = ()
    shape: Sequence[int] = ()


@dataclass(frozen=True)
class Blobs:
    """Values that are bytes, such as images."""

    values: Sequence[bytes]
    content_type: str | None = None


@dataclass(frozen=True)
class DataRecord:
    """One example. The SDK calls its one feature, and its one label, `values`."""

    features: Mapping[str, Tensor | Blobs]
    label: Mapping[str, Tensor | Blobs] = field(default_factory=dict)
    uid: str | None = None
    metadata: str | None = None
    configuration: str | None = None


def write(records: Iterable[DataRecord]) -> Iterator[bytes]:
    """The frames of a stream of records."""
    for record in records:
        yield recordio.frame(encode(record))


def read(chunks: Iterable[bytes]) -> Iterator[DataRecord]:
    """The records of a stream. Raises BadRecord, and RecordError where it is not RecordIO."""
    for payload in recordio.records(chunks):
        yield decode(payload)


def encode(record: DataRecord) -> bytes:
    """A record, serialized."""
    parts = [
        _block(number, _block(1, name.encode()) + _block(2, _value(value)))
        for number, values in ((1, record.features), (2, record.label))
        for name, value in values.items()
    ]
    texts = ((number, getattr(record, name)) for number, name in _TEXTS.items())
    return b"".join([*parts, *(_block(number, text.encode()) for number, text in texts if text is not None)])


def decode(payload: bytes) -> DataRecord:
    """Raises BadRecord."""
    features: dict[str, Tensor | Blobs] = {}
    label: dict[str, Tensor | Blobs] = {}
    texts: dict[str, str] = {}
    try:
        for number, content in _blocks(payload):
            if number in (1, 2):
                name, value = _entry(content)
                (features if number == 1 else label)[name] = value
            elif number in _TEXTS:
                texts[_TEXTS[number]] = content.decode()
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise BadRecord(f"the record is not a message of aialgs.data.Record: {error}") from None
    return DataRecord(features, label, **texts)


def _value(value: Tensor | Blobs) -> bytes:
    if isinstance(value, Blobs):
        blobs = b"".join(_block(1, blob) for blob in value.values)
        kind = b"" if value.content_type is None else _block(2, value.content_type.encode())
        return _block(_BYTES_FIELD, blobs + kind)
    try:
        if value.type == "int32":
            values = b"".join(_varint(int(number)) for number in value.values)
        else:
            values = struct.pack(f"<{len(value.values)}{_FLOATS[value.type]}", *value.values)
    except (struct.error, OverflowError, TypeError, ValueError) as error:
        raise BadRecord(f"not all values are {value.type}: {error}") from None
    packed = [values, *(b"".join(map(_varint, numbers)) for numbers in (value.keys, value.shape))]
    return _block(_FIELDS[value.type], b"".join(_block(at, one) for at, one in enumerate(packed, 1) if one))


def _entry(content: bytes) -> tuple[str, Tensor | Blobs]:
    name, value = "", b""
    for number, part in _blocks(content):
        if number == 1:
            name = part.decode()
        elif number == 2:
            value = part
    for number, part in _blocks(value):
        if number == _BYTES_FIELD:
            inner = list(_blocks(part))
            kinds = [blob.decode() for at, blob in inner if at == 2]
            return name, Blobs([blob for at, blob in inner if at == 1], kinds[-1] if kinds else None)
        for kind, own in _FIELDS.items():
            if own == number:
                return name, _tensor(kind, part)
    raise BadRecord(f"{name!r} has no value")


def _tensor(kind: ElementType, content: bytes) -> Tensor:
    packed = {1: b"", 2: b"", 3: b""}
    for number, part in _blocks(content):
        packed[number] = packed.get(number, b"") + part  # a field that is given twice goes on
    values: list[float]
    if kind == "int32":
        values = [_signed(number) for number in _varints(packed[1])]
    else:
        size = struct.calcsize(_FLOATS[kind])
        values = list(struct.unpack(f"<{len(packed[1]) // size}{_FLOATS[kind]}", packed[1]))
    return Tensor(kind, values, list(_varints(packed[2])), list(_varints(packed[3])))


def _blocks(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message with their contents. One that is not packed is given as if it were."""
    at = 0
    while at < len(content):
        key, at = _number(content, at)
        number, wire = key >> 3, key & 7
        if wire == _BLOCK:
            size, at = _number(content, at)
            end = at + size
        elif wire == _VARINT:
            end = _number(content, at)[1]
        elif wire in (_FIXED32, _FIXED64):
            end = at + (4 if wire == _FIXED32 else 8)
        else:
            raise BadRecord(f"the record has a field of wire type {wire}")
        if end > len(content):
            raise BadRecord("the record breaks off")
        yield number, content[at:end]
        at = end


def _number(content: bytes, at: int) -> tuple[int, int]:
    result, shift = 0, 0
    while True:
        byte = content[at]
        result |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return result, at
        if shift > 63:
            raise BadRecord("the record has a number of more than 64 bits")


def _varints(content: bytes) -> Iterator[int]:
    at = 0
    while at < len(content):
        number, at = _number(content, at)
        yield number


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1  # a negative int32 is written as one of 64 bits
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _signed(number: int) -> int:
    number &= (1 << 32) - 1
    return number - (1 << 32) if number >= 1 << 31 else number


def _block(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BLOCK) + _varint(len(content)) + content
