"""Facts: what we know of a resource and AWS never shows, as frozen dataclasses in Python and as JSON in its row.

A field's key is its name in AWS's case, `resolved_image` being `ResolvedImage`. Facts outlive the version of samebox
that wrote them: a key without a field is ignored, a field without a key has its default.
"""

import dataclasses
import types
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Facts as what `json.dumps` takes: a dict of a dataclass, a list of a tuple."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {_key(field.name): to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in value.items()}
    return value


def from_json(facts: type[T], stored: Mapping[str, Any]) -> T:
    """Facts from what `to_json` gave. Raises TypeError where a field has neither key nor default."""
    make: Any = facts
    hints = _hints(make)
    made: T = make(**{name: _value(hint, stored[_key(name)]) for name, hint in hints.items() if _key(name) in stored})
    return made


def _value(hint: Any, stored: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not types.NoneType)
        return None if stored is None else _value(inner, stored)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_json(hint, stored)
    if origin is Mapping:
        return {name: _value(arguments[1], item) for name, item in stored.items()}
    if origin is tuple:
        of_each = arguments[:1] * len(stored) if arguments[-1] is Ellipsis else arguments
        return tuple(_value(one, item) for one, item in zip(of_each, stored, strict=True))
    # Scalars are JSON's own. A number stays as it is: hashes of the JSON tell 20 from 20.0.
    return stored


@lru_cache(maxsize=64)
def _hints(facts: Hashable) -> Mapping[str, Any]:
    # By the class: resolving the text of annotations costs more than all the rest.
    return get_type_hints(facts)


def _key(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
