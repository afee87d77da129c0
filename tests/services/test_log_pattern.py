"""Filter patterns: the plain ones as AWS documents them, the others refused."""

import pytest

from samebox.errors import AwsError
from samebox.resources import log_file
from samebox.resources.log_file import Event
from samebox.services.log_pattern import pattern as filter_pattern

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
    assert filter_pattern(pattern).matches(LINE) is matches


@pytest.mark.parametrize("pattern", ['{ $.level = "error" }', "[ip, user, ...]"])
def test_patterns_that_are_not_run_are_refused(pattern: str) -> None:
    with pytest.raises(AwsError, match="NotImplemented"):
        filter_pattern(pattern)


@pytest.mark.parametrize("pattern", ['"open', "%(%", "%x{99999999999}%", "a}b"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(AwsError, match="InvalidParameterException"):
        filter_pattern(pattern)


@pytest.mark.parametrize(
    ("expression", "needed"),
    [
        ("ERROR -debug ?a ?b %x+%", ["ERROR"]),
        (r'"say \"hi\"" ü', [r"say \"hi\"", "ü"]),
        (r'"C:\\temp"', [r"C:\\temp"]),
        ("", []),
    ],
)
def test_what_every_match_has_in_its_line_is_known_before_it_is_decoded(expression: str, needed: list[str]) -> None:
    found = filter_pattern(expression)
    message = r'ERROR xx in "C:\temp": say "hi" ü a'
    assert found.matches(message)
    assert found.bytes_in_every_match == tuple(part.encode() for part in needed)
    assert all(part in log_file.encode([Event(1, message)]) for part in found.bytes_in_every_match)
