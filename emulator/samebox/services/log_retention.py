"""Retention of logs: once an hour, events go that are older than their group keeps them."""

import logging
import threading
from collections.abc import Callable

from samebox.resources.logbook import Logbook

log = logging.getLogger(__name__)

DAYS = "retentionInDays"  # an attribute of a group, by AWS's name
_DAY_MILLISECONDS = 24 * 3600 * 1000
_PAUSE_SECONDS = 3600.0
_END_SECONDS = 10.0


class LogRetention:
    """Removes old events, from `start` to `close`, in a thread of its own. `clock` is epoch seconds."""

    def __init__(self, logbook: Logbook, clock: Callable[[], float]) -> None:
        self._logbook = logbook
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-retention", daemon=True)

    def start(self) -> None:
        """Begin, without waiting for anything."""
        self._thread.start()

    def close(self) -> None:
        """End, after the group that is being looked at."""
        self._ended.set()
        self._thread.join(_END_SECONDS)

    def look(self) -> int:
        """Remove what is too old now; gives how many streams lost events."""
        shortened = 0
        for book in self._logbook.books():
            for group in book.groups():
                if self._ended.is_set():
                    return shortened
                try:
                    days = book.attributes(group).get(DAYS)
                    if days is not None:
                        shortened += book.forget(group, int(self._clock() * 1000) - days * _DAY_MILLISECONDS)
                except FileNotFoundError:  # it was deleted meanwhile
                    continue
                except (OSError, ValueError) as error:
                    log.warning("old events of %s stay until the next look: %s", group, error)
        return shortened

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except OSError as error:
                log.warning("old events stay until the next look: %s", error)
            self._ended.wait(_PAUSE_SECONDS)
