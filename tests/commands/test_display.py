"""Log lines as a person reads them."""

import io
import json
import re

import pytest
from rich.console import Console

from samebox.commands.display import Screen, progress_of, shown

TRACEBACK = 'Traceback (most recent call last):\n  File "inference.py", line 2, in model_fn\nRuntimeError: x'


def texts(message: str) -> list[str]:
    return [one.text for one in shown(message)]


def test_a_record_is_its_level_its_message_and_its_traceback_line_by_line() -> None:
    record = {"time": "2026-11-29T15:00:00.000Z", "level": "ERROR", "pid": 7, "message": "no model: RuntimeError: x"}
    lines = shown(json.dumps({**record, "traceback": TRACEBACK}))
    assert [one.text for one in lines] == ["ERROR  no model: RuntimeError: x", *TRACEBACK.split("\n")]
    assert {one.style for one in lines} == {"red"}


def test_other_members_of_a_record_follow_its_message() -> None:
    record = {"time": 1, "level": "INFO", "pid": 7, "message": "request", "path": "/ping", "status": 503, "body": {}}
    assert texts(json.dumps(record)) == ["INFO  request  path=/ping status=503"]


@pytest.mark.parametrize("message", ["", "plain words", '{"loss": 0.25}', "{not json}", "[1]", '{"message": 3}'])
def test_what_is_no_record_is_shown_as_it_is(message: str) -> None:
    assert texts(message) == [message]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b]0;another title\x07words", "words"),
        ("\x1b(0lqk", "lqk"),
        ("bell\x07", "bell\N{REPLACEMENT CHARACTER}"),
        ("\x1b[3", "\N{REPLACEMENT CHARACTER}[3"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}evil", "\N{RIGHT-TO-LEFT OVERRIDE}evil"),
    ],
)
def test_colours_pass_and_nothing_else_steers_the_terminal(message: str, text: str) -> None:
    assert texts(message) == [text]


def test_a_record_steers_no_terminal_either() -> None:
    (line,) = texts(json.dumps({"level": "\x1b[2J", "message": "a\x1b[31mb", "path": "\x1b]0;t\x07"}))
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("message", "progress"),
    [
        ("a line", None),
        ("a line of Windows\r", None),
        ("\r 10%", " 10%"),
        ("\r 10%\r 20%\r 30%", " 30%"),
        (" 10%\r 20%\r", " 20%"),
        ("\r", ""),
    ],
)
def test_a_progress_bar_is_its_last_state(message: str, progress: str | None) -> None:
    assert progress_of(message) == progress


def on_a_screen(*messages: str, terminal: bool, raw: bool = False) -> list[str]:
    """The lines that are left on it."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=80, color_system=None, _environ={"TERM": "xterm"})
    screen = Screen(console, raw)
    for message in messages:
        screen.line(message)
    screen.close()
    return [line.rstrip() for line in left_on_a_terminal(written.getvalue())]


def left_on_a_terminal(written: str) -> list[str]:
    """What stands on a terminal that knows as much as is used here: line ends, one line up, and an emptied line."""
    lines, row, column = [""], 0, 0
    for piece in re.findall(r"\x1b\[[0-9?]*[A-Za-z]|[\s\S]", written):
        if piece == "\n":
            row, column = row + 1, 0
            lines += [""] * (row == len(lines))
        elif piece == "\r":
            column = 0
        elif piece == "\x1b[1A":
            row -= 1
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif not piece.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + piece + lines[row][column + 1 :]
            column += 1
    return [line for line in lines if line.strip()]


def test_on_a_terminal_a_bar_moves_on_one_line_and_its_last_state_stays() -> None:
    assert on_a_screen("before", "\r 10%", "\r 20%", "after", terminal=True) == ["before", " 20%", "after"]


def test_a_bar_that_the_log_ends_with_stays_too() -> None:
    assert on_a_screen("\r 10%", "\r 20%", terminal=True) == [" 20%"]


def test_a_bar_that_is_full_stays_when_the_next_begins() -> None:
    bars = ("\r 50%", "\r 100% of the first", "\r 50%", "\r 100% of the second")
    assert on_a_screen(*bars, terminal=True) == [" 100% of the first", " 100% of the second"]


def test_in_a_file_nothing_moves_and_every_state_is_there() -> None:
    assert on_a_screen("before", "\r 10%\r 20%", "after", terminal=False) == ["before", " 10%", " 20%", "after"]


def test_for_a_program_lines_are_as_they_came() -> None:
    record = '{"level": "INFO", "message": "m", "path": "/ping"}'
    assert on_a_screen(record, terminal=False, raw=True) == [record]
    assert on_a_screen(record, terminal=True, raw=True) == ["INFO  m  path=/ping"]
