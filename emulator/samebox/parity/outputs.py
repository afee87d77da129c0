"""Compares two responses: are they the same within floating-point tolerance?

The content type decides how they are parsed. Numbers with a fraction may differ within the tolerance; integers, texts,
booleans and nulls may not. NaN equals NaN, an infinity only itself. White space, the order of members in a JSON object
and the notation of numbers do not count; the number of rows does. Other content types, and bodies that do not match
theirs, are compared byte for byte.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import reprlib
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any, Literal

from samebox.check.findings import harmless
from samebox.parity import npy

if TYPE_CHECKING:
    from collections.abc import Iterator

Form = Literal["csv", "json", "jsonlines", "npy", "text", "bytes"]

_FORMS: dict[str, Form] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "application/json": "json",
    "text/json": "json",
    "application/jsonlines": "jsonlines",
    "application/x-jsonlines": "jsonlines",
    "application/jsonl": "jsonlines",
    "application/x-ndjson": "jsonlines",
    "application/ndjson": "jsonlines",
    "application/x-npy": "npy",
    "text/plain": "text",
}
_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
_INTEGER = re.compile(r"[+-]?\d{1,4000}", re.ASCII)  # more digits than that, Python does not read
_SHOWN_MOST = 120
_PIECE = 4096


@dataclass(frozen=True)
class Tolerance:
    """Two numbers agree when |left - right| <= absolute + relative * |right|."""

    relative: float = 1e-5
    absolute: float = 1e-6


@dataclass(frozen=True)
class Difference:
    """The first one. `where` is within the answer: "column 3", "predictions[0].score", "byte 17", "status"."""

    row: int  # counted from 0; a header line of CSV is not a row
    where: str
    left: str
    right: str


@dataclass(frozen=True)
class Comparison:
    """`largest_...` are over all pairs of finite numbers, those within the tolerance too; relative to the right one,
    and 0 has no relative difference. `rows` and `differing_rows` count the longer side; what lies outside of the rows
    (a header line, a JSON object's other members) is in `equal` and `first`, and counts as no row.
    """

    equal: bool  # within tolerance
    exact: bool  # byte for byte
    form: str  # a Form
    rows: int
    differing_rows: int
    first: Difference | None
    largest_absolute: float
    largest_relative: float
    note: str = ""  # "one is text/csv, the other application/json", "4 rows against 5"


def compare(left: bytes, left_type: str, right: bytes, right_type: str, tolerance: Tolerance) -> Comparison:
    """Compare two bodies, each with its Content-Type; one without a type is taken for what the other is."""
    left_form, right_form = form_of(left_type or right_type), form_of(right_type or left_type)
    tally = _Tally(tolerance)
    if left_form != right_form:
        first = Difference(0, "content type", _media(left_type), _media(right_type))
        note = f"one is {_media(left_type)}, the other {_media(right_type)}"
        return Comparison(False, left == right, "bytes", 0, 0, first, 0.0, 0.0, note)
    if _media(left_type) != _media(right_type):
        tally.notes.append(
            f"one is {_media(left_type) or 'of no type'}, the other {_media(right_type) or 'of no type'}"
        )
    form = left_form
    if form != "bytes":
        form = _read_and_compare(tally, form, left, _codec(left_type), right, _codec(right_type))
    if form == "bytes":
        _bytes(tally, left, right)
    return tally.comparison(form, exact=left == right)


def form_of(content_type: str) -> Form:
    """How an answer of this type is compared."""
    media = _media(content_type)
    return "json" if media.endswith("+json") else _FORMS.get(media, "bytes")


class _Unreadable(Exception):
    """A body does not match its content type; the message has the reason."""


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING = _Nothing()  # what stands against a value that only one side has


@dataclass
class _Tally:
    """What has been found so far."""

    tolerance: Tolerance
    rows: int = 0
    differing: int = 0
    first: Difference | None = None
    absolute: float = 0.0
    relative: float = 0.0
    notes: list[str] = field(default_factory=list)
    _last_row: int = -1

    def see(self, row: int | None, where: str, left: object, right: object) -> None:
        """One pair of values; `row` is None outside of the rows."""
        if self._agree(left, right):
            return
        self.differ(row, where, _shown(left), _shown(right))

    def differ(self, row: int | None, where: str, left: str, right: str) -> None:
        if self.first is None:
            self.first = Difference(row or 0, harmless(where), left, right)
        if row is not None and row != self._last_row:
            self.differing += 1
            self._last_row = row

    def count(self, left: int, right: int) -> None:
        """The rows of the two sides."""
        self.rows = max(left, right)
        if left != right:
            self.notes.append(f"{left} row{'s' * (left != 1)} against {right}")

    def comparison(self, form: Form, exact: bool) -> Comparison:
        return Comparison(
            equal=self.first is None,
            exact=exact,
            form=form,
            rows=self.rows,
            differing_rows=self.differing,
            first=self.first,
            largest_absolute=self.absolute,
            largest_relative=self.relative,
            note=harmless("; ".join(self.notes)),
        )

    def _agree(self, left: object, right: object) -> bool:
        if type(left) is float and type(right) is float:  # nearly all there is, where there is much
            return left == right or self._close(left, right)
        if isinstance(left, complex) and isinstance(right, complex):
            is_real_close = self._close(left.real, right.real)
            return self._close(left.imag, right.imag) and is_real_close
        if _is_number(left) and _is_number(right):
            return self._close(left, right)  # type: ignore[arg-type]  # that is what was just asked
        return type(left) is type(right) and left == right

    def _close(self, left: float, right: float) -> bool:
        try:
            distance, size = abs(left - right), abs(float(right))
        except OverflowError:  # an integer that no float can hold
            return left == right
        if math.isfinite(distance):
            self.absolute = max(self.absolute, distance)
            if size and math.isfinite(distance / size):
                self.relative = max(self.relative, distance / size)
        if isinstance(left, int) and isinstance(right, int):
            return left == right
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        if math.isinf(left) or math.isinf(right):
            return left == right
        return distance <= self.tolerance.absolute + self.tolerance.relative * size


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_and_compare(tally: _Tally, form: Form, left: bytes, left_codec: str, right: bytes, right_codec: str) -> Form:
    """Returns "bytes" where neither side could be read as that form."""
    read = _READERS[form]
    sides: list[Any] = []
    problems: list[str] = []
    for data, codec in ((left, left_codec), (right, right_codec)):
        try:
            sides.append(read(data, codec))
        except _Unreadable as error:
            problems.append(f"the {'left' if not sides and not problems else 'right'} one is not {form}: {error}")
    if not problems:
        _COMPARERS[form](tally, sides[0], sides[1])
        return form
    if len(problems) == 2:
        tally.notes.append(f"neither could be read as {form}, so bytes were compared")
    else:
        tally.notes += problems
    return "bytes"


# JSON, JSON Lines


def _read_json(data: bytes, codec: str) -> Any:
    return _parsed(_decoded(data, codec))


def _read_json_lines(data: bytes, codec: str) -> list[Any]:
    lines = _decoded(data, codec).split("\n")  # and not splitlines: a text may hold a line separator of Unicode's
    return [_parsed(line) for line in lines if line.strip()]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _Unreadable(str(error)) from None
    except RecursionError:
        raise _Unreadable("it is nested too deeply") from None


def _json(tally: _Tally, left: Any, right: Any) -> None:
    if isinstance(left, list) and isinstance(right, list):
        _json_rows(tally, left, right, "")
        return
    rows = _row_member(left, right)
    if rows is None:
        tally.rows = 1
        for pair in _pairs(left, right, ""):
            tally.see(0, *pair)
        return
    _json_rows(tally, left[rows], right[rows], _member("", rows))
    others = [{name: value for name, value in side.items() if name != rows} for side in (left, right)]
    for pair in _pairs(others[0], others[1], ""):
        tally.see(None, *pair)


def _json_rows(tally: _Tally, left: list[Any], right: list[Any], path: str) -> None:
    tally.count(len(left), len(right))
    for row in range(tally.rows):
        one, other = (side[row] if row < len(side) else _NOTHING for side in (left, right))
        for pair in _pairs(one, other, f"{path}[{row}]"):
            tally.see(row, *pair)


def _json_lines(tally: _Tally, left: list[Any], right: list[Any]) -> None:
    tally.count(len(left), len(right))
    for row in range(tally.rows):
        one, other = (side[row] if row < len(side) else _NOTHING for side in (left, right))
        for where, left_value, right_value in _pairs(one, other, ""):
            tally.see(row, where or "line", left_value, right_value)


def _row_member(left: Any, right: Any) -> str | None:
    """The member that holds the rows: TensorFlow Serving's "predictions", or else the one list that there is."""
    if not isinstance(left, dict) or not isinstance(right, dict):
        return None
    lists = [name for name, value in left.items() if isinstance(value, list) and isinstance(right.get(name), list)]
    if "predictions" in lists:
        return "predictions"
    return lists[0] if len(lists) == 1 else None


def _pairs(left: Any, right: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Every two values that stand at the same place. Without recursion: how deep it goes, the answer decides."""
    waiting = [(path, left, right)]
    while waiting:
        path, left, right = waiting.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            names = [*left, *(name for name in right if name not in left)]
            waiting += [
                (_member(path, name), left.get(name, _NOTHING), right.get(name, _NOTHING)) for name in reversed(names)
            ]
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                yield f"length of {path}" if path else "length", len(left), len(right)
            both = list(enumerate(zip(left, right, strict=False)))
            waiting += [(f"{path}[{index}]", one, other) for index, (one, other) in reversed(both)]
        else:
            yield path, left, right


def _member(path: str, name: str) -> str:
    if not re.fullmatch(r"[\w-]+", name):
        return f"{path}[{json.dumps(name)}]"
    return f"{path}.{name}" if path else name


# CSV, text


@dataclass(frozen=True)
class _Table:
    header: list[str] | None
    rows: list[list[str]]


def _read_csv(data: bytes, codec: str) -> _Table:
    try:
        rows = list(csv.reader(io.StringIO(_decoded(data, codec), newline="")))
    except csv.Error as error:
        raise _Unreadable(str(error)) from None
    while rows and not rows[-1]:
        rows.pop()
    # Names above, and a number somewhere below: a header. Labels alone are rows.
    named = bool(rows and rows[0]) and not any(_is_numeric(cell) for cell in rows[0])
    if named and any(_is_numeric(cell) for row in rows[1:3] for cell in row):
        return _Table(rows[0], rows[1:])
    return _Table(None, rows)


def _csv(tally: _Tally, left: _Table, right: _Table) -> None:
    tally.count(len(left.rows), len(right.rows))
    if (left.header is None) != (right.header is None):
        tally.notes.append(f"only the {'right' if left.header is None else 'left'} one begins with a header line")
    if left.header != right.header:
        if left.header is None or right.header is None:
            tally.see(
                None, "header", *(_NOTHING if one is None else ",".join(one) for one in (left.header, right.header))
            )
        else:
            _cells(tally, None, left.header, right.header, "header, column")
    for row in range(tally.rows):
        if row >= len(left.rows) or row >= len(right.rows):
            sides = (",".join(side.rows[row]) if row < len(side.rows) else _NOTHING for side in (left, right))
            tally.see(row, "row", *sides)
        elif left.rows[row] != right.rows[row]:
            _cells(tally, row, left.rows[row], right.rows[row], "column")


def _cells(tally: _Tally, row: int | None, left: list[str], right: list[str], word: str) -> None:
    for column in range(max(len(left), len(right))):
        one, other = (_value(side[column]) if column < len(side) else _NOTHING for side in (left, right))
        tally.see(row, f"{word} {column}", one, other)


def _text(tally: _Tally, left: str, right: str) -> None:
    lines = [side.splitlines() for side in (left, right)]
    tally.count(len(lines[0]), len(lines[1]))
    for row in range(tally.rows):
        one, other = (_value(side[row]) if row < len(side) else _NOTHING for side in lines)
        tally.see(row, "line", one, other)


def _is_numeric(cell: str) -> bool:
    return _NUMBER.fullmatch(cell.strip()) is not None


def _value(cell: str) -> int | float | str:
    bare = cell.strip()
    if _INTEGER.fullmatch(bare):
        return int(bare)
    return float(bare) if _NUMBER.fullmatch(bare) else cell


# npy


def _read_npy(data: bytes, _: str) -> npy.Array:
    try:
        return npy.read(data)
    except (npy.NotNpy, npy.Unreadable) as error:
        raise _Unreadable(str(error)) from None


def _npy(tally: _Tally, left: npy.Array, right: npy.Array) -> None:
    tally.count(left.rows, right.rows)
    if left.dtype != right.dtype:
        tally.notes.append(f"{left.dtype} against {right.dtype}")
    names = [[name for name, _ in side.columns] for side in (left, right)]
    if left.shape[1:] != right.shape[1:] or bool(left.shape) != bool(right.shape):
        tally.see(None, "shape", str(left.shape), str(right.shape))
    elif names[0] != names[1] or _unit(left.dtype) != _unit(right.dtype):
        tally.see(None, "type", left.dtype, right.dtype)
    if tally.first is not None:
        return
    width = left.width
    both = min(left.rows, right.rows)
    for place in range(both * width) if left.columns != right.columns else ():
        row, at = divmod(place, width)
        for (name, ours), (_, theirs) in zip(left.columns, right.columns, strict=True):
            if ours[place] is not theirs[place]:
                tally.see(row, _place(name, at, left.shape[1:]), ours[place], theirs[place])
    if width:
        for row in range(both, tally.rows):
            tally.differ(row, "row", *("a row" if row < side.rows else "nothing" for side in (left, right)))
    elif left.rows != right.rows:
        tally.see(None, "shape", str(left.shape), str(right.shape))


def _unit(dtype: str) -> str:
    """Of a time: the same number means another moment in another unit."""
    return dtype.lstrip("<>|=") if "[" in dtype and "(" not in dtype else ""


def _place(name: str, at: int, shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        column = f"column {at}"
    else:
        index = []
        for size in reversed(shape):
            at, inner = divmod(at, size)
            index.append(inner)
        column = "".join(f"[{one}]" for one in reversed(index)) or "value"
    if not name:
        return column
    return f"{column}, {name}" if shape else name


# Bytes


def _bytes(tally: _Tally, left: bytes, right: bytes) -> None:
    tally.rows = 1 if left or right else 0
    if left == right:
        return
    both = min(len(left), len(right))
    piece = next((at for at in range(0, both, _PIECE) if left[at : at + _PIECE] != right[at : at + _PIECE]), both)
    at = next((at for at in range(piece, min(piece + _PIECE, both)) if left[at] != right[at]), both)
    if at == both:
        tally.notes.append(f"{len(left):,} bytes against {len(right):,}")
    tally.differ(
        0, f"byte {at}", *(_shown(side[at : at + 16]) if at < len(side) else "nothing" for side in (left, right))
    )


# Words


def _decoded(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except (ValueError, LookupError) as error:  # a name that is not a codec's can be either
        raise _Unreadable(str(error)) from None


def _shown(value: object) -> str:
    """On one line, and without what a terminal would obey."""
    if isinstance(value, bytes):
        text = value.decode("ascii", errors="replace")
        text = text if text.isascii() and text.isprintable() else value.hex(" ")
    elif isinstance(value, str):
        text = value if value.isprintable() and value == value.strip() else json.dumps(value)
    elif isinstance(value, bool) or value is None:
        text = json.dumps(value)
    else:
        text = reprlib.repr(value) if isinstance(value, dict | list) else repr(value)
    return text if len(text) <= _SHOWN_MOST else text[: _SHOWN_MOST - 1] + "…"


def _media(content_type: str) -> str:
    return harmless(content_type.partition(";")[0].strip().lower())


def _codec(content_type: str) -> str:
    header = Message()
    header["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    named = header.get_content_charset()
    if named in ("punycode", "idna"):  # for names of hosts: a whole body would take them hours
        return "ascii"
    return "utf-8-sig" if named in (None, "utf-8", "utf8") else str(named)  # which a byte-order mark may precede


_READERS: dict[Form, Any] = {
    "json": _read_json,
    "jsonlines": _read_json_lines,
    "csv": _read_csv,
    "text": _decoded,
    "npy": _read_npy,
}
_COMPARERS: dict[Form, Any] = {"json": _json, "jsonlines": _json_lines, "csv": _csv, "text": _text, "npy": _npy}
