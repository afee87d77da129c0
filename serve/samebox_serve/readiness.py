"""Which worker processes have the model loaded: one byte each, in memory that they share since before the fork."""

from __future__ import annotations

import mmap

SLOTS = 4096


class Readiness:
    """/ping is 200 once every worker was ready, and from then on while at least one is.

    At the start a 200 with one worker of four would let the first clients wait for the others; later a worker that is
    being replaced must not make the platform throw the instance away.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._memory = mmap.mmap(-1, SLOTS + 1)

    def loaded(self, slot: int) -> None:
        self._memory[slot % SLOTS] = 1
        if self._count() >= self._workers:
            self._memory[SLOTS] = 1

    def gone(self, slot: int) -> None:
        self._memory[slot % SLOTS] = 0

    def is_serving(self) -> bool:
        return self._memory[SLOTS] == 1 and self._count() > 0

    def _count(self) -> int:
        return self._memory[:SLOTS].count(1)
