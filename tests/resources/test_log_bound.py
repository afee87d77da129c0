"""A log that is too long keeps its beginning and its end, at the offsets where they were."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.resources import log_bound, log_file
from samebox.resources.log_file import Event
from samebox.resources.logbook import Logbook

LIMIT = 100_000
GROUP, STREAM = "/group", "stream"


def events(start: int, count: int) -> list[Event]:
    return [Event(1_000 + number, f"line {number}", str(number)) for number in range(start, start + count)]


def room(folder: Path) -> int:
    """Bytes that the files in a folder take on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def forwards(path: Path, size: int, offset: int = 0) -> Iterator[Event | None]:
    while (block := log_file.after(path, offset, size)).lines:
        yield from log_file.decode(block.lines)
        offset = block.end


def backwards(path: Path, size: int) -> Iterator[Event | None]:
    offset = path.stat().st_size
    while (block := log_file.before(path, offset, size)).lines:
        yield from reversed(log_file.decode(block.lines))
        offset = block.start


@pytest.fixture(params=["holes", "no holes"])
def holes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems say nothing of their holes: everything is data there."""
    if request.param == "no holes":
        seek = os.lseek

        def dense(descriptor: int, offset: int, whence: int) -> int:
            end = os.fstat(descriptor).st_size
            if whence == os.SEEK_DATA and offset < end:
                return offset
            return end if whence == os.SEEK_HOLE else seek(descriptor, offset, whence)

        monkeypatch.setattr(os, "lseek", dense)


@pytest.fixture
def book(tmp_path: Path) -> Logbook:
    return Logbook(tmp_path, LIMIT)


def test_a_log_without_end_takes_no_more_room_than_its_bound_and_some(book: Logbook, tmp_path: Path) -> None:
    written = 0
    for start in range(0, 25_000, 500):
        piece = events(start, 500)
        written += len(log_file.encode(piece))
        book.append(GROUP, STREAM, piece)
        assert room(tmp_path) < LIMIT * 1.2 + 8_192
    assert written > 6 * LIMIT
    assert book.size(GROUP, STREAM) == written, "offsets are what they would have been"


@pytest.mark.usefixtures("holes")
@pytest.mark.parametrize("size", [300, 5_000, 1 << 20])
def test_its_beginning_and_its_end_are_kept_with_a_note_of_what_is_not(
    book: Logbook, tmp_path: Path, size: int
) -> None:
    for start in range(0, 12_500, 1_250):
        book.append(GROUP, STREAM, events(start, 1_250))
    path = next(path for path in tmp_path.rglob("*") if path.name == STREAM)
    told = [event for event in forwards(path, size) if event is not None]
    (place,) = [number for number, event in enumerate(told) if event.message.startswith("samebox: ")]
    head, tail = told[:place], told[place + 1 :]
    assert head == events(0, len(head))
    assert tail == events(12_500 - len(tail), len(tail))
    assert len(log_file.encode(head)) >= LIMIT // 4
    assert len(log_file.encode(tail)) > LIMIT // 4 - 100  # whole lines
    left_out = book.size(GROUP, STREAM) - len(log_file.encode(head)) - len(log_file.encode(tail))
    assert f"{left_out} bytes of this log are left out here" in told[place].message
    assert told[place].timestamp == head[-1].timestamp, "by time, too, it stands where the lines are missing"
    assert [event for event in backwards(path, size) if event is not None] == told[::-1]
    assert [event for _, event in book.read(GROUP, STREAM)] == told
    assert book.last(GROUP, STREAM) == events(12_499, 1)[0]


@pytest.mark.usefixtures("holes")
def test_a_reader_in_the_hole_continues_behind_it(book: Logbook, tmp_path: Path) -> None:
    book.append(GROUP, STREAM, events(0, 1_000))
    middle = book.size(GROUP, STREAM)
    for start in range(1_000, 12_250, 1_250):
        book.append(GROUP, STREAM, events(start, 1_250))
    while book.after(GROUP, STREAM, middle, 100).start == middle:
        middle += 100
    (line, *_) = log_file.decode(book.after(GROUP, STREAM, middle, 1_000).lines)
    assert line is not None
    assert line.message.startswith("line ")
    (*_, line) = log_file.decode(book.before(GROUP, STREAM, middle + 1_000, 1_000).lines)
    assert line is not None
    assert line.message.startswith("samebox: ")


def test_another_bound_holds_for_a_log_that_has_a_hole_already(book: Logbook, tmp_path: Path) -> None:
    for start in range(0, 12_500, 1_250):
        book.append(GROUP, STREAM, events(start, 1_250))
    for limit in (50_000, 500_000):
        other = Logbook(tmp_path, limit)
        for start in range(12_500, 37_500, 1_250):
            other.append(GROUP, STREAM, events(start, 1_250))
        assert room(tmp_path) < limit * 1.2 + 200_000
        told = [event.message for _, event in other.read(GROUP, STREAM)]
        assert (told[0], told[-1]) == ("line 0", "line 37499")
        assert any(message.startswith("samebox: ") for message in told)


def test_without_a_bound_and_below_it_nothing_is_left_out(tmp_path: Path) -> None:
    for limit, folder in ((0, "none"), (1 << 30, "large")):
        book = Logbook(tmp_path / folder, limit)
        for start in range(0, 5_000, 500):
            book.append(GROUP, STREAM, events(start, 500))
        assert [event for _, event in book.read(GROUP, STREAM)] == events(0, 5_000)


def test_the_first_and_the_last_line_are_kept_however_long_they_are(tmp_path: Path) -> None:
    book = Logbook(tmp_path, 1_000)
    long = [Event(number, str(number) * 50_000, str(number)) for number in range(3)]
    for event in long:
        book.append(GROUP, STREAM, [event])
    first, mark, last = [event for _, event in book.read(GROUP, STREAM)]
    assert (first, last) == (long[0], long[2])
    assert mark.message.startswith("samebox: ")


def test_a_file_is_as_it_was_when_it_cannot_be_shortened(book: Logbook, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(b"")
    log_bound.shorten(path, LIMIT)
    assert path.read_bytes() == b""
