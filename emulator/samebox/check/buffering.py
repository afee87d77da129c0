"""Detects buffered output: lines that reach the log much later than the program printed them, at once or in blocks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from samebox.check.static.places import line_of
from samebox.platform.log_tail import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.check.checks import Context
    from samebox.check.ended import HostResult
    from samebox.check.findings import Finding, Rule
    from samebox.containers.engine import LogLine

BLOCK = 8192  # bytes that Python and C hold back of what goes to a pipe
_LEAST_LINES = 5
_LEAST_SECONDS = 5.0  # of silence; what is shorter may be a program that had nothing to say yet
# Between lines of one write, most of the time; a busy engine may be held up between some of them.
_AT_ONCE, _MOST, _HELD_UP = 0.005, 0.75, 1.0
_GAP = 1.0  # seconds between two blocks

_PYTHON = (
    "Set ENV PYTHONUNBUFFERED=1, or run python -u: Python holds back what it prints until 8 KB are full or it ends, so "
    "that CloudWatch shows nothing meanwhile; and a job that is killed loses them."
)
_OTHER = (
    "Flush standard output after each line, as stdbuf -oL PROGRAM does: CloudWatch shows nothing meanwhile, and a job "
    "that is killed loses them."
)


def looked_at(context: Context, rule: Rule, ended: HostResult) -> Finding | None:
    """The finding for the rule that a job logs without delay; None where no line was held back."""
    held = held_back(ended)
    config = context.subject.config
    has_python = any(context.subject.which(name) for name in ("python3", "python"))
    if not held or (has_python and config.environment.get("PYTHONUNBUFFERED")):
        return None
    return rule.warned(held, _PYTHON if has_python else _OTHER, line_of(context, "ENV", "PYTHONUNBUFFERED"))


def held_back(ended: HostResult) -> str:
    """How its lines came, where that shows that they were held back; "" where it does not."""
    printed = [line for line in ended.log if line.stream == "stdout" and line.text.strip()]
    if ended.started_at is None or len(printed) < _LEAST_LINES or len(ended.log) >= MOST_LINES:
        return ""
    return _all_at_the_end(ended, printed) or _in_blocks([line for line in ended.log if line.stream == "stdout"])


def _all_at_the_end(ended: HostResult, printed: Sequence[LogLine]) -> str:
    assert ended.started_at is not None
    first, last = (line.time / 1e9 - ended.started_at for line in (printed[0], printed[-1]))
    # One that speaks on standard error as it goes may well sum up at its end.
    silent = ended.log[0].time >= printed[0].time
    if not silent or first < max(_LEAST_SECONDS, 0.9 * ended.seconds) or last - first > _HELD_UP:
        return ""
    gaps = [(following.time - line.time) / 1e9 for line, following in pairwise(printed)]
    if sum(gap < _AT_ONCE for gap in gaps) < _MOST * len(gaps):
        return ""
    return f"its {len(printed)} lines came all at once, after {first:.1f} s of {ended.seconds:.1f} s"


def _in_blocks(printed: Sequence[LogLine]) -> str:
    """Whether silence ends each time that a block is full, and never else."""
    size, blocks, longest = 0, 0, 0.0
    for line, following in pairwise(printed):
        size += len(line.text.encode()) + 1
        gap = (following.time - line.time) / 1e9
        if gap < _GAP:
            continue
        # A line is seen when it is whole: the block's end lies within the line that comes next.
        if (size + len(following.text.encode()) + 1) // BLOCK == size // BLOCK and size % BLOCK:
            return ""
        blocks, longest = blocks + 1, max(longest, gap)
    return f"its lines come in blocks of 8 KB, {longest:.0f} s apart" if blocks > 1 else ""
