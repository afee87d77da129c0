"""What waits for containers: one event loop for all of them, and a few threads for what blocks.

A serving container is followed, pinged and waited for as long as it lives. As tasks of one loop, hundreds of them cost
as many threads as one does.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")

# Requests to the engine, writes of logs, downloads of models: the engine, the disk and the network do no more at once.
THREADS = 24
CLOSE_SECONDS = 5.0


class Background:
    """Threads may share it. Its own ones begin with the first task."""

    def __init__(self, threads: int = THREADS) -> None:
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(threads, "containers")
        self._thread = threading.Thread(target=self._loop.run_forever, name="containers", daemon=True)
        self._lock = threading.Lock()
        self._tasks: set[Future[Any]] = set()

    def start(self, task: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a task; cancelling the future cancels it."""
        with self._lock:
            if self._thread.ident is None:
                self._thread.start()
            future = asyncio.run_coroutine_threadsafe(task, self._loop)
            self._tasks.add(future)
        future.add_done_callback(self._tasks.discard)
        return future

    async def call(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """For a task: run what blocks in a thread, and wait for it."""
        return await self._loop.run_in_executor(self._pool, lambda: function(*arguments, **named))

    async def apart(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """For a task: run what may block for minutes in a thread of its own, which ends with it."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = function(*arguments, **named)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=work, name="containers, apart", daemon=True).start()
        return await asyncio.wrap_future(future)

    def signal(self) -> Signal:
        return Signal(self._loop)

    def close(self) -> None:
        """End all tasks; what blocks in a thread ends by itself."""
        with self._lock:
            tasks, runs = list(self._tasks), self._thread.ident is not None
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(BaseException):  # what it ended with was for those who wait for it
                task.result(CLOSE_SECONDS)
        self._pool.shutdown(wait=False)
        if runs:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(CLOSE_SECONDS)
        if not self._loop.is_running():
            self._loop.close()


class Signal:
    """Wakes one task. Set from any thread; a signal between two waits is not lost."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def set(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: no task waits any more
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float | None = None) -> None:
        """Until it is set, or for some time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()


def ended(task: Future[Any], seconds: float) -> bool:
    """Wait until a task is over, however it ends; False when it was not in time."""
    try:
        task.exception(seconds)
    except TimeoutError:
        return False
    except CancelledError:
        return True
    return True
