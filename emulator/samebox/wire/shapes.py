"""Values and the shapes they must have: parse what came in, project what goes out, write it as JSON.

Inside the emulator a value is what JSON can hold, so that it can be stored as it is: a timestamp is a float of epoch
seconds. Only a blob is not: it is bytes, and no resource that we store has one.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Any

from samebox.errors import SerializationException
from samebox.wire.schema import Reference, Shape

_FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
_EPOCH = date(1970, 1, 1).toordinal()
_INTEGER = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)


def parse(shape: Shape, value: Any) -> Any:
    """JSON -> value. Members the model does not know are ignored, null members are absent, as AWS has it.

    SerializationException where a JSON type is wrong. The sentences are those that JSON services of AWS are publicly
    seen to answer; which of them SageMaker itself uses is a guess.
    """
    return _PARSERS[shape.type](shape, value, True)


def accept(shape: Shape, value: Any) -> Any:
    """The same for what a caller in this process hands over: by the model's names, bytes and datetimes welcome."""
    return _PARSERS[shape.type](shape, value, False)


def _parse_structure(shape: Shape, value: Any, by_wire: bool) -> Any:
    if shape.is_document:
        return value
    if not isinstance(value, dict):
        raise _unexpected(value, "Unexpected value type in payload")
    members = shape.wire_members if by_wire else shape.members
    parsed = {}
    for key, item in value.items():
        member = members.get(key)
        # Members that travel in headers or the URI are read there, never in a body.
        if member is not None and item is not None and not (by_wire and member.location):
            of = member.shape
            parsed[member.name] = _PARSERS[of.type](of, item, by_wire)
    if shape.is_union and len(parsed) != 1:
        raise SerializationException(f"Exactly one member of the union {shape.name} must be set")
    return parsed


def _parse_list(shape: Shape, value: Any, by_wire: bool) -> Any:
    if not isinstance(value, list):
        raise _unexpected(value, "Expected list or null")
    of = shape.element.shape
    read = _PARSERS[of.type]
    return [None if item is None else read(of, item, by_wire) for item in value]


def _parse_map(shape: Shape, value: Any, by_wire: bool) -> Any:
    if not isinstance(value, dict):
        raise _unexpected(value, "Expected map or null")
    of = shape.value.shape
    read = _PARSERS[of.type]
    return {
        _parse_string(shape, key, by_wire): None if item is None else read(of, item, by_wire)
        for key, item in value.items()
    }


def _parse_string(_: Shape, value: Any, __: bool) -> Any:
    if not isinstance(value, str):
        raise _not_convertible(value, "a String")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair can be written in JSON but in no file, table or header.
            raise SerializationException("Invalid UTF-16 surrogate in a string") from None
    return value


def _parse_integer(shape: Shape, value: Any, _: bool) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    bounds, words = (_INTEGER, "an Integer") if shape.type == "integer" else (_LONG, "a Long")
    if type(value) is not int or value not in bounds:
        raise _not_convertible(value, words)
    return value


def _parse_float(shape: Shape, value: Any, _: bool) -> Any:
    words = "a Float" if shape.type == "float" else "a Double"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_convertible(value, words)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _not_convertible(value, words)
    return number


def _parse_boolean(_: Shape, value: Any, __: bool) -> Any:
    if not isinstance(value, bool):
        raise _not_convertible(value, "a Boolean")
    return value


def _parse_timestamp(shape: Shape, value: Any, by_wire: bool) -> Any:
    if isinstance(value, datetime) and not by_wire:
        return value.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_convertible(value, "milliseconds since epoch")
    number = _parse_float(shape, value, by_wire)
    if not _FIRST_MOMENT <= number <= _LAST_MOMENT:
        raise _not_convertible(value, "milliseconds since epoch")
    return number


def _parse_blob(_: Shape, value: Any, by_wire: bool) -> Any:
    if isinstance(value, bytes) and not by_wire:
        return value
    if not isinstance(value, str):
        raise _not_convertible(value, "a Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise SerializationException("Unable to decode base64 data") from None


_PARSERS: Mapping[str, Callable[[Shape, Any, bool], Any]] = {
    "structure": _parse_structure,
    "list": _parse_list,
    "map": _parse_map,
    "string": _parse_string,
    "character": _parse_string,
    "integer": _parse_integer,
    "long": _parse_integer,
    "float": _parse_float,
    "double": _parse_float,
    "boolean": _parse_boolean,
    "timestamp": _parse_timestamp,
    "blob": _parse_blob,
}


def _not_convertible(value: Any, words: str) -> SerializationException:
    if isinstance(value, bool):
        word = "TRUE_VALUE" if value else "FALSE_VALUE"
    elif isinstance(value, str):
        word = "STRING_VALUE"
    elif isinstance(value, int | float):
        word = "NUMBER_VALUE"
    else:
        return _unexpected(value, "Unexpected null")
    return SerializationException(f"{word} can not be converted to {words}")


def _unexpected(value: Any, otherwise: str) -> SerializationException:
    if isinstance(value, dict):
        return SerializationException("Start of structure or map found where not expected")
    if isinstance(value, list):
        return SerializationException("Start of list found where not expected")
    return SerializationException(otherwise)


class Projected(list[dict[str, Any]]):
    """A long list of structures that have the members of the model already, by their names in JSON, and none is None.

    It is written as it is: a page of ten thousand events would else be built twice more.
    """


def project(shape: Shape, value: Any) -> Any:
    """The part of `value` that the shape knows, without members that are None; a datetime becomes epoch seconds.

    This is how Describe answers: spec and state together, cut to the output shape.
    """
    kind = shape.type
    if kind == "structure":
        if shape.is_document:
            return value
        if plain := shape.plain_members:
            return {name: item for name, _ in plain if (item := value.get(name)) is not None}
        projected = {}
        for name, member in shape.members.items():
            item = value.get(name)
            if item is not None:
                of = member.shape
                projected[name] = item if of.type == "string" else project(of, item)
        return projected
    if kind == "list":
        if isinstance(value, Projected):
            return value
        of = shape.element.shape
        return list(value) if of.type == "string" else [None if item is None else project(of, item) for item in value]
    if kind == "map":
        of = shape.value.shape
        return dict(value) if of.type == "string" else {key: project(of, item) for key, item in value.items()}
    if kind == "timestamp" and isinstance(value, datetime):
        return value.timestamp()
    return value


def to_json(shape: Shape, value: Any) -> Any:
    """Value -> what `json.dumps` writes. Members that travel elsewhere (headers) or that are None are left out."""
    if shape.type == "structure":
        if shape.is_document:
            return value
        if plain := shape.plain_members:
            return {wire_name: item for name, wire_name in plain if (item := value.get(name)) is not None}
        written = {}
        for name, member in shape.members.items():
            item = value.get(name)
            if item is not None and member.location is None:
                written[member.wire_name] = _member_to_json(member, item)
        return written
    if shape.type == "list":
        if isinstance(value, Projected):
            return value
        return [None if item is None else _member_to_json(shape.element, item) for item in value]
    if shape.type == "map":
        return {key: None if item is None else _member_to_json(shape.value, item) for key, item in value.items()}
    return value


def _member_to_json(member: Reference, value: Any) -> Any:
    shape = member.shape
    if shape.type == "timestamp":
        form = member.timestamp_format or "unixTimestamp"
        # AWS keeps milliseconds.
        return round(float(value), 3) if form == "unixTimestamp" else write_timestamp(value, form)
    if shape.type == "blob":
        return base64.b64encode(value).decode("ascii")
    return value if shape.is_scalar else to_json(shape, value)


def write_timestamp(seconds: float, form: str) -> str:
    """Epoch seconds as text: iso8601, rfc822 or unixTimestamp (the model's words)."""
    if form == "unixTimestamp":
        return f"{round(seconds, 3):.15g}"
    if form == "rfc822":
        return format_datetime(datetime.fromtimestamp(round(seconds, 3), UTC), usegmt=True)
    # In half of the time that datetime's own form takes: a page of a listing has a thousand.
    second, milliseconds = divmod(round(seconds * 1000), 1000)
    minute, second = divmod(second, 60)
    return f"{_minute(minute)}{second:02}.{milliseconds:03}Z" if milliseconds else f"{_minute(minute)}{second:02}Z"


@lru_cache(maxsize=10_000)
def _minute(minutes: int) -> str:
    """All of a time but its second, of minutes since the epoch."""
    days, minutes = divmod(minutes, 24 * 60)
    return f"{date.fromordinal(_EPOCH + days).isoformat()}T{minutes // 60:02}:{minutes % 60:02}:"


def read_timestamp(text: str) -> float:
    """Any of the three forms as epoch seconds. SerializationException where it is none of them."""
    for read in (float, _iso8601, _rfc822):
        try:
            seconds = read(text)
        except (ValueError, OverflowError, IndexError):
            continue
        if _FIRST_MOMENT <= seconds <= _LAST_MOMENT:
            return seconds
    raise SerializationException(f"{text[:64]!r} is not a valid timestamp")


def from_text(reference: Reference, text: str) -> Any:
    """A scalar out of a header, a URI or a form field."""
    shape = reference.shape
    match shape.type:
        case "string" | "character":
            return _parse_string(shape, text, True)
        case "integer" | "long":
            if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
                raise _not_convertible(text, "an Integer" if shape.type == "integer" else "a Long")
            return _parse_integer(shape, int(text), True)
        case "float" | "double":
            try:
                return _parse_float(shape, float(text), True)
            except ValueError:
                raise _not_convertible(text, "a Float" if shape.type == "float" else "a Double") from None
        case "boolean":
            if text not in {"true", "false"}:
                raise _not_convertible(text, "a Boolean")
            return text == "true"
        case "timestamp":
            return read_timestamp(text)
        case "blob":
            return _parse_blob(shape, text, True)
        case _:
            raise SerializationException("Unexpected value type in payload")


def to_text(reference: Reference, value: Any, timestamps: str) -> str:
    """A scalar for a header or an XML element. `timestamps` is the protocol's form where the model names none."""
    shape = reference.shape
    match shape.type:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return write_timestamp(value, reference.timestamp_format or timestamps)
        case "blob":
            return base64.b64encode(value).decode("ascii")
        case "float" | "double":
            return repr(float(value))
        case _:
            return str(value)


def _iso8601(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _rfc822(text: str) -> float:
    moment = parsedate_to_datetime(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
