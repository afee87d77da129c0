"""The log of a starting container: shown once something is wrong with the start."""

import contextlib
import threading
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from samebox.commands.display import Screen
from samebox.commands.following import INDENT
from samebox.containers.engine import ContainerApi, EngineError, LogStream
from samebox.log_excerpt import LOOKED_AT, exception_in

# A start that takes no longer than this, and complains of nothing, is not worth a line.
PATIENCE_SECONDS = 5.0
LOOK_EVERY_SECONDS = 0.2


class BootLog:
    """Follows the containers with the given labels while it is entered.

    Their lines are held back until one of them reports an error or the start takes long. A log that cannot be read is
    no error here: starting the container reports what is wrong with the engine.
    """

    def __init__(
        self,
        engine: ContainerApi,
        labels: Mapping[str, str],
        screen: Screen,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._engine = engine
        self._labels = labels
        self._screen = screen
        self._patience_seconds = patience_seconds
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stream: LogStream | None = None
        self._held: deque[str] | None = deque(maxlen=LOOKED_AT)
        self._threads = [
            threading.Thread(target=self._follow, name="log of a start", daemon=True),
            threading.Thread(target=self._lose_patience, name="patience with a start", daemon=True),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        with self._lock:
            stream = self._stream
        if stream is not None:
            stream.close()
        for thread in self._threads:
            thread.join(5.0)

    def _follow(self) -> None:
        seen: set[str] = set()
        with contextlib.suppress(EngineError):
            while not self._closed.is_set():
                new = [one.id for one in self._engine.find(self._labels) if one.running and one.id not in seen]
                if new:
                    seen.add(new[0])
                    self._drain(self._engine.logs(new[0], follow=True))
                self._closed.wait(LOOK_EVERY_SECONDS)

    def _drain(self, stream: LogStream) -> None:
        with self._lock:
            self._stream = stream
        with contextlib.closing(stream):
            for line in stream:
                if self._closed.is_set():
                    return
                self._take(line.text)

    def _take(self, text: str) -> None:
        with self._lock:
            if self._held is None:
                self._screen.line(text, INDENT)
                self._screen.flush()
                return
            self._held.append(text)
            complains = bool(exception_in([text]))
        if complains:
            self._show()

    def _lose_patience(self) -> None:
        if not self._closed.wait(self._patience_seconds):
            self._show()

    def _show(self) -> None:
        with self._lock:
            held, self._held = self._held or deque(), None
            for text in held:
                self._screen.line(text, INDENT)
            self._screen.flush()
