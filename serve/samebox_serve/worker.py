"""gunicorn's threaded worker, changed to lose no request when it is stopped."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    from types import FrameType

# How long there must be no new connection, and how long we wait for that at most, before the port is closed.
QUIET_SECONDS = 0.5
QUIET_LIMIT_SECONDS = 5.0


class DrainingWorker(ThreadWorker):
    """On SIGTERM: accept until it is quiet, take what still sits in the backlog, close the port, finish the rest.

    gunicorn closes the port at once, and the kernel resets every connection that was made but not yet accepted.
    """

    _last_accept = 0.0
    _told_to_stop = False

    def accept(self, listener: Any) -> None:
        self._last_accept = time.monotonic()
        super().accept(listener)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self._told_to_stop:
            self._told_to_stop = True
            threading.Thread(target=self._stop_when_quiet, args=(sig, frame), name="drain", daemon=True).start()

    def stop_soon(self) -> None:
        """End this process once it has answered what it has; gunicorn starts another."""
        self.alive = False
        self.method_queue.defer(lambda: None)

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                self._empty_backlog(listener)
                with contextlib.suppress(OSError):
                    listener.close()

    def run(self) -> None:
        super().run()
        model = getattr(self, "model", None)
        if model is not None and model.stuck:
            # The stuck thread would keep the process from ending.
            os._exit(1)

    def _stop_when_quiet(self, sig: int, frame: FrameType | None) -> None:
        limit = time.monotonic() + QUIET_LIMIT_SECONDS
        self._last_accept = max(self._last_accept, time.monotonic())
        while time.monotonic() < min(limit, self._last_accept + QUIET_SECONDS):
            time.sleep(0.05)
        super().handle_exit(sig, frame)

    def _empty_backlog(self, listener: Any) -> None:
        before = -1
        while self.nr_conns != before:
            before = self.nr_conns
            with contextlib.suppress(OSError):
                super().accept(listener)
