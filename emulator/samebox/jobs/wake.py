"""Wake: notifies the thread that works on a resource of a change, without polling and without a queue."""

import math
import threading
from collections.abc import Callable

# Statuses with which a client cancels the work in progress.
UNWANTED = frozenset({"Stopping", "Deleting"})


class Wake:
    """One for each active resource. `wait` sleeps; everything else may be called from any thread and returns at once.

    `cancelled` is set when the work in progress (a download, a pull) is to end: by a stop, a delete, or our own end.
    `closing` is set only by our own end: leave everything as it is, the next start takes over.
    """

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.closing = threading.Event()
        self._changed = threading.Event()
        self._written = threading.Event()
        self._listener: Callable[[], None] = lambda: None

    def listen(self, call: Callable[[], None]) -> None:
        """Have `call` called for each change from now on, instead of waiting: by a task, which has no thread."""
        self._listener = call

    def notify(self) -> None:
        """Something changed: the row, a container, a server. A notification between two waits is not lost."""
        self._changed.set()
        self._listener()

    def hear(self, status: str) -> None:
        """The row was written, with this status."""
        if status in UNWANTED:
            self.cancelled.set()
        self._written.set()
        self.notify()

    def take_written(self) -> bool:
        """Whether the row was written since this was asked last; it is to be read again after the question."""
        if not self._written.is_set():
            return False
        self._written.clear()
        return True

    def close(self) -> None:
        """We end."""
        self.closing.set()
        self.cancelled.set()
        self.notify()

    def wait(self, seconds: float | None) -> None:
        """Sleep until something changes or the time is over, which may be infinite; read the row again afterwards."""
        self._changed.wait(None if seconds is None or math.isinf(seconds) else max(seconds, 0.0))
        self._changed.clear()

    def pause(self, seconds: float) -> None:
        """Sleep the whole time, unless the work is cancelled."""
        self.cancelled.wait(seconds)
