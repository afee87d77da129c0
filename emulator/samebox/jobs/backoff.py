"""Backoff: how soon something that failed in service is replaced. At once; if that fails too, later and later."""

import heapq
import itertools
import math
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

FIRST_SECONDS = 1.0
MOST_SECONDS = 60.0
FORGIVEN_SECONDS = 300.0  # a failure so long after the last counts as the first


class Backoff(Generic[Key]):
    """What failed, and when its turn is. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[Key, int] = {}
        self._failed_at: dict[Key, float] = {}
        self._waiting: set[Key] = set()
        self._queue: list[tuple[float, int, Key]] = []
        self._order = itertools.count()

    def postpone(self, key: Key) -> float:
        """Note a failure; gives the seconds until the key is due."""
        now, last = self._clock(), self._failed_at.get(key, -math.inf)
        failures = self._failures.get(key, 0) if now - last < FORGIVEN_SECONDS else 0
        self._failures[key], self._failed_at[key] = failures + 1, now
        pause = min(FIRST_SECONDS * 2 ** (failures - 1), MOST_SECONDS) if failures else 0.0
        self._waiting.add(key)
        heapq.heappush(self._queue, (now + pause, next(self._order), key))
        return pause

    def has_failed(self, key: Key) -> bool:
        """True once a failure of the key was noted."""
        return key in self._failures

    def is_waiting(self, key: Key) -> bool:
        """True from when the key is postponed until it is due."""
        return key in self._waiting

    def take_due(self) -> list[Key]:
        """The keys whose time has come, each once."""
        now, due = self._clock(), []
        while self._queue and self._queue[0][0] <= now:
            _, _, key = heapq.heappop(self._queue)
            self._waiting.discard(key)
            due.append(key)
        return due

    def seconds(self) -> float | None:
        """How long until the next key is due; None if none is postponed."""
        return max(self._queue[0][0] - self._clock(), 0.0) if self._queue else None
