"""Small writes: those that wait at the same time are carried out by one thread, in one commit.

A commit waits for the disk, and a change of threads costs as much as carrying out a small put. Here both are paid once
for all writes that came in while the last commit was under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.s3.store import S3Store

T = TypeVar("T")

_MOST = 64  # are handed over at once, so that one commit has fewer than twice as many: all of them wait for it


class _Write(Generic[T]):
    """One write: what carries it out, and the future that its request waits for on the event loop."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()

    def end(self, outcome: T | BaseException) -> None:
        """On the loop: the future has a result, unless its request is gone."""
        if self.future.done():
            return
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class WritesTogether(Generic[T]):
    """One thread for the small writes of a storage. It is started by the first write."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._waiting: SimpleQueue[list[_Write[T]] | None] = SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Write[T]]] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # of what follows, and of the order in which writes and the end are put
        self._is_closed = False

    async def carry_out(self, work: Callable[[], T]) -> T:
        """The result of a write, once it is on disk. `work` may run more than once until then."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="s3-writes", daemon=True)
            self._thread.start()
        write = _Write(work)
        gathered = self._gathered.get(write.loop)
        if gathered is None:
            # Handed over once the loop has read what other connections have sent, too. A thread that began with the
            # first would take turns with the loop from then on, and a change of turns costs as much as a small put.
            gathered = self._gathered[write.loop] = []
            write.loop.call_soon(self._hand_over, write.loop)
        gathered.append(write)
        return await write.future

    async def close(self) -> None:
        """Wait for the writes that came before this."""
        self._hand_over(asyncio.get_running_loop())
        with self._lock:
            self._is_closed = True
            self._waiting.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        writes = self._gathered.pop(loop, [])
        with self._lock:
            if not self._is_closed:
                for start in range(0, len(writes), _MOST):
                    self._waiting.put(writes[start : start + _MOST])
                return
        for write in writes:
            write.end(RuntimeError("the storage is being closed"))

    def _run(self) -> None:
        while (writes := self._waiting.get()) is not None:
            is_last = False
            while len(writes) < _MOST and not is_last:
                try:
                    following = self._waiting.get_nowait()
                except Empty:
                    break
                if following is None:
                    is_last = True
                else:
                    writes += following
            outcomes = self._store.together([one.work for one in writes])
            # All of one storage have one loop, but for tests that serve it from two.
            for loop in {one.loop for one in writes}:
                ended = [pair for pair in zip(writes, outcomes, strict=True) if pair[0].loop is loop]
                with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the requests
                    loop.call_soon_threadsafe(_end, ended)
            if is_last:
                return


def _end(ended: list[tuple[_Write[T], T | BaseException]]) -> None:
    for write, outcome in ended:
        write.end(outcome)
