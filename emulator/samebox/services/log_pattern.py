"""CloudWatch Logs filter patterns, the plain ones: which lines FilterLogEvents gives.

    ERROR timeout        both words        -debug          lines without it
    "a phrase"           as it stands      ?WARN ?ERROR    either word
    %[0-9]+ ms%          a regular expression

JSON ({ $.x = 1 }) and space-delimited ([a, b]) patterns are refused by name: to ignore one would give wrong lines.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from samebox.errors import AwsError
from samebox.resources.expression import Expression, MalformedExpression, TooSlow

Matcher = Callable[[str], bool]


@dataclass(frozen=True)
class Pattern:
    """Whether a message matches; and what the line of every message that does has in it, as the logbook writes it.

    The second is for passing over most lines of a log without decoding them.
    """

    matches: Matcher
    bytes_in_every_match: tuple[bytes, ...] = ()


_TERM = re.compile(
    r'(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"%{}\[\]]+))(?:\s+|$)'
)


def pattern(expression: str) -> Pattern:
    """A filter pattern. InvalidParameterException for what is not a pattern, NotImplemented for what is not run."""
    text = expression.strip()
    if text[:1] in ("{", "["):
        raise AwsError("NotImplemented", f"samebox does not implement the filter pattern {expression}.", 501)
    needed: list[Matcher] = []
    either: list[Matcher] = []
    literal: list[bytes] = []
    place = 0
    while place < len(text):
        found = _TERM.match(text, place)
        if found is None:
            raise AwsError("InvalidParameterException", f"Invalid character(s) in term '{text[place:]}'")
        test = _term(found)
        if found["sign"] == "?":
            either.append(test)
        elif found["sign"] == "-":
            needed.append(lambda line, test=test: not test(line))  # type: ignore[misc]
        else:
            needed.append(test)
            if found["regex"] is None:
                literal.append(_in_json(_literal(found)))
        place = found.end()
    return Pattern(
        lambda line: all(test(line) for test in needed) and (not either or any(test(line) for test in either)),
        tuple(literal),
    )


def _term(found: re.Match[str]) -> Matcher:
    if found["regex"] is not None:
        try:
            expression = Expression(found["regex"])
        except MalformedExpression as error:
            raise AwsError("InvalidParameterException", f"Invalid regular expression: {error}") from None
        return partial(_is_in, expression)
    wanted = _literal(found)
    return lambda line: wanted in line


def _is_in(expression: Expression, line: str) -> bool:
    try:
        return expression.is_in(line)
    except TooSlow:
        raise AwsError("InvalidParameterException", "The regular expression takes too long.") from None


def _literal(found: re.Match[str]) -> str:
    return found["word"] if found["phrase"] is None else re.sub(r"\\(.)", r"\1", found["phrase"])


def _in_json(text: str) -> bytes:
    # JSON escapes one character at a time, so that a part of a text is a part of it when escaped, too.
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()
