"""A regular expression that a client sent: whatever it is, it costs an error and neither a fault nor a thread."""

from collections.abc import Iterator
from functools import lru_cache

import regex

# What one search in one line may take. A sensible one takes microseconds; some expressions take longer than the
# universe is old, with a line that nearly matches.
_SECONDS = 1.0


class MalformedExpression(ValueError):
    """No regular expression."""


class TooSlow(Exception):
    """The search was given up."""


class Expression:
    """Searches lines as Python's `re` does, for which the text is written. Raises Malformed."""

    def __init__(self, text: str, seconds: float = _SECONDS) -> None:
        self._compiled = _compile(text)
        self._seconds = seconds

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self._compiled.groups)

    def is_in(self, line: str) -> bool:
        """Whether some part of the line matches. Raises TooSlow."""
        try:
            return self._compiled.search(line, timeout=self._seconds) is not None
        except TimeoutError:
            raise TooSlow from None

    def first_groups(self, line: str) -> Iterator[str | None]:
        """The first group of each match. Raises TooSlow."""
        try:
            for match in self._compiled.finditer(line, timeout=self._seconds):
                yield match.group(1)
        except TimeoutError:
            raise TooSlow from None


@lru_cache(maxsize=256)
def _compile(text: str) -> regex.Pattern[str]:
    try:
        return regex.compile(text)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise MalformedExpression(str(error)) from None
