"""The supervisor: one thread or task for each resource that has work left, after a crash as after a request.

A table maps each kind to its runner. At the start and after each change of the store, resources that have
work left are claimed; there is no other path after a crash. A change of a resource wakes the work on its parent, too.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from samebox.jobs.wake import Wake
from samebox.platform.background import BackgroundTask
from samebox.resources.kind import Kind
from samebox.resources.resources import Resources
from samebox.resources.store import Resource

log = logging.getLogger(__name__)

# After an error that could not even be written down (a full disk, say), the resource is claimed again, not at once.
AGAIN_SECONDS = 5.0
JOIN_SECONDS = 10.0


class Runner(Protocol):
    """What makes resources of one kind true."""

    def wants(self, resource: Resource) -> bool:
        """True while there is work left, given only the row."""

    def run(self, resource: Resource, wake: Wake) -> BackgroundTask | None:
        """Work until nothing is left to do, the resource is gone, or `wake.closing` is set.

        Work that waits for most of its time goes on as a task, which is returned: that costs no thread. Called anew
        after a crash or a restart: whatever is done already must be found, not done again.
        """

    def fail(self, resource: Resource) -> bool:
        """Bring the resource to its end after an error of our own; False to have it tried again."""

    def sweep(self) -> None:
        """Remove what earlier lives left behind and no resource needs."""


@dataclass(frozen=True)
class Work:
    """A row of the supervisor's table: a kind, its runner, and how many of the kind may be active at once.

    None: any number, for what is active for as long as it exists, as an endpoint is.
    """

    kind: Kind
    runner: Runner
    limit: int | None = 64


@dataclass
class _Active:
    work: Work
    wake: Wake
    thread: threading.Thread
    task: BackgroundTask | None = None  # in place of the thread

    def wait(self, seconds: float) -> bool:
        """Until it has ended; False when it was not in time."""
        self.thread.join(seconds)
        return not self.thread.is_alive() and (self.task is None or self.task.wait(seconds))


class Supervisor:
    """Claims resources and runs them. `start` returns at once; `close` leaves every container running."""

    def __init__(
        self, resources: Resources, table: Sequence[Work], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._resources = resources
        self._table = {work.kind.noun: work for work in table}
        self._clock = clock
        self._lock = threading.Lock()
        self._active: dict[str, _Active] = {}
        self._touched: deque[str] = deque()
        self._later: dict[str, float] = {}  # ARN -> when to look at it again
        self._queued: dict[str, dict[str, None]] = {noun: {} for noun in self._table}  # waiting for a free place
        self._event = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="supervisor", daemon=True)

    def start(self) -> None:
        """Listen to the store, claim what is unfinished, and go on doing so."""
        self._resources.store.subscribe(self._hear)
        self._thread.start()

    def leave(self) -> None:
        """Have all work left as it is, and claim no more. Returns at once; `close` waits for it."""
        with self._lock:
            self._closed = True
            active = list(self._active.values())
        self._event.set()
        for one in active:
            one.wake.close()

    def close(self, seconds: float = JOIN_SECONDS) -> None:
        """Stop following and claiming; containers go on, and the next start takes them over."""
        self.leave()
        with self._lock:
            active = list(self._active.values())
        until = self._clock() + seconds
        if self._thread.is_alive():
            self._thread.join(max(0.0, until - self._clock()))
        for one in active:
            if not one.wait(max(0.0, until - self._clock())):
                log.warning("%s has not ended within %g s", one.thread.name, seconds)

    def _hear(self, row: Resource) -> None:
        # In the writer's thread, after its commit: set events and nothing else.
        if row.kind in self._table:
            active = self._active_or_touched(row.arn)
            if active is not None:
                active.wake.hear(row.status)
        if row.parent is not None:
            parent = self._active_or_touched(row.parent)
            if parent is not None:
                parent.wake.notify()

    def _active_or_touched(self, arn: str) -> _Active | None:
        """The work on a resource; if there is none, the resource is looked at soon."""
        with self._lock:
            active = self._active.get(arn)
            if active is None:
                self._touched.append(arn)
        if active is None:
            self._event.set()
        return active

    def _loop(self) -> None:
        self._attempt("what is unfinished", self._claim_unfinished)
        threading.Thread(target=self._sweep, name="sweep", daemon=True).start()
        while not self._closed:
            self._event.wait(self._next())
            self._event.clear()
            for arn in self._due():
                if not self._attempt(arn, partial(self._claim, arn)):
                    with self._lock:
                        self._later[arn] = self._clock() + AGAIN_SECONDS

    def _claim_unfinished(self) -> None:
        for work in self._table.values():
            for row in self._resources.unended(work.kind):
                self._claim(row.arn)

    def _due(self) -> list[str]:
        now = self._clock()
        with self._lock:
            due = list(dict.fromkeys(self._touched))
            self._touched.clear()
            for arn, at in list(self._later.items()):
                if at <= now:
                    del self._later[arn]
                    due.append(arn)
            for noun, queued in self._queued.items():
                due += list(queued)[: self._free(self._table[noun])]
        return due

    def _free(self, work: Work) -> int | None:
        """How many more of the kind may become active; None: any number, which what costs no thread may always be."""
        if work.limit is None:
            return None
        return max(0, work.limit - sum(one.work is work and one.task is None for one in self._active.values()))

    def _next(self) -> float | None:
        with self._lock:
            return max(0.0, min(self._later.values()) - self._clock()) if self._later else None

    def _claim(self, arn: str) -> None:
        row = self._resources.by_arn(arn)
        with self._lock:
            for queued in self._queued.values():
                queued.pop(arn, None)
            if row is None or arn in self._active or self._closed or arn in self._later:
                return
            work = self._table.get(row.kind)
            if work is None or not work.runner.wants(row):
                return
            if self._free(work) == 0:
                log.info("%s waits: %d of its kind are active", arn, work.limit)
                self._queued[row.kind][arn] = None
                return
            wake = Wake()
            wake.hear(row.status)
            thread = threading.Thread(target=self._work, args=(work, row, wake), name=row.name, daemon=True)
            self._active[arn] = _Active(work, wake, thread)
            # Started under the lock: `close` joins the threads of those that are active.
            thread.start()

    def _work(self, work: Work, row: Resource, wake: Wake) -> None:
        try:
            task = work.runner.run(row, wake)
        except Exception as error:
            return self._end(work, row, error)
        if task is None:
            return self._end(work, row, None)
        with self._lock:
            self._active[row.arn].task = task

        def over() -> None:
            # In the loop's thread, which is not to wait for the store.
            threading.Thread(target=self._end, args=(work, row, task.error), name=row.name, daemon=True).start()

        task.when_over(over)
        return None

    def _end(self, work: Work, row: Resource, error: BaseException | None) -> None:
        again = False
        if error is not None:
            log.error("%s: unexpected error", row.arn, exc_info=error)
            again = not self._fail(work, row)
        with self._lock:
            del self._active[row.arn]
            if again:
                self._later[row.arn] = self._clock() + AGAIN_SECONDS
            # No runner has heard of what was written between its last look and now.
            self._touched.append(row.arn)
        self._event.set()

    def _fail(self, work: Work, row: Resource) -> bool:
        try:
            return work.runner.fail(row)
        except Exception:
            log.exception("%s: its failure could not be written down", row.arn)
            return False

    def _sweep(self) -> None:
        for work in self._table.values():
            self._attempt(f"sweeping after each {work.kind.noun}", work.runner.sweep)

    def _attempt(self, what: str, do: Callable[[], None]) -> bool:
        """False, and a traceback in the log, when it raised: the supervisor itself does not end."""
        try:
            do()
        except Exception:
            log.exception("%s: unexpected error", what)
            return False
        return True
