"""CloudWatch Logs filter patterns, the plain ones: which lines FilterLogEvents gives.

    ERROR timeout        both words        -debug          lines without it
    "a phrase"           as it stands      ?WARN ?ERROR    either word
    %[0-9]+ ms%          a regular expression

JSON ({ $.x = 1 }) and space-delimited ([a, b]) patterns are refused by name: to ignore one would give wrong lines.
"""

import re
from collections.abc import Callable

from emulator.errors import AwsError

Matcher = Callable[[str], bool]

_TERM = re.compile(
    r'(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"%{}\[\]]+))(?:\s+|$)'
)


def matcher(pattern: str) -> Matcher:
    """Whether a line matches. InvalidParameterException for what is no pattern, NotImplemented for what is not run."""
    text = pattern.strip()
    if text[:1] in ("{", "["):
        raise AwsError("NotImplemented", f"samebox does not implement the filter pattern {pattern}.", 501)
    needed: list[Matcher] = []
    either: list[Matcher] = []
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
        place = found.end()
    return lambda line: all(test(line) for test in needed) and (not either or any(test(line) for test in either))


def _term(found: re.Match[str]) -> Matcher:
    if found["regex"] is not None:
        try:
            expression = re.compile(found["regex"])
        except re.error as error:
            raise AwsError("InvalidParameterException", f"Invalid regular expression: {error}") from None
        return lambda line: expression.search(line) is not None
    wanted = found["word"] if found["phrase"] is None else re.sub(r"\\(.)", r"\1", found["phrase"])
    return lambda line: wanted in line
