"""The message about a start that failed."""

from __future__ import annotations

import pytest

from samebox.check.serving.server import Boot

PINGS = ('"GET /ping HTTP/1.1" 503 -',) * 50


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ((), "not ready within 60 s"),
        (("no saved_model.pb", *PINGS), "not ready within 60 s; its log: no saved_model.pb"),
        (("one", "two", "three", "four"), "not ready within 60 s; its log: four"),
        (("ValueError: no weights", "goes on", *PINGS), "not ready within 60 s; its log: ValueError: no weights"),
        (PINGS[:1], 'not ready within 60 s; its log: "GET /ping HTTP/1.1" 503 -'),
    ],
)
def test_the_last_lines_of_a_program_are_not_the_pings_of_the_platform(log: tuple[str, ...], words: str) -> None:
    assert Boot("not ready", "not ready within 60 s", 60.0, log=log).with_log == words
