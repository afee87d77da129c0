"""Java's regexes, translated to Python's."""

import pytest
import regex

from samebox.wire.models import SPOKEN, Models
from samebox.wire.patterns import as_printed, matcher, translate

MODELS = Models()


@pytest.mark.parametrize("name", SPOKEN)
def test_every_pattern_of_every_service_compiles(name: str) -> None:
    broken = {}
    for shape in MODELS.service(name).shapes.values():
        if shape.pattern is not None:
            try:
                matcher(shape.pattern)
            except regex.error as error:
                broken[shape.name] = str(error)
    assert broken == {}


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("[a-z]+", ["abc"], ["abc!", "!abc", ""]),
        (".*", ["", "a b"], ["a\nb", "a\rb", "a\u2028b"]),
        (r"[\S\s]*", ["a\nb\r"], []),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", ["Größe 1", "a/b"], ["a#b"]),
        (r"\A\S[\p{Print}]*\z", ["a b"], [" a", "aé"]),
        (r"\d+", ["12"], ["\u0661"]),
        (r"[\w-]+", ["a-b"], ["é"]),
        (r"arn:[\p{Alnum}\-]+:x", ["arn:a-1:x"], ["arn:é:x"]),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", ["a\t\U0001f600"], ["\n"]),
        (r"[.]+", ["."], ["a"]),
    ],
)
def test_a_pattern_means_what_it_means_in_java(pattern: str, fits: list[str], fails: list[str]) -> None:
    matches = matcher(pattern)
    assert [text for text in fits if not matches(text)] == []
    assert [text for text in fails if matches(text)] == []


def test_a_dot_inside_a_class_and_an_escaped_dot_stay_dots() -> None:
    assert translate(r"[.]\.") == r"[.]\."


def test_a_pattern_that_would_take_for_ever_is_given_up() -> None:
    assert not matcher("(a+)+b")("a" * 60)  # 2**60 ways to try; without a limit this test would not end


@pytest.mark.parametrize(
    ("pattern", "printed"),
    [
        ("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"),
        ("(https|s3)://([^/]+)/?(.*)", "^(https|s3)://([^/]+)/?(.*)$"),
        (".*", ".*"),
    ],
)
def test_a_message_shows_the_anchors_that_the_model_has_lost(pattern: str, printed: str) -> None:
    assert as_printed(pattern) == printed
