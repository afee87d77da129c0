"""Filter patterns: the plain ones as AWS documents them, the others refused."""

import pytest

from emulator.errors import AwsError
from emulator.services.log_pattern import matcher

LINE = "2026-11-22 ERROR in 120 ms: out of memory"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("", True),
        ("ERROR", True),
        ("error", False),
        ("ERROR memory", True),
        ("ERROR never", False),
        ("ERROR -memory", False),
        ("-never", True),
        ('"out of memory"', True),
        ('"memory of out"', False),
        ("?WARN ?ERROR", True),
        ("?WARN ?INFO", False),
        ("%[0-9]+ ms%", True),
        ("%^ms%", False),
    ],
)
def test_a_pattern_matches_or_does_not(pattern: str, matches: bool) -> None:
    assert matcher(pattern)(LINE) is matches


@pytest.mark.parametrize("pattern", ['{ $.level = "error" }', "[ip, user, ...]"])
def test_patterns_that_are_not_run_are_refused(pattern: str) -> None:
    with pytest.raises(AwsError, match="NotImplemented"):
        matcher(pattern)


@pytest.mark.parametrize("pattern", ['"open', "%(%", "a}b"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(AwsError, match="InvalidParameterException"):
        matcher(pattern)
