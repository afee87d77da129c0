"""A log stream's file: blocks of whole lines, both ways, and what a kill may leave in it."""

import itertools
from pathlib import Path

import pytest

from samebox.resources import log_file
from samebox.resources.log_file import Event

EVENTS = [Event(number, f'{number} "quoted" \\ ü \r \t', f"cursor {number}") for number in range(12)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "stream"
    path.write_bytes(log_file.encode(EVENTS))
    return path


def test_what_was_encoded_is_decoded(path: Path) -> None:
    block = log_file.after(path, 0, 1 << 20)
    assert log_file.decode(block.lines) == EVENTS
    assert (block.start, block.end) == (0, path.stat().st_size)
    assert [log_file.time_of(line) for line in block.lines] == list(range(12))


@pytest.mark.parametrize("size", [1, 30, 100, 1000, 1 << 20])
def test_blocks_of_any_size_are_the_whole_file_forwards_and_backwards(path: Path, size: int) -> None:
    forwards, offset = [], 0
    while (block := log_file.after(path, offset, size)).lines:
        assert block.start == offset
        forwards += log_file.decode(block.lines)
        offset = block.end
    backwards, offset = [], path.stat().st_size
    while (block := log_file.before(path, offset, size)).lines:
        assert block.end == offset
        backwards += log_file.decode(block.lines)[::-1]
        offset = block.start
    assert forwards == backwards[::-1] == EVENTS


def test_each_line_of_a_block_is_where_its_offset_says(path: Path) -> None:
    block = log_file.before(path, path.stat().st_size, 100)
    content = path.read_bytes()
    offsets = block.offsets()
    assert [content[start : end - 1] for start, end in itertools.pairwise(offsets)] == block.lines


@pytest.mark.parametrize("half", [b'[2,"half', b"[2", b"", b'[2,"a"', b"[2,[3]]", b"null", b"7"])
def test_a_line_that_is_no_event_costs_no_other(path: Path, half: bytes) -> None:
    content = path.read_bytes()
    path.write_bytes(half + b"\n" + content + half + b"\n" + content)
    block = log_file.after(path, 0, 1 << 20)
    assert log_file.decode(block.lines) == [None, *EVENTS, None, *EVENTS]
    assert log_file.first(path) == EVENTS[0]


def test_a_last_line_without_its_end_is_not_read_yet(path: Path) -> None:
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'[13,"half')
    assert log_file.after(path, size, 100).lines == []
    assert log_file.before(path, path.stat().st_size, 100).end == size
    assert log_file.last(path) == EVENTS[-1]


def test_an_empty_file_has_neither_lines_nor_a_first_and_last_event(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert log_file.after(path, 0, 100).lines == log_file.before(path, 100, 100).lines == []
    assert (log_file.first(path), log_file.last(path)) == (None, None)
