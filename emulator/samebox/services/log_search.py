"""The search of FilterLogEvents: the streams of a group as one, by time, a bounded piece of them at a time.

A place in a search is, for each stream that is partly read, a byte offset. Streams begin in the order of their first
events, so one place in this order stands for all that are read to their end and all that are not begun.
"""

import base64
import heapq
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from samebox.resources import log_file
from samebox.resources.log_file import Block, Event
from samebox.resources.logbook import Logbook, Stream
from samebox.services.log_pattern import Pattern

# What one answer looks at, at most: about as much as CloudWatch Logs gives in one (LOGS: 10,000 events, 1 MB).
SCAN_EVENTS = 10_000
SCAN_BYTES = 1024 * 1024
_SMALLEST_READ = 8 * 1024
_Key = tuple[int, str]


@dataclass(frozen=True)
class SearchPosition:
    """How far a search has come: streams up to `begun` are begun, and of these the ones in `offsets` are not ended."""

    begun: _Key = (-1, "")
    offsets: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, token: str) -> "SearchPosition":
        """Raises ValueError for what is not a token of ours."""
        try:
            (first, name), offsets = json.loads(base64.urlsafe_b64decode(token.encode()))
            return cls((int(first), str(name)), {str(key): max(0, int(value)) for key, value in offsets.items()})
        except (TypeError, AttributeError) as error:
            raise ValueError(token) from error

    def token(self) -> str:
        """The place as a token for a client."""
        return base64.urlsafe_b64encode(json.dumps([self.begun, self.offsets]).encode()).decode()


@dataclass(frozen=True)
class Found:
    """An event that was searched for, and where its line starts."""

    stream: str
    start: int
    event: Event


def search(
    book: Logbook,
    group: str,
    streams: Sequence[Stream],
    pattern: Pattern,
    in_time: Callable[[Event], bool] | None,
    limit: int,
    place: SearchPosition | None = None,
) -> tuple[list[Found], SearchPosition | None]:
    """Up to `limit` events from a place on, and the place where to go on; None when all was searched.

    Raises FileNotFoundError when a stream is deleted meanwhile.
    """
    return _Search(book, group, streams, pattern, in_time, limit, place or SearchPosition()).run()


@dataclass
class _Reader:
    """One stream: the lines that were read of it, and which of them is next."""

    key: _Key
    offset: int
    lines: list[bytes]
    next: int = 0

    @property
    def name(self) -> str:
        return self.key[1]

    def time(self) -> int:
        """The time stamp of the next line; the earliest for a line that has none, which is then passed."""
        return log_file.time_of(self.lines[self.next]) or 0


class _Search:
    def __init__(
        self,
        book: Logbook,
        group: str,
        streams: Sequence[Stream],
        pattern: Pattern,
        in_time: Callable[[Event], bool] | None,
        limit: int,
        place: SearchPosition,
    ) -> None:
        self._book, self._group = book, group
        self._pattern, self._in_time, self._limit = pattern, in_time, limit
        keys = sorted((one.first_event, one.name) for one in streams if one.first_event is not None)
        self._waiting = [key for key in keys if key > place.begun][::-1]  # the next one is the last
        self._begun = place.begun
        self._lines_left, self._bytes_left = SCAN_EVENTS, SCAN_BYTES
        self._found: list[Found] = []
        under_way = [key for key in keys if key <= place.begun and key[1] in place.offsets]
        self._read_bytes = max(_SMALLEST_READ, SCAN_BYTES // (len(under_way) + 1))
        self._heap: list[tuple[int, _Key, _Reader]] = []
        for key in under_way:
            self._push(_Reader(key, place.offsets[key[1]], []))

    def run(self) -> tuple[list[Found], SearchPosition | None]:
        while self._heap or self._waiting:
            if self._is_full():
                return self._found, SearchPosition(self._begun, {one.name: one.offset for _, _, one in self._heap})
            if self._waiting and (not self._heap or self._waiting[-1][0] <= self._heap[0][0]):
                self._begun = self._waiting.pop()
                self._push(_Reader(self._begun, 0, []))
                continue
            _, _, reader = heapq.heappop(self._heap)
            self._advance(reader, self._until())
            self._push(reader)
        return self._found, None

    def _is_full(self) -> bool:
        return self._lines_left <= 0 or self._bytes_left <= 0 or len(self._found) >= self._limit

    def _until(self) -> int | None:
        """The time at which another stream is next; None when this is the only one."""
        times = [self._heap[0][0]] if self._heap else []
        times += [self._waiting[-1][0]] if self._waiting else []
        return min(times, default=None)

    def _push(self, reader: _Reader) -> None:
        """Put a stream in its place by its next line; one that has no further line is done."""
        if reader.next == len(reader.lines):
            block = self._book.after(self._group, reader.name, reader.offset, self._read_bytes)
            reader.lines, reader.next = block.lines, 0
            reader.offset = block.start
        if reader.lines:
            heapq.heappush(self._heap, (reader.time(), reader.key, reader))

    def _advance(self, reader: _Reader, until: int | None) -> None:
        """Search lines of one stream, one at least, as far as its turn and what may be scanned go."""
        piece = reader.lines[reader.next : reader.next + self._lines_left]
        if until is not None:
            piece = piece[: _turn(piece, until)]
        block = Block(reader.offset, _fit(piece, self._bytes_left))
        taken = len(block.lines)
        for number, start, event in self._matches(block):
            self._found.append(Found(reader.name, start, event))
            if len(self._found) == self._limit:
                taken = number + 1
                break
        passed = Block(block.start, block.lines[:taken])
        self._lines_left -= taken
        self._bytes_left -= passed.end - passed.start
        reader.next += taken
        reader.offset = passed.end

    def _matches(self, block: Block) -> Iterator[tuple[int, int, Event]]:
        """The lines of a block that match: number, start and text."""
        needed = self._pattern.bytes_in_every_match
        # Only lines that can match are decoded.
        numbers = [number for number, line in enumerate(block.lines) if all(part in line for part in needed)]
        if not numbers:
            return
        offsets = block.offsets()
        for number, event in zip(numbers, log_file.decode([block.lines[one] for one in numbers]), strict=True):
            if event is None or not event.message or (self._in_time and not self._in_time(event)):
                continue
            if self._pattern.matches(event.message):
                yield number, offsets[number], event


def _turn(lines: Sequence[bytes], until: int) -> int:
    """How many lines come before another stream's next one; the first one does in any case."""
    for number, line in enumerate(lines):
        if number and (log_file.time_of(line) or 0) > until:
            return number
    return len(lines)


def _fit(lines: list[bytes], size: int) -> list[bytes]:
    """As many lines as have a size, and one more."""
    for number, line in enumerate(lines):
        size -= len(line) + 1
        if size <= 0:
            return lines[: number + 1]
    return lines
