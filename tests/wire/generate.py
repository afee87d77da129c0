"""Values that a shape allows, made up by rule and not by chance: the same today and tomorrow."""

import copy
import re
import re._parser as sre  # type: ignore[import-not-found]  # the one way to walk a regex that Python ships
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from samebox.wire.patterns import matcher, translate
from samebox.wire.schema import Shape

# No pattern generator knows \p{L}; a word will do for those.
WORDS = (
    "arn:aws:iam::123456789012:role/a",
    "a",
    "10.0.0.1",
    "ip-10-0-0-1.ec2",
    "Ab1",
    "value-1",
    "1",
    "2026-11-22",
    "",
    "ab" * 20,
    "x" * 64,
)
MOMENT = 1_700_000_000


def value_of(shape: Shape, full: bool = True, depth: int = 0) -> Any:
    """A valid value: with every member (`full`) or only the required ones. Timestamps are epoch seconds."""
    match shape.type:
        case "structure":
            return _structure(shape, full, depth)
        case "list":
            count = max(int(shape.minimum or 0), min(2 if full and depth < 6 else 0, int(shape.maximum or 2)))
            return [value_of(shape.element.shape, full, depth + 1) for _ in range(count)]
        case "map":
            count = max(int(shape.minimum or 0), 1 if full and depth < 6 else 0)
            keys = [f"{text_of(shape.key.shape)}{number or ''}" for number in range(count)]
            if shape.key.shape.enum:
                keys = list(shape.key.shape.enum[:count])
            return {key: value_of(shape.value.shape, full, depth + 1) for key in keys}
        case "string" | "character":
            return text_of(shape)
        case "integer" | "long":
            return int(max(shape.minimum if shape.minimum is not None else 3, 0))
        case "float" | "double":
            return float(shape.minimum if shape.minimum is not None else 0.5)
        case "boolean":
            return True
        case "timestamp":
            return float(MOMENT)
        case "blob":
            return b"some bytes"
        case other:
            raise AssertionError(other)


def _structure(shape: Shape, full: bool, depth: int) -> dict[str, Any]:
    if shape.is_union:
        names = list(shape.members)[:1]
    elif full and depth < 6:
        names = list(shape.members)
    else:
        names = list(shape.required)
    return {name: value_of(shape.members[name].shape, full, depth + 1) for name in names}


def text_of(shape: Shape) -> str:
    """The first string found that the shape's enum, pattern and bounds allow."""
    if shape.enum:
        return shape.enum[0]
    least, most = int(shape.minimum or 0), int(shape.maximum or 10**6)
    for text in _candidates(shape, least):
        if least <= len(text) <= most and (shape.pattern is None or matcher(shape.pattern)(text)):
            return text
    raise AssertionError(f"no string for {shape}: {shape.pattern!r} {least}..{most}")


def _candidates(shape: Shape, least: int) -> Iterator[str]:
    if shape.pattern is None:
        yield "text" * (least // 4 + 1) if least else "text"
        yield "x" * least
    else:
        try:
            tree = sre.parse(translate(shape.pattern))
        except re.error:
            pass
        else:
            for repeats in (1, 2, 3, 8, 20, least):
                yield _write(tree, repeats)
    yield from WORDS
    yield "x" * least


def _write(tree: Any, repeats: int) -> str:
    return "".join(_write_one(kind, detail, repeats) for kind, detail in tree)


def _write_one(kind: Any, detail: Any, repeats: int) -> str:
    match str(kind):
        case "LITERAL":
            return chr(detail)
        case "NOT_LITERAL" | "ANY":
            return "b" if detail != ord("b") else "c"
        case "IN":
            return _one_of(detail)
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, inner = int(detail[0]), int(detail[1]), detail[2]
            return _write(inner, repeats) * max(least, min(repeats, most))
        case "SUBPATTERN":
            return _write(detail[3], repeats)
        case "BRANCH":
            return _write(detail[1][0], repeats)
        case _:  # anchors and assertions write nothing
            return ""


def _one_of(choices: Any) -> str:
    first = choices[0][1]  # a literal, or the first and last of a range
    usual = [*"b1- A./:=_;@~\t\u00e9", chr(first[0] if isinstance(first, tuple) else first or 0)]
    usual_first: str = next(character for character in usual if _in_set(choices, character))
    return usual_first


def _in_set(choices: Any, character: str) -> bool:
    negated = str(choices[0][0]) == "NEGATE"
    return any(_in_choice(str(kind), detail, character) for kind, detail in choices) != negated


def _in_choice(kind: str, detail: Any, character: str) -> bool:
    match kind:
        case "LITERAL":
            return bool(detail == ord(character))
        case "RANGE":
            return bool(detail[0] <= ord(character) <= detail[1])
        case "CATEGORY":
            escape = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(detail).rsplit("_", 1)[1]]
            return (re.match(escape, character, re.ASCII) is not None) != ("NOT" in str(detail))
        case _:
            return False


def with_value(shape: Shape, given: Any, path: tuple[str, ...], value: Any) -> Any:
    """The request with this value at this place; what must stand around it and does not is made up."""
    if not path:
        return value
    name, rest = path[0], path[1:]
    if name == "[]":
        return [with_value(shape.element.shape, given[0] if given else None, rest, value)]
    given = copy.deepcopy(given) if given else value_of(shape, full=False)
    return {**given, name: with_value(shape.members[name].shape, given.get(name), rest, value)}


def as_botocore(shape: Shape, value: Any) -> Any:
    """The same value as a user of botocore would write or read it: timestamps are datetimes."""
    match shape.type:
        case "structure":
            return {name: as_botocore(shape.members[name].shape, item) for name, item in value.items()}
        case "list":
            return [as_botocore(shape.element.shape, item) for item in value]
        case "map":
            return {key: as_botocore(shape.value.shape, item) for key, item in value.items()}
        case "timestamp":
            return datetime.fromtimestamp(value, UTC)
        case _:
            return value
