"""The model's constraints on a request's values, beyond their types, with the error texts of the service (contract
§6.4).

Most services put every violation into one ValidationException. A scalar and a structure's member are named by their
path; the elements of a list of scalars, and the keys and scalar values of a map, are judged at the list's or map's own
path.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from samebox.errors import AwsError, ValidationException
from samebox.wire.models import Operation
from samebox.wire.patterns import as_printed, matcher
from samebox.wire.schema import Shape

# A request of a few MB may hold a million bad elements; the message gives the number, and lists these.
_SHOWN = 100
_LONGEST_VALUE = 4096


@dataclass(frozen=True)
class Words:
    """How a service words a violation. `sentence` gets value, path and rule; `pattern` is the rule of a pattern.

    `counts`: all violations are in one message, after their number; else the first one is the message. Rules begin with
    "Member", except at the paths `bare`. `plain_slashes`: patterns are printed without the model's escape, `\\/`.
    """

    code: str = "ValidationException"
    sentence: str = "Value {value} at '{path}' failed to satisfy constraint: {rule}"
    pattern: str = "Member must satisfy regular expression pattern: {pattern}"
    counts: bool = True
    bare: frozenset[str] = frozenset()
    plain_slashes: bool = False

    def rule(self, path: str, rule: str) -> str:
        return rule.removeprefix("Member ") if path in self.bare else rule


_STANDARD = Words()
# By botocore's name of the service. All others have SageMaker's wording, STS and IAM too (public logs of 2019-26): the
# query protocol has its own word for the code.
_WORDS = {
    # Public logs of 2016-24: the sentence is the common one.
    "logs": Words("InvalidParameterException"),
    # Public logs of 2018-26. ECR's text for two violations at once is not known.
    "ecr": Words(
        "InvalidParameterException",
        sentence="Invalid parameter at '{path}' failed to satisfy constraint: '{rule}'",
        pattern="must satisfy regular expression '{pattern}'",
        counts=False,
        bare=frozenset({"repositoryName"}),
        plain_slashes=True,
    ),
}


def words_of(operation: Operation) -> Words:
    """The words for requests of this operation."""
    words = _WORDS.get(operation.service, _STANDARD)
    # The younger operations of a service may have SageMaker's code, and then they declare no other.
    if words.code not in operation.errors and "ValidationException" in operation.errors:
        return _STANDARD
    return words


def validate(shape: Shape, params: dict[str, Any], words: Words = _STANDARD) -> None:
    """Raise one error with the constraints that `params` break. `params` are values that were parsed."""
    found = _Violations(words)
    _structure(shape, params, "", found)
    if found.sentences:
        raise found.error()


class _Violations:
    """What was found so far."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.sentences: list[str] = []

    def add(self, value: str, path: str, rule: str) -> None:
        rule = self.words.rule(path, rule)
        self.sentences.append(self.words.sentence.format(value=value, path=path, rule=rule))

    def error(self) -> AwsError:
        message = self.sentences[0]
        if self.words.counts:
            count = len(self.sentences)
            several = "errors" if count > 1 else "error"
            message = f"{count} validation {several} detected: {'; '.join(self.sentences[:_SHOWN])}"
        code = self.words.code
        return ValidationException(message) if code == "ValidationException" else AwsError(code, message)


def _structure(shape: Shape, value: dict[str, Any], path: str, found: _Violations) -> None:
    members = shape.members
    for name in shape.required:
        if value.get(name) is None:
            found.add("null", path + members[name].label, "Member must not be null")
    for name, item in value.items():
        if item is not None:
            member = members[name]
            _value(member.shape, item, path + member.label, found)


def _value(shape: Shape, value: Any, path: str, found: _Violations) -> None:
    match shape.type:
        case "structure":
            if not shape.is_document:
                _structure(shape, value, f"{path}.", found)
        case "list":
            _list(shape, value, path, found)
        case "map":
            _map(shape, value, path, found)
        case "blob":
            pass  # the transport has its own limit: InvokeEndpoint's is 25 MB today, and 6 MB in the model
        case _:
            if not _holds(shape, value):
                for broken in _broken(shape, value, found.words):
                    found.add(_quoted(shape, value), path, broken)


def _list(shape: Shape, value: list[Any], path: str, found: _Violations) -> None:
    _count(shape, value, path, found)
    of = shape.element.shape
    if of.is_scalar:
        if not all(_holds(of, item) for item in value):
            rules = ", ".join(_rules(of, found.words))
            found.add(_quoted(shape, value), path, f"Member must satisfy constraint: [{rules}]")
        return
    for number, item in enumerate(value, 1):
        place = f"{path}.{number}.member"
        if item is None:
            found.add("null", place, "Member must not be null")
        else:
            _value(of, item, place, found)


def _map(shape: Shape, value: dict[str, Any], path: str, found: _Violations) -> None:
    _count(shape, value, path, found)
    keys, of = shape.key.shape, shape.value.shape
    if not all(_holds(keys, key) for key in value):
        rules = ", ".join(_rules(keys, found.words))
        found.add(_quoted(shape, value), path, f"Map keys must satisfy constraint: [{rules}]")
    if of.is_scalar:
        if not all(_holds(of, item) for item in value.values()):
            rules = ", ".join(_rules(of, found.words))
            found.add(_quoted(shape, value), path, f"Map value must satisfy constraint: [{rules}]")
        return
    for key, item in value.items():
        place = f"{path}.{key}.member"
        if item is None:
            found.add("null", place, "Member must not be null")
        else:
            _value(of, item, place, found)


def _count(shape: Shape, value: list[Any] | dict[str, Any], path: str, found: _Violations) -> None:
    if shape.maximum is not None and len(value) > shape.maximum:
        found.add(_quoted(shape, value), path, _at_most(shape))
    if shape.minimum is not None and len(value) < shape.minimum:
        found.add(_quoted(shape, value), path, _at_least(shape))


def _holds(shape: Shape, value: Any) -> bool:
    """Whether a scalar breaks nothing: what nearly every value answers, so no sentence is built to find out."""
    if value is None:
        return False
    if isinstance(value, str) and (
        (shape.enum and value not in shape.allowed) or (shape.pattern is not None and not matcher(shape.pattern)(value))
    ):
        return False
    maximum, minimum = shape.maximum, shape.minimum
    if maximum is None and minimum is None:
        return True
    size = _size(value)
    return (maximum is None or size <= maximum) and (minimum is None or size >= minimum)


def _broken(shape: Shape, value: Any, words: Words) -> Iterator[str]:
    """The constraints that a scalar breaks, each as its sentence."""
    if isinstance(value, str):
        if shape.enum and value not in shape.allowed:
            yield _one_of(shape)
        if shape.pattern is not None and not matcher(shape.pattern)(value):
            yield _like(shape.pattern, words)
    if shape.maximum is not None and _size(value) > shape.maximum:
        yield _at_most(shape)
    if shape.minimum is not None and _size(value) < shape.minimum:
        yield _at_least(shape)


def _size(value: Any) -> float:
    """What `min` and `max` bound: a string's length, a number's value."""
    size: float = len(value) if isinstance(value, str) else value
    return size


def _rules(shape: Shape, words: Words) -> Iterator[str]:
    """All that a scalar must satisfy, in the order in which the live service lists it."""
    if shape.enum:
        yield _one_of(shape)
    if shape.maximum is not None:
        yield _at_most(shape)
    if shape.minimum is not None:
        yield _at_least(shape)
    if shape.pattern is not None:
        yield _like(shape.pattern, words)
    if not (shape.enum or shape.maximum is not None or shape.minimum is not None or shape.pattern is not None):
        yield "Member must not be null"


def _one_of(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _like(pattern: str, words: Words) -> str:
    printed = as_printed(pattern)
    return words.pattern.format(pattern=printed.replace(r"\/", "/") if words.plain_slashes else printed)


def _at_most(shape: Shape) -> str:
    return f"Member must have {_measure(shape)} less than or equal to {_number(shape.maximum)}"


def _at_least(shape: Shape) -> str:
    return f"Member must have {_measure(shape)} greater than or equal to {_number(shape.minimum)}"


def _measure(shape: Shape) -> str:
    return "length" if shape.type in {"string", "list", "map", "blob"} else "value"


def _number(bound: float | None) -> str:
    return str(int(bound)) if isinstance(bound, float) and bound.is_integer() else str(bound)


def _quoted(shape: Shape, value: Any) -> str:
    text = java_string(shape, value)
    return f"'{text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'}'"


def java_string(shape: Shape, value: Any) -> str:
    """A value as Java's toString prints it: `[a, b]`, `{key=value}`, `true`. Nothing marked sensitive is shown."""
    if value is None:
        return "null"
    if shape.is_sensitive:
        return "***Sensitive Data Redacted***"
    match shape.type:
        case "structure":
            if shape.is_document:
                return str(value)
            members = shape.members
            inner = ", ".join(
                f"{members[name].label}={java_string(members[name].shape, it)}" for name, it in value.items()
            )
            return f"{shape.name}({inner})"
        case "list":
            return f"[{', '.join(java_string(shape.element.shape, item) for item in value)}]"
        case "map":
            of = shape.value.shape
            return f"{{{', '.join(f'{key}={java_string(of, item)}' for key, item in value.items())}}}"
        case "boolean":
            return "true" if value else "false"
        case _:
            return str(value)
