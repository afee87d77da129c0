"""The evaluation of identity-based policies: allowed, denied, or not mentioned. Pure.

IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".
"""

import fnmatch
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

Decision = Literal["allowed", "explicitDeny", "implicitDeny"]
Context = Mapping[str, Sequence[str]]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class MalformedPolicy(Exception):
    """The document is not a policy; the message says why."""


def parse(text: str) -> list[Mapping[str, Any]]:
    """The statements of a policy document. Raises MalformedPolicy."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedPolicy("Syntax errors in policy.") from None
    found = document.get("Statement") if isinstance(document, dict) else None
    statements: list[Any] = found if isinstance(found, list) else [found]
    if not isinstance(document, dict) or not statements:
        raise MalformedPolicy("Syntax errors in policy.")
    for one in statements:
        if not isinstance(one, dict) or one.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicy("Syntax errors in policy.")
        if ("Action" in one) == ("NotAction" in one):
            raise MalformedPolicy("Policy statement must contain actions.")
        if not isinstance(one.get("Condition", {}), dict):
            raise MalformedPolicy("Syntax errors in policy.")
    return statements


def check_identity_policy(text: str) -> None:
    """Raises MalformedPolicy where a document is not the policy of a role: its statements name resources."""
    for one in parse(text):
        if ("Resource" in one) == ("NotResource" in one):
            raise MalformedPolicy("Policy statement must contain resources.")
        if "Principal" in one or "NotPrincipal" in one:
            raise MalformedPolicy("Policy document should not specify a principal.")


def check_trust_policy(text: str) -> None:
    """Raises MalformedPolicy where a document does not say who may assume a role."""
    for one in parse(text):
        if ("Principal" in one) == ("NotPrincipal" in one):
            raise MalformedPolicy("AssumeRole policy must contain principals.")
        if "Resource" in one or "NotResource" in one:
            raise MalformedPolicy("Has prohibited field Resource")


def decide(documents: Sequence[str], action: str, resource: str, context: Context) -> Decision:
    """What the policies say of an action on a resource. A denial counts for more than any allowance."""
    found: Decision = "implicitDeny"
    for text in documents:
        for statement in parse(text):
            if not _applies(statement, action, resource, context):
                continue
            if statement["Effect"] == "Deny":
                return "explicitDeny"
            found = "allowed"
    return found


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    actions = [one.lower() for one in _texts(statement.get("Action", statement.get("NotAction")))]
    if any(_like(one, action.lower()) for one in actions) == ("NotAction" in statement):
        return False
    wanted = statement.get("Resource", statement.get("NotResource"))
    resources = [_filled(one, context) for one in _texts(wanted)]
    if any(_like(one, resource) for one in resources) == ("NotResource" in statement):
        return False
    return all(
        _holds(operator, key, _texts(values), context)
        for operator, tests in statement.get("Condition", {}).items()
        if isinstance(tests, dict)
        for key, values in tests.items()
    )


def _holds(operator: str, key: str, values: Sequence[str], context: Context) -> bool:
    prefix, _, name = operator.rpartition(":")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    given = {known.lower(): texts for known, texts in context.items()}.get(key.lower())
    if name == "Null":
        return (given is None) == (values[:1] == ["true"])
    if given is None:
        # A key that is missing breaks a test, unless the test is negated or asks of all values of none.
        return optional or prefix == "ForAllValues" or _is_negated(name)
    test = _TESTS.get(name.replace("Not", "", 1) if _is_negated(name) else name)
    if test is None:
        return False
    wanted = [_filled(one, context) for one in values]

    def one_fits(text: str) -> bool:
        return any(test(one, text) for one in wanted) is not _is_negated(name)

    return all(map(one_fits, given)) if prefix == "ForAllValues" else any(map(one_fits, given))


def _is_negated(name: str) -> bool:
    return "Not" in name


def _filled(text: str, context: Context) -> str:
    known = {key.lower(): texts for key, texts in context.items()}

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in ("*", "?", "$"):
            return f"[{name}]" if name != "$" else name
        return next(iter(known.get(name.lower(), ())), found[0])

    return _VARIABLE.sub(value, text)


def _texts(value: Any) -> list[str]:
    several = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in several]


def _like(pattern: str, text: str) -> bool:
    return _matcher(pattern)(text) is not None


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> Callable[[str], Any]:
    # A run of stars is one star: fnmatch's expression is then fast whatever the text.
    pieces = re.split(r"(\[\*\]|\[\?\])", re.sub(r"\*+", "*", pattern))
    escaped = "".join(piece if piece in ("[*]", "[?]") else piece.replace("[", "[[]") for piece in pieces)
    return re.compile(fnmatch.translate(escaped)).match


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def test(wanted: str, given: str) -> bool:
        try:
            return compare(float(given), float(wanted))
        except ValueError:
            return False

    return test


def _date(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def test(wanted: str, given: str) -> bool:
        times = [_time(given), _time(wanted)]
        return None not in times and compare(*(time or 0.0 for time in times))

    return test


def _time(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _in_network(wanted: str, given: str) -> bool:
    try:
        return ipaddress.ip_address(given) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _comparisons(
    name: str, of: Callable[[Callable[[float, float], bool]], Callable[[str, str], bool]]
) -> Iterator[tuple[str, Callable[[str, str], bool]]]:
    yield f"{name}Equals", of(lambda one, other: one == other)
    yield f"{name}LessThan", of(lambda one, other: one < other)
    yield f"{name}LessThanEquals", of(lambda one, other: one <= other)
    yield f"{name}GreaterThan", of(lambda one, other: one > other)
    yield f"{name}GreaterThanEquals", of(lambda one, other: one >= other)


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, given: wanted == given,
    "StringEqualsIgnoreCase": lambda wanted, given: wanted.lower() == given.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
    "IpAddress": _in_network,
    **dict(_comparisons("Numeric", _number)),
    **dict(_comparisons("Date", _date)),
}
