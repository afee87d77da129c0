"""Work that is done once an hour, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 3600.0
_END_SECONDS = 10.0


class HourlyWork(ABC):
    """Looks for something to do once at the start and then once an hour, from `start` to `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def look(self) -> int:
        """Do what is to be done now, and end early once `is_ended`; gives how much was done."""

    @property
    def is_ended(self) -> bool:
        return self._ended.is_set()

    def start(self) -> None:
        """Begin, without waiting for anything."""
        self._thread.start()

    def close(self) -> None:
        """End, after the item that is being looked at."""
        self._ended.set()
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        while not self.is_ended:
            try:
                self.look()
            except Exception:  # it ends this look alone: the next one tries again
                log.exception("%s: this look has failed", self._name)
            self._ended.wait(_PAUSE_SECONDS)
