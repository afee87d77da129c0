"""Retention of logs: once an hour, events go that are older than their group keeps them."""

import logging
from collections.abc import Callable

from samebox.resources.logbook import Logbook
from samebox.services.hourly import HourlyWork

log = logging.getLogger(__name__)

DAYS = "retentionInDays"  # an attribute of a group, by AWS's name
_DAY_MILLISECONDS = 24 * 3600 * 1000


class LogRetention(HourlyWork):
    """Removes old events. `clock` is epoch seconds."""

    def __init__(self, logbook: Logbook, clock: Callable[[], float]) -> None:
        super().__init__("log-retention")
        self._logbook = logbook
        self._clock = clock

    def look(self) -> int:
        """Remove what is too old now; gives how many streams lost events."""
        shortened = 0
        for book in self._logbook.books():
            for group in book.groups():
                if self.is_ended:
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
