"""Reads arrays in numpy's file format without numpy: a response in application/x-npy, as plain values.

Nothing is ever unpickled: an array of objects is Unreadable, as are types that `struct` does not have (float128). The
format is described in numpy's documentation, numpy.lib.format.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAGIC = b"\x93NUMPY"
_HEADER_MOST = 1 << 16
_LEAVES_MOST = 1 << 16
# Kind and size of a value -> struct's letter for it, or for each half of it.
_LETTERS = dict(
    word.split(":")
    for word in "b1:? i1:b i2:h i4:i i8:q u1:B u2:H u4:I u8:Q f2:e f4:f f8:d c8:f c16:d M8:q m8:q".split()  # noqa: SIM905
)

Scalar = bool | int | float | complex | str | bytes


class NotNpy(Exception):
    """Not a file of numpy's; the message has the reason."""


class Unreadable(Exception):
    """A numpy file whose values cannot be read without numpy, or not safely."""


@dataclass(frozen=True)
class Array:
    """`columns`: one list of values for each field of a record, in C order; a plain array has one, called ""."""

    dtype: str
    shape: tuple[int, ...]
    columns: tuple[tuple[str, list[Scalar]], ...]

    @property
    def rows(self) -> int:
        return self.shape[0] if self.shape else 1

    @property
    def width(self) -> int:
        """How many elements a row has."""
        return math.prod(self.shape[1:])


@dataclass(frozen=True)
class _Leaf:
    """One value within an element: where it lies, and what makes a value of its bytes."""

    size: int
    read: Callable[[bytes], list[Scalar]]  # of consecutive values
    name: str = ""
    offset: int = 0

    def inside(self, name: str, offset: int) -> _Leaf:
        """The same value, within a field of that name at that place."""
        whole = f"{name}.{self.name}" if self.name else name
        return _Leaf(self.size, self.read, whole, offset + self.offset)


def read(data: bytes) -> Array:
    """Raises NotNpy, Unreadable."""
    header, start = _header(data)
    shape, dtype = _shape(header.get("shape")), header.get("descr")
    size, leaves = _leaves(dtype)
    count, body = math.prod(shape), data[start:]
    if len(body) != count * size:
        raise NotNpy(f"shape {shape} of {dtype} takes {count * size:,} bytes, and {len(body):,} follow")
    if count and (not leaves or any(leaf.size == 0 for leaf in leaves)):
        raise Unreadable("there are values in it without a byte")
    columns = tuple((leaf.name, leaf.read(_strip(body, leaf, size))) for leaf in leaves)
    if header.get("fortran_order") is True and len(shape) > 1 and count:
        columns = tuple((name, list(_in_c_order(values, shape))) for name, values in columns)
    return Array(str(dtype), shape, columns)


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    if not data.startswith(_MAGIC) or len(data) < 12:
        raise NotNpy("it does not begin as numpy's files do")
    width, form = (2, "<H") if data[6] == 1 else (4, "<I")
    (length,) = struct.unpack_from(form, data, 8)
    start = 8 + width + length
    if length > _HEADER_MOST or start > len(data):
        raise NotNpy("its header has no end")
    try:
        header = ast.literal_eval(data[8 + width : start].decode("utf-8" if data[6] >= 3 else "latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise NotNpy(f"its header cannot be read: {error}") from None
    if not isinstance(header, dict):
        raise NotNpy("its header is not a dictionary")
    return header, start


def _shape(given: object) -> tuple[int, ...]:
    if not isinstance(given, tuple) or not all(type(one) is int and one >= 0 for one in given):
        raise NotNpy(f"its shape is {given!r:.60}")
    return given


def _leaves(dtype: object, depth: int = 0) -> tuple[int, list[_Leaf]]:
    """The size of an element of this type, and the values that it consists of."""
    if isinstance(dtype, str):
        leaf = _leaf(dtype)
        return leaf.size, [leaf]
    if not isinstance(dtype, list) or depth > 16:
        raise NotNpy(f"its type is {dtype!r:.60}")
    size = 0
    leaves: list[_Leaf] = []
    for field in dtype:
        if not isinstance(field, tuple) or len(field) not in (2, 3):
            raise NotNpy(f"a field of its type is {field!r:.60}")
        name = str(field[0][-1] if isinstance(field[0], tuple) and field[0] else field[0])  # a title stands before it
        inner_shape = _shape(field[2]) if len(field) == 3 else ()
        inner_size, inner = _leaves(field[1], depth + 1)
        count = math.prod(inner_shape)
        if len(leaves) + count * len(inner) > _LEAVES_MOST:
            raise Unreadable("a record of it has very many values")
        if name and inner:  # padding has no name, and no meaning
            for number, index in enumerate(itertools.product(*(range(one) for one in inner_shape))):
                path = name + "".join(f"[{one}]" for one in index)
                leaves += [leaf.inside(path, size + number * inner_size) for leaf in inner]
        size += count * inner_size
    return size, leaves


def _leaf(dtype: str) -> _Leaf:
    match = re.fullmatch(r"([<>|=]?)([a-zA-Z])(\d*)(?:\[[^]]*\])?", dtype, re.ASCII)
    if not match or len(match.group(3)) > 9:
        raise NotNpy(f"its type is {dtype!r:.60}")
    order, kind, digits = ("<" if match.group(1) in "|=" else match.group(1)), match.group(2), match.group(3)
    size = int(digits or 0)
    if kind == "O":
        raise Unreadable("objects are pickled, and nothing is unpickled here")
    if kind in "SaV":
        return _Leaf(size, lambda data: [one if kind == "V" else one.rstrip(b"\0") for one in _cut(data, size)])
    if kind == "U":
        codec = "utf-32-le" if order == "<" else "utf-32-be"
        return _Leaf(4 * size, lambda data: [_text(one, codec) for one in _cut(data, 4 * size)])
    letter = _LETTERS.get(f"{kind}{digits}")
    if letter is None:
        raise Unreadable(f"{dtype} has no counterpart here")
    code = order + letter
    one_size = struct.calcsize(code)

    def numbers(data: bytes) -> list[Scalar]:
        values = list(struct.unpack(f"{order}{len(data) // one_size}{letter}", data))
        return [complex(*pair) for pair in zip(values[::2], values[1::2], strict=True)] if kind == "c" else values

    return _Leaf(size, numbers)


def _strip(body: bytes, leaf: _Leaf, size: int) -> bytes:
    """The bytes of one value of each element, one after another."""
    if leaf.size == size:
        return body
    return b"".join(body[at : at + leaf.size] for at in range(leaf.offset, len(body), size))


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), max(size, 1)))


def _text(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec).rstrip("\0")
    except UnicodeDecodeError as error:
        raise NotNpy(f"a text in it is none: {error.reason}") from None


def _in_c_order(values: list[Scalar], shape: tuple[int, ...]) -> Iterator[Scalar]:
    steps = [math.prod(shape[:axis]) for axis in range(len(shape))]
    for index in itertools.product(*(range(one) for one in shape)):
        yield values[sum(step * place for step, place in zip(steps, index, strict=True))]
