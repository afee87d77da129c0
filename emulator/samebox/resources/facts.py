"""Facts: what we know of a resource and AWS never shows, as frozen dataclasses in Python and as JSON in its row.

A field's key is its name in AWS's case, `resolved_image` being `ResolvedImage`. Facts outlive the version of samebox
that wrote them: a key without a field is ignored, a field without a key has its default.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Read = Callable[[Any], Any]

_SCALARS = (str, int, float, bool, types.NoneType)


def to_json(value: Any) -> Any:
    """Facts as what `json.dumps` takes: a dict of a dataclass, a list of a tuple."""
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in value.items()}
    return {key: to_json(getattr(value, name)) for name, key in _keys(_any(type(value)))}


def from_json(facts: type[T], stored: Mapping[str, Any]) -> T:
    """Facts from what `to_json` gave. Raises TypeError where a field has neither key nor default."""
    return cast("T", _reader(_any(facts))(stored))


@lru_cache(maxsize=64)
def _reader(hint: Any) -> Read:
    """What reads a value of a type. Made once for each: to look at a type costs more than to read a value."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (_reader(one) for one in arguments if one is not types.NoneType)
        return inner if inner is _as_it_is else lambda stored: None if stored is None else inner(stored)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass_reader(hint)
    if origin is Mapping:
        of_each = _reader(arguments[1])
        return dict if of_each is _as_it_is else lambda stored: {name: of_each(item) for name, item in stored.items()}
    if origin is tuple:
        return _tuple_reader(arguments)
    return _as_it_is


def _dataclass_reader(facts: type[Any]) -> Read:
    hints = get_type_hints(facts)
    fields = [(name, key, _reader(hints[name])) for name, key in _keys(_any(facts))]

    def read(stored: Mapping[str, Any]) -> Any:
        return facts(**{name: read_field(stored[key]) for name, key, read_field in fields if key in stored})

    return read


def _tuple_reader(arguments: tuple[Any, ...]) -> Read:
    if arguments[-1] is Ellipsis:
        of_each = _reader(arguments[0])
        return tuple if of_each is _as_it_is else lambda stored: tuple(of_each(item) for item in stored)
    readers = [_reader(one) for one in arguments]
    if all(one is _as_it_is for one in readers):
        return tuple
    return lambda stored: tuple(one(item) for one, item in zip(readers, stored, strict=True))


def _any(facts: type) -> Any:
    # mypy takes classes for unhashable, as arguments of what lru_cache makes.
    return facts


def _as_it_is(stored: Any) -> Any:
    # Scalars are JSON's own. A number stays as it is: hashes of the JSON tell 20 from 20.0.
    return stored


@lru_cache(maxsize=64)
def _keys(facts: Any) -> tuple[tuple[str, str], ...]:
    """(name, key) of each field of a dataclass."""
    names = [field.name for field in dataclasses.fields(facts)]
    return tuple((name, "".join(word.capitalize() for word in name.split("_"))) for name in names)
