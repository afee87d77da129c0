"""Work that threads do at the same time, with its results in the order in which it came, and in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

Task = TypeVar("Task")
Result = TypeVar("Result")


class OrderedWork:
    """Does tasks in the pool's threads. All callers of `results` together hold at most `most` tasks and results."""

    def __init__(self, pool: ThreadPoolExecutor, most: int) -> None:
        self._pool = pool
        self._room = threading.BoundedSemaphore(most)

    def results(self, tasks: Iterable[Task], do: Callable[[Task], Result]) -> Iterator[Result]:
        """The results of all tasks in their order. A caller takes no room while it waits for some that only itself
        could give back.
        """
        under_way = deque["Future[Result]"]()
        try:
            for task in tasks:
                while not self._room.acquire(blocking=not under_way):
                    yield self._next(under_way)
                under_way.append(self._pool.submit(do, task))
            while under_way:
                yield self._next(under_way)
        finally:
            for future in under_way:
                future.cancel()
                self._room.release()

    def _next(self, under_way: deque[Future[Result]]) -> Result:
        result = under_way[0].result()
        under_way.popleft()
        self._room.release()
        return result
