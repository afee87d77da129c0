"""A container's log stream in the logbook: where it goes on, how long lines are cut, and our own lines among its."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from samebox.containers.engine import LogLine
from samebox.resources.logbook import Event, Logbook

log = logging.getLogger(__name__)

# CloudWatch: an event is at most 256 KB, 26 bytes of which are its overhead. A longer line becomes several events.
EVENT_BYTES = 256 * 1024 - 26
# Our own lines in a customer's log begin so, to be distinguished from the container's.
OURS = "samebox: "


@dataclass(frozen=True)
class Place:
    """Where reading goes on: after the line with this engine time; `parts` of the next line are written already."""

    time: int = 0
    parts: int = 0

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """A place from an event's cursor; the beginning for one that is not ours."""
        moment, _, parts = cursor.partition("+")
        return cls(int(moment), int(parts or 0)) if moment.isdecimal() and (parts or "0").isdecimal() else cls()

    def __str__(self) -> str:
        return f"{self.time}+{self.parts}" if self.parts else str(self.time)


class LogLines:
    """One stream. Lines are written once, in order, over crashes: each event's cursor is its position in the
    container's log.
    """

    def __init__(self, logbook: Logbook, group: str, stream: str) -> None:
        self.group = group
        self.stream = stream
        self._logbook = logbook
        self._lock = threading.Lock()
        logbook.create(group, stream)
        last = logbook.last(group, stream)
        self._place = Place.read(last.cursor) if last else Place()
        self.is_new = last is None

    @property
    def since(self) -> int | None:
        """What to give `Engine.logs` so that nothing is lost; None for everything."""
        return self._place.time or None

    def write(self, lines: Iterable[LogLine]) -> None:
        """Add a batch of lines, in one write; lines that are there already are passed over. Raises OSError."""
        with self._lock:
            events: list[Event] = []
            place = self._place
            for line in lines:
                if line.time > place.time:
                    place = _add(events, line, place)
            if not events:
                return
            try:
                self._logbook.append(self.group, self.stream, events)
            except OSError:
                # Some of them may be on the disk: read where we are, so that a second try doubles nothing.
                last = self._logbook.last(self.group, self.stream)
                self._place = Place.read(last.cursor) if last else Place()
                raise
            self._place = place

    def report(self, sentence: str) -> None:
        """Add a line of our own."""
        self.add(OURS + sentence)

    def add(self, text: str) -> None:
        """Add a line that is not the container's, such as the engine's words when it cannot be started."""
        with self._lock:
            event = Event(time.time_ns() // 1_000_000, text, str(self._place))
            try:
                self._logbook.append(self.group, self.stream, [event])
            except OSError as error:
                log.warning("%s: %s (%s)", self.stream, text, error)

    def texts(self) -> Iterator[tuple[str, float]]:
        """Every line so far, our own left out, each with its time in epoch seconds."""
        for _, event in self._logbook.read(self.group, self.stream):
            if not event.message.startswith(OURS):
                yield event.message, event.timestamp / 1000


def _add(events: list[Event], line: LogLine, place: Place) -> Place:
    moment = line.time // 1_000_000
    # A character has at least one byte and at most four: nearly every line is shorter without being measured.
    if len(line.text) * 4 <= EVENT_BYTES or len(line.text.encode()) <= EVENT_BYTES:
        events.append(Event(moment, line.text, str(line.time)))
        return Place(line.time)
    parts = list(_cut(line.text))
    for number, part in enumerate(parts, start=1):
        if number <= place.parts:
            continue  # written before the crash that we are going on after
        # Until its last part is written, the line counts as unread.
        cursor = Place(line.time) if number == len(parts) else Place(line.time - 1, number)
        events.append(Event(moment, part, str(cursor)))
    return Place(line.time)


def _cut(text: str) -> Iterator[str]:
    raw = text.encode()
    start = 0
    while start < len(raw):
        end = min(start + EVENT_BYTES, len(raw))
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end -= 1
        yield raw[start:end].decode()
        start = end
