"""Observers of invocations: they see what was answered, in a thread of their own, after the client has its response.

A bounded queue is between: where observers cannot keep up, invocations are not observed, and counted; none ever waits.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from samebox.asgi import Headers
from samebox.traffic.routes import Key

log = logging.getLogger(__name__)

_WAITING = 10_000  # invocations
_WAITING_BYTES = 64 * 1024 * 1024  # of their bodies
# The thread looks so often, and at once where much of that waits: to wake it for each would take the loop's time.
_LOOK_SECONDS = 0.25
_MUCH = 0.1
# So many are observed in one go, and then the thread pauses: a longer one would keep the interpreter from the event
# loop for milliseconds, and the slowest invocations would take as much longer.
_AT_ONCE = 16
_PAUSE_SECONDS = 0.002


class Invocation(NamedTuple):  # made for each request, in a quarter of a frozen dataclass's time
    """A request that reached a variant, of so many `instances`, and its response.

    `status` is the container's, 0 where it gave no whole response; then `response` and its headers are empty.
    `seconds` are those until the client had its response, and `model_seconds` the container's part of them.
    """

    key: Key
    variant: str
    instances: int
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

    def observe(self, invocations: Sequence[Invocation]) -> None:
        """Some invocations that were answered, in order."""


class ObserverQueue:
    """What is between the event loop, which calls `put`, and the observers, which a thread calls until `close`."""

    def __init__(
        self,
        observers: Sequence[Observer],
        waiting: int = _WAITING,
        waiting_bytes: int = _WAITING_BYTES,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._observers = observers
        self._most, self._most_bytes = waiting, waiting_bytes
        self._look_seconds = look_seconds
        self._waiting: deque[Invocation] = deque()  # its append and popleft are atomic
        # Each is written by one thread alone: what was put by the loop's, what is done by the queue's.
        self._put = self._done = self._put_bytes = self._done_bytes = 0
        self.dropped = 0
        self._look = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="observers")
        self._thread.start()

    def put(self, invocation: Invocation) -> None:
        """Have an invocation observed, unless too many wait already."""
        waiting, size = self._put - self._done, self._put_bytes - self._done_bytes + invocation.size
        if waiting >= self._most or size > self._most_bytes:
            if not self.dropped:
                log.warning("observers of invocations cannot keep up: some invocations are not observed")
            self.dropped += 1
            return
        self._waiting.append(invocation)
        self._put += 1
        self._put_bytes += invocation.size
        if waiting > self._most * _MUCH or size > self._most_bytes * _MUCH:
            self._look.set()

    def close(self) -> None:
        """Have what waits observed, and end."""
        self._ended = True
        self._look.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended:
            self._look.wait(self._look_seconds)
            self._look.clear()
            self._observe()
        self._observe()  # what came with the end

    def _observe(self) -> None:
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            for observer in self._observers:
                try:
                    observer.observe(some)
                except Exception:
                    # Another observer, and the next invocation, are not to suffer for it.
                    log.exception("%s failed on %d invocations", type(observer).__name__, len(some))
            self._done += len(some)
            self._done_bytes += sum(invocation.size for invocation in some)
            if self._waiting and not self._ended and len(self._waiting) < self._most * _MUCH:
                time.sleep(_PAUSE_SECONDS)
