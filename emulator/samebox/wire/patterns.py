r"""The model's patterns are Java regexes that the whole string must match: translated to Python's, with a time limit.

`translate` handles the differences between Java and Python. All patterns of all services we speak compile; a law checks
it. A pattern that repeats a group can take a time exponential in its input, so matching has a limit.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import regex

_SECONDS = 0.5
# Below this length a pattern without a repeated group is matched in microseconds, whatever the string.
_SHORT = 1024

_TOKEN = re.compile(
    r"(?P<astral>\\u[Dd]800\\u[Dd][Cc]00-\\u[Dd][Bb][Ff]{2}\\u[Dd][Ff]{3})"
    r"|\\p\{(?P<posix>ASCII|Alnum|Alpha|Digit|Print)\}"
    r"|(?P<end>\\z)"
    r"|(?P<escaped>\\.)"
    r"|(?P<opens>\[)"
    r"|(?P<closes>\])"
    r"|(?P<dot>\.)",
    re.DOTALL,
)
# Java's POSIX classes are US-ASCII; the `regex` package's are Unicode.
_POSIX = {
    "ASCII": r"\x00-\x7F",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Print": r"\x20-\x7E",
}
_REPEATED_GROUP = re.compile(r"\)[*+{]")


def translate(pattern: str) -> str:
    r"""A Java regex as the `regex` package reads it.

    A dot stops at every line terminator of Java's, not only at \n. A range of surrogate pairs is one of
    code points, and `\z` is `\Z`.
    """
    in_class = False

    def replace(token: re.Match[str]) -> str:
        nonlocal in_class
        match token.lastgroup:
            case "astral":
                return r"\U00010000-\U0010FFFF"
            case "posix":
                characters = _POSIX[token["posix"]]
                return characters if in_class else f"[{characters}]"
            case "end":
                return r"\Z"
            case "opens":
                nested, in_class = in_class, True
                return r"\[" if nested else "["
            case "closes":
                in_class = False
            case "dot":
                return "." if in_class else r"[^\n\r\x85\u2028\u2029]"
            case _:
                pass
        return token[0]

    return _TOKEN.sub(replace, pattern)


@lru_cache(maxsize=2048)
def matcher(pattern: str) -> Callable[[str], bool]:
    """A function that checks whether the whole of a string matches."""
    java = translate(pattern)
    # \w, \d and \s are ASCII in Java; but the flag would make \p{L} ASCII too.
    compiled = regex.compile(java, 0 if r"\p" in java else regex.ASCII)
    short = 0 if _REPEATED_GROUP.search(java) else _SHORT

    def matches(value: str) -> bool:
        if len(value) <= short:
            return compiled.fullmatch(value) is not None
        try:
            return compiled.fullmatch(value, timeout=_SECONDS) is not None
        except TimeoutError:
            return False  # nothing that a user means takes this long

    return matches


# Older releases of botocore's models had the anchors that the live service still prints; newer ones leave them out.
# Of the 309 patterns that both releases have, these beginnings say which were anchored, and how.
_ANCHORS = (
    ("[a-zA-Z0-9](", "^", ""),
    ("arn:aws[a-z\\-]*:iam::", "^", "$"),
    ("(https|s3)://", "^", "$"),
)


def as_printed(pattern: str) -> str:
    """The pattern as the service prints it in a message (contract §6.2, §6.4)."""
    for start, before, after in _ANCHORS:
        if pattern.startswith(start):
            return f"{before}{pattern}{after}"
    return pattern
