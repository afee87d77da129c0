"""The follower: one container's lines into the logbook as they come, and the news that it has ended."""

import logging
import threading
from collections.abc import Callable, Sequence

from samebox.containers.engine import (
    ContainerMissing,
    ContainerState,
    Engine,
    EngineError,
    EngineUnavailable,
    LogLine,
    LogStream,
)
from samebox.jobs.loglines import LogLines
from samebox.platform.retrying import GIVE_UP_SECONDS, RETRY_SECONDS

log = logging.getLogger(__name__)

# Beyond this many unwritten lines the reader waits: a container that writes faster than we do costs no memory.
LINES_AHEAD = 50_000
# How long a single request to the engine may take before we look whether `close` was called.
WAIT_SECONDS = 30.0


class Follower:
    """Two threads: one reads the engine's stream, one writes whatever has come since its last write.

    So a lone line is written at once, and under heavy output a batch is what came during the last write. When the
    container has ended and all its lines are written, `ended` is called once, after `state` is set: None if the
    container is gone, or if the engine did not answer for too long (then `error` is set).
    """

    def __init__(
        self,
        engine: Engine,
        container: str,
        lines: LogLines,
        ended: Callable[[], None],
        seen: Callable[[Sequence[LogLine]], None] | None = None,
        give_up_seconds: float = GIVE_UP_SECONDS,
    ) -> None:
        self.state: ContainerState | None = None
        self.error: EngineError | None = None
        self._engine = engine
        self._container = container
        self._lines = lines
        self._ended = ended
        self._seen = seen
        self._give_up_seconds = give_up_seconds
        self._closed = threading.Event()
        self._done = threading.Event()
        self._stream: LogStream | None = None
        self._read_to: int | None = None
        self._batch: list[LogLine] = []
        self._condition = threading.Condition()
        self._reading = True
        self._threads = [
            threading.Thread(target=self._read, name=f"logs of {container[:12]}", daemon=True),
            threading.Thread(target=self._write, name=f"writes logs of {container[:12]}", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

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
        with self._condition:
            stream = self._stream
            self._condition.notify_all()
        if stream is not None:
            stream.close()
        for thread in self._threads:
            thread.join(5.0)

    def _read(self) -> None:
        waited, away = 0.0, False
        try:
            while not self._closed.is_set():
                try:
                    stream = self._engine.logs(self._container, since=self._since(), follow=True)
                    if away:
                        away = False
                        log.info("container %s: its log is followed again", self._container[:12])
                    self._drain(stream)
                    if self._closed.is_set():
                        return
                    state = self._engine.wait(self._container, RETRY_SECONDS)
                    if state is not None:
                        # What was written between the last line of the stream and the end.
                        self._drain(self._engine.logs(self._container, since=self._since()))
                        self.state = state
                        return
                    waited = 0.0
                except EngineUnavailable as error:
                    if waited >= self._give_up_seconds:
                        self.error = error
                        return
                    if not away:
                        away = True
                        log.warning("container %s: its log is not followed: %s", self._container[:12], error)
                    waited += RETRY_SECONDS
                    self._closed.wait(RETRY_SECONDS)
        except ContainerMissing:
            return
        except EngineError as error:
            # Its logs cannot be read (an engine that keeps none); its end still counts.
            log.warning("the logs of container %s cannot be read: %s", self._container[:12], error)
            self._await_end()
        finally:
            with self._condition:
                self._reading = False
                self._condition.notify_all()

    def _since(self) -> int | None:
        # The newest line that was read, written or not; before the first, what an earlier life of ours wrote.
        return self._lines.since if self._read_to is None else self._read_to

    def _drain(self, stream: LogStream) -> None:
        with self._condition:
            self._stream = stream
        try:
            if self._closed.is_set():
                return
            condition = self._condition
            for line in stream:
                self._read_to = line.time
                with condition:
                    self._batch.append(line)
                    if len(self._batch) == 1:
                        condition.notify_all()
                    elif len(self._batch) >= LINES_AHEAD:
                        condition.wait_for(lambda: len(self._batch) < LINES_AHEAD or self._closed.is_set())
                if self._closed.is_set():
                    return
        finally:
            with self._condition:
                self._stream = None
            stream.close()

    def _await_end(self) -> None:
        try:
            while not self._closed.is_set() and self.state is None:
                self.state = self._engine.wait(self._container, WAIT_SECONDS)
        except ContainerMissing:
            return
        except EngineError as error:
            self.error = error

    def _write(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._batch or not self._reading)
                batch, reading = self._batch, self._reading
                self._batch = []
                self._condition.notify_all()
            if batch:
                self._keep(batch)
                if self._seen is not None:
                    self._seen(batch)
            elif not reading:
                break
        if not self._closed.is_set():
            self._done.set()
            self._ended()

    def _keep(self, batch: Sequence[LogLine]) -> None:
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
