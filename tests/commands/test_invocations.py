"""What is shown of an endpoint's log when it does not come into service."""

from __future__ import annotations

import json

from samebox.commands.invocations import telling

PING = json.dumps({"level": "INFO", "message": "request", "path": "/ping", "status": 503})


def test_what_went_wrong_is_found_among_pings() -> None:
    wrong = json.dumps({"level": "ERROR", "message": "the model could not be loaded: no weights"})
    assert telling([PING] * 50 + [wrong] + [PING] * 500) == ("the model could not be loaded: no weights",)


def test_a_log_without_a_complaint_shows_its_end() -> None:
    assert telling([f"line {number}" for number in range(30)])[-1] == "line 29"


def test_no_line_steers_a_terminal() -> None:
    assert telling(["\x1b[31merror"]) == ("\N{REPLACEMENT CHARACTER}[31merror",)


def test_an_exception_is_reported_whole_and_its_name_first() -> None:
    trace = ["Traceback (most recent call last):", '  File "a.py", line 1, in <module>', "KeyError: 'w'"]
    loud = json.dumps({"level": "ERROR", "message": "no model", "traceback": "\n".join(trace)})

    assert telling([PING, loud, *[PING] * 50]) == ("KeyError: 'w'", *trace)
