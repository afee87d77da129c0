"""SIGTERM and SIGINT, from the first line of the program until the user's process has ended.

StopTrainingJob and the time limit are `docker stop -t 120`: SIGTERM to PID 1, 120 seconds, SIGKILL (contract.md
§1.1.1). sagemaker-training 4.9.0 installs no handler, so as PID 1 it never even notices.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Signals:
    """Remembers the first stop signal, and delivers it once the user's process can receive it.

    Python runs a handler between two of its own steps. A signal that comes just before a call of the kernel, or is
    given to another thread, does not interrupt that call: while we wait for a child, it would be passed on when the
    child has ended. So we wait in `wait_for_one`, for a pipe that each signal writes to at once.
    """

    def __init__(self) -> None:
        self._came, came = os.pipe()
        for descriptor in (self._came, came):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(came, warn_on_full_buffer=False)
        self.received: int | None = None
        self._since = 0.0
        self._starting = False
        self._deliver: Callable[[int], None] | None = None

    @classmethod
    def install(cls) -> Signals:
        signals = cls()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signals._on_signal)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a signal without a handler writes nothing to the pipe
        return signals

    @property
    def seconds_since(self) -> float:
        """Seconds since the first stop signal; 0 if there was none."""
        return time.monotonic() - self._since if self.received is not None else 0.0

    def wait_for_one(self) -> None:
        """Wait until a signal has come since the last call: a stop, or the end of a child."""
        select.select([self._came], [], [])
        os.read(self._came, 4096)

    def starting(self) -> None:
        """The user's process is being started: a signal from here on waits for `deliver_to`."""
        self._starting = True

    def deliver_to(self, deliver: Callable[[int], None]) -> None:
        self._deliver = deliver
        if self.received is not None:
            deliver(self.received)

    def ended(self) -> None:
        """The user's process is gone. What is left to do is short, and a late signal must not cut it off."""
        self._deliver = lambda _number: None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.received is None:
            self._since = time.monotonic()
        self.received = number
        name = signal.Signals(number).name
        if self._deliver is not None:
            say(f"{name}: passing it on to the training process")
            self._deliver(number)
        elif not self._starting:
            # Still downloading or installing: nothing of the user's runs yet and nothing is to be saved. Not
            # SystemExit, because library code in between catches everything and would go on.
            say(f"{name} before the training process was started: ending")
            os._exit(128 + number)


def say(sentence: str) -> None:
    """One line in the job's log. Written with os.write: this is called from a signal handler."""
    os.write(sys.stderr.fileno(), f"[train] {sentence}\n".encode())
