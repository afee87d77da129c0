"""What waits for containers: one event loop for all of them, and a few threads for what blocks.

A serving container is followed, pinged and waited for as long as it lives. As tasks of one loop, hundreds of them cost
as many threads as one does.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")

# Requests to the engine, writes of logs, downloads of models: the engine, the disk and the network do no more at once.
THREADS = 24
CLOSE_SECONDS = 5.0


class BackgroundTask:
    """A task, for threads that are not the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
        self._loop = loop
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._ended: Future[None] = Future()
        self._on_loop(self._begin)

    @property
    def error(self) -> BaseException | None:
        """What the task has ended with; None while it runs, and where it ended well or was cancelled."""
        return self._ended.exception() if self._ended.done() else None

    def cancel(self) -> None:
        self._on_loop(lambda: self._task is not None and self._task.cancel())

    def wait(self, seconds: float) -> bool:
        """Until it is over, however it ends; False when it was not in time."""
        with contextlib.suppress(BaseException):
            self._ended.exception(seconds)
        return self._ended.done()

    def when_over(self, call: Callable[[], None]) -> None:
        self._ended.add_done_callback(lambda _: call())

    def _on_loop(self, call: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is closed
            self._work.close()

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._work)
        self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)


class Background:
    """Threads may share it. Its own ones begin with the first task."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._runs: tuple[asyncio.AbstractEventLoop, ThreadPoolExecutor, threading.Thread] | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> BackgroundTask:
        return BackgroundTask(self._loop, work)

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._runs is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=loop.run_forever, name="containers", daemon=True)
                self._runs = loop, ThreadPoolExecutor(self._threads, "containers"), thread
                thread.start()
            return self._runs[0]

    @property
    def _pool(self) -> ThreadPoolExecutor | None:
        return self._runs[1] if self._runs is not None else None

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
            runs = self._runs
        if runs is None:
            return
        loop, pool, thread = runs
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result()
        pool.shutdown(wait=False)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
    await asyncio.get_running_loop().shutdown_asyncgens()


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
