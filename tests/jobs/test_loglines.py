"""A container's lines in the logbook: each once, in order, however often the writer is lost."""

from pathlib import Path

import pytest

from samebox.containers.engine import LogLine
from samebox.jobs.loglines import EVENT_BYTES, LogLines, Place
from samebox.resources.logbook import Event, Logbook

GROUP, STREAM = "/aws/sagemaker/TrainingJobs", "job/algo-1-1"


def line(time: int, text: str) -> LogLine:
    return LogLine(time, "stdout", text)


def texts(logbook: Logbook) -> list[str]:
    return [event.message for _, event in logbook.read(GROUP, STREAM)]


@pytest.fixture
def logbook(tmp_path: Path) -> Logbook:
    return Logbook(tmp_path)


def test_a_new_stream_exists_before_its_first_line(logbook: Logbook) -> None:
    lines = LogLines(logbook, GROUP, STREAM)
    assert (lines.is_new, lines.since) == (True, None)
    assert [stream.name for stream in logbook.streams(GROUP)] == [STREAM]


def test_a_follower_continues_after_the_last_line_that_was_written(logbook: Logbook) -> None:
    LogLines(logbook, GROUP, STREAM).write([line(1_000_000, "a"), line(2_000_000, "b")])
    again = LogLines(logbook, GROUP, STREAM)
    assert (again.is_new, again.since) == (False, 2_000_000)
    again.write([line(2_000_000, "b"), line(3_000_000, "c")])
    assert texts(logbook) == ["a", "b", "c"]


def test_a_line_of_our_own_does_not_move_the_place(logbook: Logbook) -> None:
    lines = LogLines(logbook, GROUP, STREAM)
    lines.write([line(5_000_000, "a")])
    lines.report("something")
    assert LogLines(logbook, GROUP, STREAM).since == 5_000_000
    assert texts(logbook) == ["a", "samebox: something"]
    assert list(lines.texts()) == [("a", 0.005)]


def test_a_line_longer_than_an_event_becomes_several_between_characters(logbook: Logbook) -> None:
    text = "ü" * EVENT_BYTES
    LogLines(logbook, GROUP, STREAM).write([line(1_000_000, text), line(2_000_000, "next")])
    *parts, last = texts(logbook)
    assert ("".join(parts), last) == (text, "next")
    assert [len(part.encode()) for part in parts] == [EVENT_BYTES, EVENT_BYTES]


def test_a_long_line_that_was_half_written_is_ended_and_not_begun_again(logbook: Logbook) -> None:
    long = line(1_000_000, "a" * EVENT_BYTES + "b" * EVENT_BYTES + "c")
    LogLines(logbook, GROUP, STREAM).write([long])
    (path,) = [path for path in Path(logbook._root).rglob("*") if path.is_file() and not path.name.startswith(".")]
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[: first + 1000])  # the first part, and half of the second
    again = LogLines(logbook, GROUP, STREAM)
    assert again.since == 999_999
    again.write([long, line(2_000_000, "next")])
    assert "".join(texts(logbook)) == long.text + "next"


def test_an_empty_line_is_a_line(logbook: Logbook) -> None:
    LogLines(logbook, GROUP, STREAM).write([line(1, ""), line(2, "a")])
    assert texts(logbook) == ["", "a"]


def test_a_disk_that_is_full_costs_nothing_once_it_is_not(logbook: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = LogLines(logbook, GROUP, STREAM)
    append = logbook.append

    def half(group: str, stream: str, events: list[Event]) -> None:
        append(group, stream, events[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logbook, "append", half)
    with pytest.raises(OSError, match="space"):
        lines.write([line(1, "a"), line(2, "b")])
    monkeypatch.undo()
    lines.write([line(1, "a"), line(2, "b")])
    assert texts(logbook) == ["a", "b"]


@pytest.mark.parametrize("cursor", ["", "x", "1+x", "-1"])
def test_a_cursor_that_is_not_ours_is_the_beginning(cursor: str) -> None:
    assert Place.read(cursor) == Place()


def test_a_place_is_read_as_it_was_written() -> None:
    assert [Place.read(str(place)) for place in (Place(7), Place(7, 2))] == [Place(7), Place(7, 2)]
