"""The lines of a log that are quoted: its exceptions, whole; without one, its error lines or the last ones.

For the log of a program in any language, as a container writes it: with marks of mpirun or of a logger in front of each
line, with colours, or as JSON in which a traceback is one long string. Lines in, lines out; nothing is read here.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LOOKED_AT = 10_000  # lines of a log, the last ones, that are searched
LONGEST = 8_000  # characters of a line that are searched and quoted
_COMPLAINTS = 5  # lines in a row that complain and are quoted together
_MESSAGE_LINES = 40  # of an exception whose message goes on below its name
_LONGEST_REPORT = 2_000  # lines of an exception
_LONG_AGO = 50  # lines: an exception that so many follow need not be why the program ended

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_RANK = re.compile(r"(\[\d+,(?:mpirank:)?\d+(?:,[\w.-]+)?\]<(?:stdout|stderr)>:?)")  # of mpirun --tag-output
_DIGITS = re.compile(r"\d+")
_MESSAGE_KEYS = ("message", "msg", "event", "log", "text")
_TRACE_KEYS = ("traceback", "exc_info", "exception", "stack_trace", "stacktrace", "stack", "exc_text", "error", "err")

_TRACEBACK = re.compile(r"(?:\s*\+ Exception Group )?Traceback \(most recent call last\):")
_LINKS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_FILE = re.compile(r'\s*File "[^"]*", line \d+')
_SYNTAX_ERROR = re.compile(r"(?:Syntax|Indentation|Tab)Error\b")
_INDENTED = re.compile(r"\s+\S")
_NEW_RECORD = re.compile(
    r"[\[(]?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b)|\{\""
    r"|\[[\w.-]+\] "
)

# Of other languages, the line that begins the report of an exception, and the lines that belong to it.
_REPORTS = (
    (re.compile(r"Fatal Python error: "), re.compile(r"\s*$|(?:Current t|T)hread 0x|\s+File |\s+<|Extension modules:")),
    (re.compile(r"terminate called "), re.compile(r"\s+what\(\):|Aborted")),
    (re.compile(r"(?:panic|fatal error): "), re.compile(r"\s*$|goroutine |\t|[\w./*()-]+\(.*\)$|exit status |\[sig")),
    (re.compile(r"thread '.*' .*panicked at "), re.compile(r"note: |stack backtrace:|\s+\d+: |\s+at ")),
    (re.compile(r"╭─+ Traceback"), re.compile(r"[│╰]|(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b")),
    (re.compile(r"Error in .+ : ?"), re.compile(r"\s+\S|Calls: |Execution halted")),
)
# Of those whose frames stand below what they are frames of: Java and Node, Ruby, C and C++.
# "at" is a word, too: a frame has its place behind it, or is called Type.Method().
_PLACE = r"(?:[^()]*:\d+|Native Method|Unknown Source|<anonymous>|native)"
_AT = rf"at (?:(?:async |new )?[^\s()]+(?: \[as \S+\])? ?\({_PLACE}\)|(?:async )?\S+:\d+:\d+|[^\s()]+\.[^\s()]+\()"
_FRAME = re.compile(rf"\s+(?:{_AT}|from \S+:\d+:in |@ +0x[0-9a-f]+)|#\d+ +0x[0-9a-f]+")
_BELOW = re.compile(
    _FRAME.pattern + r"|\s+\.\.\. \d+ (?:more|common)|\s*(?:Caused by|Suppressed): |\s+\[?\w+\]?: |\s*\}\s*$|\s*\^+\s*$"
)
# Most lines have none of these, and need no closer look.
_BEGINS = re.compile(r"Traceback \(most|File \"|Fatal Python|terminate |panic|fatal error|Error in ")
_MAY_COMPLAIN = re.compile(
    "err|exception|fatal|emerg|crit|panic|alert|could|can|unable|fail|no |not |fault|denied|out of|kill|abort|core"
    "|unrecog|illegal|undefined|invalid",
    re.IGNORECASE,
)
_HEAD_LINES = 10  # above the first frame, in which the exception's name is looked for
_NAMED = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Throwable|Failure)\b|^(?:Error|Exception|F\d{4} )|[Cc]heck failed")

_COMPLAINT = re.compile(
    r"(?:^|[\s\[\"'|:(])(?:error|fatal|emerg|crit|critical|panic|alert)\b[\]:|, -]|\w(?:Error|Exception)\b"
    r"|(?:exception|could ?n[o']t|cannot|can't|unable to|failed|no such file|not found|segmentation fault)\b"
    r"|(?:permission|access) denied|out of memory|\b(?:killed|aborted)\b|core dumped|unrecognized arg|not permitted"
    r"|illegal instruction|bus error|undefined symbol|invalid (?:option|argument)|no space left|syntax error",
    re.IGNORECASE,
)
_NAME = re.compile(r"\s*(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception)\b(?!s)")
# Warnings; figures that are called errors; counts of none.
_NO_COMPLAINT = re.compile(
    r"\bwarn(?:ing)?\b|Warning: |^(?:\S+ \S+ )?W(?:\d{4})? |\bW tensorflow/"
    r"|\b\w*err(?:or)?s?(?:[ _]rate)?\s*[:=]?\s*[-+]?\.?\d"
    r"|\b(?:no|0|without) (?:errors?|failures?)\b|\b0 failed\b",
    re.IGNORECASE,
)


def exception_in(lines: Iterable[str]) -> tuple[str, ...]:
    """The last exception that a log shows, whole, without the marks of loggers; else the last lines that complain.

    An exception is a traceback of Python with all that it is chained to, or what another language prints. Empty where
    no line complains.
    """
    streams = _streams(lines)
    found = _last_report(streams)
    return found.lines if found else _last_complaint(streams)


def excerpt(lines: Iterable[str], last: int = 3) -> tuple[str, ...]:
    """The lines that best explain why a program ended: its exception, whole, or its error lines; and its `last` lines.

    The last lines are left out where an exception stands at the end of the log.
    """
    kept = _last(lines, LOOKED_AT)
    streams = _streams(kept)
    found = _last_report(streams)
    if found and sum(map(len, streams)) - found.end < _LONG_AGO:
        return found.lines
    quoted = list(found.lines if found else _last_complaint(streams))
    ending = [text for line in kept[-10 * last :] for one in readable(line) if (text := one.strip())][-last:]
    return tuple(quoted + [one for one in ending if one not in quoted])


def headline(quoted: Sequence[str]) -> str:
    """Of what `excerpt` or `exception_in` gives, the line that names the fault: an exception's name and message."""
    headers = [number for number, line in enumerate(quoted) if _TRACEBACK.match(line)]
    if headers:
        below = [line for line in quoted[headers[-1] + 1 :] if line.strip() and not line.startswith("> File ")]
        named = [line for line in below if not _INDENTED.match(line)] or [line for line in below if ": " in line]
        return named[0].strip(" |") if named else quoted[headers[-1]]
    for number, line in enumerate(quoted):
        if any(head.match(line) for head, _ in _REPORTS) and "Segmentation" not in line:
            if line.startswith("╭"):  # a box that rich draws, and below it the exception
                break
            goes_on = quoted[number + 1].strip() if number + 1 < len(quoted) else ""
            return f"{line} {goes_on}" if line.endswith(":") or goes_on.startswith("what():") else line
        if number + 1 < len(quoted) and _FRAME.match(quoted[number + 1]):
            return line
    return next((line.strip() for line in reversed(quoted) if line.strip()), "")


def readable(line: str) -> tuple[str, ...]:
    """One line of a log as a person reads it: of a JSON record its message, and its traceback unfolded into lines."""
    line = _COLOUR.sub("", line)
    if line.lstrip().startswith("{") and (record := _record(line)) is not None:
        return record
    if "\r" in line.strip():  # a progress bar, or several lines that were sent as one
        return tuple(part.rstrip() for part in line.split("\r") if part.strip())
    if "Traceback (most recent call last):\\n" in line:  # a string as Python or JSON writes it
        return tuple(line.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').rstrip().splitlines())
    return (line.rstrip(),)


def runtime_reason(error: str) -> str:
    """The end of a container runtime's message, which names what could not be started; the rest is about itself."""
    at = error.find("exec:")
    return (error[at:] if at >= 0 else error).strip().removesuffix(": unknown")


# Lines


@dataclass(frozen=True)
class _Line:
    """A line, and its place in the whole log."""

    at: int
    text: str


@dataclass(frozen=True)
class _Report:
    """An exception, and the place in the whole log at which it ends."""

    end: int
    lines: tuple[str, ...]


def _last(lines: Iterable[str], most: int) -> Sequence[str]:
    if isinstance(lines, list | tuple):
        return lines[-most:]
    kept: list[str] = []
    for line in lines:
        kept.append(line)
        if len(kept) > 2 * most:
            del kept[:most]
    return kept[-most:]


def _record(line: str) -> tuple[str, ...] | None:
    """Of a structured log's record; None where the line is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    message = next((found[key] for key in _MESSAGE_KEYS if isinstance(found.get(key), str)), None)
    if message is None:
        return None
    told = [one.rstrip() for one in message.splitlines()] or [""]
    trace = _trace(found)
    if trace.strip() not in message:
        told += [one.rstrip() for one in trace.splitlines()]
    return tuple(told)


def _trace(value: Any) -> str:
    """A traceback as loggers write it: a string, a list of lines, or an object that holds one of these."""
    if isinstance(value, dict):
        return next((text for key in _TRACE_KEYS if (text := _trace(value.get(key)))), "")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(one.rstrip("\n") for one in value)
    return value if isinstance(value, str) else ""


def _streams(lines: Iterable[str]) -> list[list[_Line]]:
    """What each rank of mpirun wrote, its pieces joined; and last what bears no mark: mpirun's own, or all there is."""
    plain: list[_Line] = []
    ranks: dict[str, list[_Line]] = {}
    begun: dict[str, str] = {}  # a rank's line of which only a piece was written yet
    unfolded = itertools.chain.from_iterable(readable(line) for line in _last(lines, LOOKED_AT))
    for at, line in enumerate(unfolded):
        before, *marked = _RANK.split(line[:LONGEST])
        if before or not marked:
            plain.append(_Line(at, before))
        pieces = list(zip(marked[::2], marked[1::2], strict=True))
        for number, (mark, piece) in enumerate(pieces, 1):
            text = begun.pop(mark, "") + piece
            if number < len(pieces):
                begun[mark] = text
            else:
                ranks.setdefault(mark, []).append(_Line(at, text))
    return [*ranks.values(), plain]


def _without_mark(lines: Sequence[_Line], start: int, column: int, most: int = _LONGEST_REPORT) -> list[_Line]:
    """The lines from `start` on without what a logger put in front of each, which on the first ends at `column`.

    Lines of others in between are left out. Where the second line bears no such mark, none but the first did.
    """
    first = lines[start]
    mark = first.text[:column]
    found = [_Line(first.at, first.text[column:])]
    rest = lines[start + 1 : start + most]
    if not mark or not rest:
        return found + list(rest)
    shape = _shape(mark)
    if not shape.match(rest[0].text):
        return found + list(rest)
    return found + [_Line(line.at, line.text[fits.end() :]) for line in rest if (fits := shape.match(line.text))]


def _shape(mark: str) -> re.Pattern[str]:
    """What the mark of another line looks like: times and numbers differ from one to the next."""
    words = mark.rstrip()
    blank = "[ \\t]?" if words != mark else ""
    return re.compile(r"\d+".join(re.escape(part) for part in _DIGITS.split(words)) + blank)


# Exceptions


def _last_report(streams: Iterable[list[_Line]]) -> _Report | None:
    found = [report for stream in streams for report in _reports(stream)]
    return max(found, key=lambda one: one.end, default=None)


def _reports(lines: list[_Line]) -> Iterator[_Report]:
    number = 0
    while number < len(lines):
        quoted = _report_at(lines, number)
        if quoted:
            yield _Report(quoted[-1].at, tuple(line.text for line in quoted))
            while number < len(lines) and lines[number].at <= quoted[-1].at:
                number += 1
        else:
            number += 1


def _report_at(lines: list[_Line], start: int) -> list[_Line]:
    """The exception that begins with this line; empty where none does."""
    text = lines[start].text
    if _BEGINS.search(text):
        if header := _TRACEBACK.search(text):
            is_one = _end_of_traceback(_without_mark(lines, start, header.start(), most=4), 0)
            return _python(_without_mark(lines, start, header.start())) if is_one else []
        if _FILE.match(text):
            return _syntax_error(lines[start : start + 6])
        for head, body in _REPORTS:
            if begins := head.search(text):
                return _trimmed(_while(body, _without_mark(lines, start, begins.start())))
    if start + 1 < len(lines) and (frame := _FRAME.search(lines[start + 1].text)):
        return _of_frames(lines, start, frame.start())
    return []


def _python(lines: list[_Line]) -> list[_Line]:
    """A traceback from its first line on, with those that it is chained to."""
    end = _end_of_traceback(lines, 0)
    while end:
        link = end
        while link < len(lines) and lines[link].text.strip() in ("", '"""', "'''") and link < end + 4:
            link += 1
        if link >= len(lines) or lines[link].text.strip() not in _LINKS:
            break
        again = link + 1
        while again < len(lines) and not lines[again].text.strip():
            again += 1
        further = _end_of_traceback(lines, again) if again < len(lines) else 0
        if not further:
            break
        end = further
    return lines[:end]


def _end_of_traceback(lines: list[_Line], start: int) -> int:
    """The place after a traceback that begins at `start`; 0 where none does."""
    header = _TRACEBACK.match(lines[start].text)
    if not header:
        return 0
    end = start + 1
    # loguru parts the frames by blank lines.
    is_parted = end < len(lines) and not lines[end].text.strip()
    while end < len(lines) and (
        _INDENTED.match(lines[end].text)
        or lines[end].text.startswith("> File ")
        or (is_parted and end + 1 < len(lines) and not lines[end].text.strip())
    ):
        end += 1
    if not any(line.text.strip() and _INDENTED.match(line.text) for line in lines[start + 1 : end]):
        return 0
    # A group's exceptions are drawn as a tree, all of it indented.
    if "Group" in header.group() or end == len(lines) or not lines[end].text.strip():
        return end
    goes_on = lines[end].text.rstrip().endswith(":")  # "Graph execution error:", and all of it below
    end += 1
    limit = min(len(lines), end + _MESSAGE_LINES)
    while end < limit and _is_message(lines, end, goes_on):
        end += 1
    return end


def _is_message(lines: list[_Line], number: int, goes_on: bool) -> bool:
    """Whether a line below an exception's name is of its message."""
    text = lines[number].text
    if _TRACEBACK.match(text) or _NEW_RECORD.match(text) or text.strip() in _LINKS:
        return False
    if goes_on or _INDENTED.match(text):
        return True
    below = lines[number + 1].text if number + 1 < len(lines) else ""
    return bool(text.strip() and text.strip() != '"""' and _INDENTED.match(below) and not _FILE.match(below))


def _syntax_error(lines: list[_Line]) -> list[_Line]:
    """A program that cannot be compiled has no traceback: its place, its line, and the error."""
    for number, line in enumerate(lines):
        if _SYNTAX_ERROR.match(line.text):
            return lines[: number + 1]
    return []


def _of_frames(lines: list[_Line], start: int, column: int) -> list[_Line]:
    """An exception whose frames stand below it, the first in the line after `start`."""
    top = start
    for number in range(start, max(-1, start - _HEAD_LINES), -1):
        if _NAMED.search(lines[number].text):
            top = number
            break
    # The blank behind a mark looks like a frame's own: it belongs to the mark where the first line has it, too.
    marked = _shape(lines[start + 1].text[:column] + " ").match(lines[top].text) if column else None
    width = marked.end() if marked else 0
    quoted = _without_mark(lines, top, width)
    return quoted[: start - top + 1] + _while(_BELOW, quoted[start - top :])[1:]


def _while(body: re.Pattern[str], lines: list[_Line]) -> list[_Line]:
    """The first line, and what belongs to it below. After a line that ends in a colon comes its message."""
    end = 1
    if lines[0].text.rstrip().endswith(":") and len(lines) > 1:
        end = 2
    while end < len(lines) and body.match(lines[end].text):
        end += 1
    return lines[:end]


def _trimmed(lines: list[_Line]) -> list[_Line]:
    while lines and not lines[-1].text.strip():
        lines = lines[:-1]
    return lines


# Lines that complain


def _last_complaint(streams: Iterable[list[_Line]]) -> tuple[str, ...]:
    """Of the first stream that has any, the last ones, as far as they stand below each other."""
    for stream in streams:
        for end in range(len(stream), 0, -1):
            if _complains(stream[end - 1].text):
                start = end - 1
                while start > 0 and end - start < _COMPLAINTS and _complains(stream[start - 1].text):
                    start -= 1
                return tuple(line.text.strip() for line in stream[start:end])
    return ()


def _complains(text: str) -> bool:
    if _NAME.match(text):
        return True
    return bool(_MAY_COMPLAIN.search(text) and _COMPLAINT.search(text)) and not _NO_COMPLAINT.search(text)
