"""Observers of invocations: they see what was answered, in a thread of their own, after the client has its response.

A bounded queue is between: where observers cannot keep up, invocations are not observed, and counted; none ever waits.
"""

import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from samebox.asgi import Headers
from samebox.traffic.routes import Key

log = logging.getLogger(__name__)

_WAITING = 1000  # invocations
_WAITING_BYTES = 64 * 1024 * 1024  # of their bodies


@dataclass(frozen=True)
class Invocation:
    """A request that reached a container, and its response. Seconds are those until the client had its response.

    `status` is the container's, 0 where it gave no whole response; then `response` and its headers are empty.
    `model_seconds` is the container's part of `seconds`.
    """

    key: Key
    variant: str
    status: int
    seconds: float
    model_seconds: float
    request_headers: Mapping[bytes, bytes]
    request: bytes
    response_headers: Headers = ()
    response: bytes = b""

    @property
    def size(self) -> int:
        """Bytes of both bodies."""
        return len(self.request) + len(self.response)


class Observer(Protocol):
    """Sees invocations in the thread of the queue: it may wait for a disk, and holds up other observers alone."""

    def observe(self, invocation: Invocation) -> None:
        """One invocation, after it was answered."""


class ObserverQueue:
    """What is between the event loop, which calls `put`, and the observers, which a thread calls until `close`."""

    def __init__(self, observers: Sequence[Observer], waiting: int = _WAITING, waiting_bytes: int = _WAITING_BYTES):
        self._observers = observers
        self._queue: queue.Queue[Invocation | None] = queue.Queue(waiting)
        self._most_bytes = waiting_bytes
        # Each is written by one thread alone: what was put by the loop's, what is done by the queue's.
        self._put_bytes = self._done_bytes = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="observers")
        self._thread.start()

    def put(self, invocation: Invocation) -> None:
        """Have an invocation observed, unless too many wait already."""
        waits = self._put_bytes - self._done_bytes
        if waits + invocation.size > self._most_bytes:
            self._drop()
            return
        try:
            self._queue.put_nowait(invocation)
        except queue.Full:
            self._drop()
        else:
            self._put_bytes += invocation.size

    def close(self) -> None:
        """Have what waits observed, and end."""
        self._queue.put(None)
        self._thread.join()

    def _drop(self) -> None:
        if not self.dropped:
            log.warning("observers of invocations cannot keep up: some invocations are not observed")
        self.dropped += 1

    def _run(self) -> None:
        while (invocation := self._queue.get()) is not None:
            for observer in self._observers:
                try:
                    observer.observe(invocation)
                except Exception:
                    # Another observer, and the next invocation, are not to suffer for it.
                    log.exception("%s failed on an invocation of %s", type(observer).__name__, invocation.key.endpoint)
            self._done_bytes += invocation.size
