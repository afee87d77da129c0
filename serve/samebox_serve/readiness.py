"""What worker processes know of each other, in memory shared since before the fork: which have loaded the model,
and which answers of /ping are in the log.
"""

from __future__ import annotations

import mmap
import struct
import zlib

SLOTS = 4096
# Different answers of /ping that are logged before it is 200 again; every process may fail with words of its own.
ANSWERS = 64
_ANSWER = struct.Struct("<I")


class WorkerReadiness:
    """/ping is 200 once every worker was ready, and from then on while at least one is.

    At the start a 200 with one worker of four would let the first clients wait for the others; later a worker that is
    being replaced must not make the platform throw the instance away.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._memory = mmap.mmap(-1, SLOTS + 1)
        self._answers = mmap.mmap(-1, ANSWERS * _ANSWER.size)

    def loaded(self, slot: int) -> None:
        self._memory[slot % SLOTS] = 1
        if self._count() >= self._workers:
            self._memory[SLOTS] = 1

    def gone(self, slot: int) -> None:
        self._memory[slot % SLOTS] = 0

    def is_serving(self) -> bool:
        return self._memory[SLOTS] == 1 and self._count() > 0

    def is_news(self, status: int, reason: str) -> bool:
        """Whether no process has answered /ping like this since the last 200; a 200 itself is not news.

        The platform asks every second: a line for each 503 would bury the traceback that says why. Two processes that
        ask at the same moment may both get True; that costs a line.
        """
        if status == 200:
            if self._answers[: _ANSWER.size] != bytes(_ANSWER.size):
                self._answers[:] = bytes(len(self._answers))
            return False
        # 0 is an empty place.
        answer = _ANSWER.pack(zlib.crc32(f"{status} {reason}".encode()) or 1)
        for at in range(0, len(self._answers), _ANSWER.size):
            known = self._answers[at : at + _ANSWER.size]
            if known == answer:
                return False
            if known == bytes(_ANSWER.size):
                self._answers[at : at + _ANSWER.size] = answer
                return True
        return False

    def _count(self) -> int:
        return self._memory[:SLOTS].count(1)
