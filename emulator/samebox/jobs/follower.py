"""The follower: one container's lines into the logbook as they come, and the news that it has ended."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

from samebox.containers.engine import (
    ContainerApi,
    ContainerMissing,
    ContainerState,
    EngineError,
    EngineUnavailable,
    LogLine,
)
from samebox.jobs.loglines import LogLines
from samebox.platform.background import Background
from samebox.platform.retrying import RETRY_SECONDS

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0


class Follower:
    """A task: what comes is written before more is read, so a container that writes faster than we do costs no memory.

    When the container has ended and all its lines are written, `ended` is called once, after `state` is set: None if
    the container is gone, or if the engine did not answer for too long (then `error` is set).
    """

    def __init__(
        self,
        engine: ContainerApi,
        container: str,
        lines: LogLines,
        ended: Callable[[], None],
        background: Background,
        seen: Callable[[Sequence[LogLine]], None] | None = None,
        *,
        give_up_seconds: float,
    ) -> None:
        self.state: ContainerState | None = None
        self.error: EngineError | None = None
        self.was_away = False  # whether the engine did not answer for a while
        self._engine = engine
        self._container = container
        self._lines = lines
        self._ended = ended
        self._background = background
        self._seen = seen
        self._give_up_seconds = give_up_seconds
        self._closed = threading.Event()
        self._done = threading.Event()
        self._read_to: int | None = None
        self._is_away = False
        self._writing = threading.Lock()
        self._task = background.start(self._live())

    @property
    def done(self) -> bool:
        """True when the container has ended (or is lost) and every line is written."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until done; False when it was not in time."""
        return self._done.wait(seconds)

    def close(self) -> None:
        """Stop following, now; lines that were not read yet are read by the next follower."""
        self._closed.set()
        self._task.cancel()
        self._task.wait(CLOSE_SECONDS)
        if self._writing.acquire(timeout=CLOSE_SECONDS):  # a write that has begun goes on without the task
            self._writing.release()

    async def _live(self) -> None:
        try:
            await self._follow()
        except ContainerMissing:
            log.debug("container %s is gone", self._container[:12])
        except EngineUnavailable as error:
            self.error = error
        except EngineError as error:
            # Its logs cannot be read (an engine that keeps none); its end still counts.
            log.warning("the logs of container %s cannot be read: %s", self._container[:12], error)
            await self._await_end()
        if not self._closed.is_set():
            self._done.set()
            await self._background.call(self._ended)

    async def _follow(self) -> None:
        waited = 0.0
        while self.state is None:
            try:
                await self._drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_SECONDS):
                        state = await self._engine.ended(self._container)
                    # What was written between the last line of the stream and the end.
                    await self._drain()
                    self.state = state
                waited = 0.0
            except EngineUnavailable as error:
                if waited >= self._give_up_seconds:
                    raise
                if not self._is_away:
                    self._is_away = self.was_away = True
                    log.warning("container %s: its log is not followed: %s", self._container[:12], error)
                waited += RETRY_SECONDS
                await asyncio.sleep(RETRY_SECONDS)

    async def _drain(self) -> None:
        # From the newest line that was read; before the first, from what an earlier life of ours wrote.
        since = self._lines.since if self._read_to is None else self._read_to
        async with contextlib.aclosing(self._engine.follow(self._container, since)) as batches:
            async for batch in batches:
                self._note_return()
                self._read_to = batch[-1].time
                await self._background.call(self._keep, batch)
        self._note_return()

    def _note_return(self) -> None:
        if self._is_away:
            self._is_away = False
            log.info("container %s: its log is followed again", self._container[:12])

    async def _await_end(self) -> None:
        try:
            self.state = await self._engine.ended(self._container)
        except ContainerMissing:
            return
        except EngineError as error:
            self.error = error

    def _keep(self, batch: Sequence[LogLine]) -> None:
        with self._writing:
            if self._closed.is_set():
                return
            self._write(batch)
            if self._seen is not None:
                self._seen(batch)

    def _write(self, batch: Sequence[LogLine]) -> None:
        # A full disk may be freed; lines wait for that as long as an engine that is away, then they are dropped.
        waited = 0.0
        while True:
            try:
                return self._lines.write(batch)
            except OSError as error:
                log.warning("the log of container %s cannot be written: %s", self._container[:12], error)
                if waited >= self._give_up_seconds or self._closed.wait(RETRY_SECONDS):
                    return None
                waited += RETRY_SECONDS
