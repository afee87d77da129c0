"""Docker's log stream cut into lines: how bytes arrive, how Docker cuts long lines, and whose times collide."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from samebox.containers.docker_json import RESUME_MARGIN
from samebox.containers.engine import LogLine
from samebox.containers.log_frames import LogFrames

SECOND = 1_000_000_000
NOON = 1_795_348_800 * SECOND  # 2026-11-22T12:00:00Z


def frame(time: int, text: str, stream: int = 1) -> bytes:
    message = f"2026-11-22T12:00:{(time - NOON) // SECOND:02}.{time % SECOND:09}Z {text}".encode()
    return bytes([stream, 0, 0, 0]) + len(message).to_bytes(4, "big") + message


def lines_of(data: bytes, since: int | None = None, step: int = 1 << 20) -> list[LogLine]:
    frames = LogFrames(since)
    lines = [line for at in range(0, len(data), step) for line in frames.feed(data[at : at + step])]
    return lines + list(frames.finish())


def test_a_frame_is_a_line() -> None:
    data = frame(NOON + 5, "one\n") + frame(NOON + 6, "two words\n", stream=2) + frame(NOON + 7, "\n")
    assert lines_of(data) == [
        LogLine(NOON + 5, "stdout", "one"),
        LogLine(NOON + 6, "stderr", "two words"),
        LogLine(NOON + 7, "stdout", ""),
    ]


def test_the_parts_of_a_long_line_are_joined_though_the_other_stream_speaks_between() -> None:
    data = frame(NOON, "ab") + frame(NOON + 1, "err\n", stream=2) + frame(NOON, "cd") + frame(NOON, "ef\n")
    assert [(line.stream, line.text) for line in lines_of(data)] == [("stderr", "err"), ("stdout", "abcdef")]


def test_what_never_ends_is_cut_rather_than_kept() -> None:
    data = b"".join(frame(NOON, "x" * 16_384) for _ in range(65))
    assert [len(line.text) for line in lines_of(data)] == [1 << 20, 16_384]


def test_a_time_with_fewer_digits_or_another_zone_is_read_too() -> None:
    message = b"2026-11-22T13:00:00.5+01:00 podman\n"
    (line,) = lines_of(bytes([1, 0, 0, 0]) + len(message).to_bytes(4, "big") + message)
    assert line == LogLine(NOON + SECOND // 2, "stdout", "podman")


offsets = st.lists(st.sampled_from([0, 1, 2, 3, 1000, RESUME_MARGIN // 2, RESUME_MARGIN]), min_size=1, max_size=40)


@given(steps=offsets, back=st.lists(st.booleans(), min_size=40, max_size=40), size=st.integers(1, 200))
def test_reading_again_from_any_line_gives_the_rest(steps: list[int], back: list[bool], size: int) -> None:
    """Times collide, and run backwards by a little: two pipes are read by two threads of Docker's."""
    time, times = NOON + SECOND, []
    for step, backwards in zip(steps, back, strict=False):
        time += step
        times.append(time - (2 if backwards else 0))
    data = [frame(time, f"{number}\n") for number, time in enumerate(times)]
    lines = lines_of(b"".join(data), step=size)
    assert [line.text for line in lines] == [str(number) for number in range(len(times))]
    assert all(one.time < other.time for one, other in itertools.pairwise(lines))
    for cut, line in enumerate(lines):
        # What Docker gives for a time: everything from the first message on that is not older.
        begin = next(at for at, time in enumerate(times) if time >= line.time - RESUME_MARGIN)
        assert lines_of(b"".join(data[begin:]), since=line.time) == lines[cut + 1 :]
