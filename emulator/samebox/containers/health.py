"""Whether the engine answers, found out within a bounded time: for `samebox status` and the emulator's own start."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoResultYet
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.engine import Engine


class EngineHealth:
    """Asks in a thread of its own, one question at a time: an engine that hangs costs one thread, however many ask."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._question: Future[str | None] | None = None
        self._asked_at = 0.0

    def why_not(self, seconds: float) -> str | None:
        """None when the engine answers within `seconds`, else the reason why it cannot be used.

        A question that has waited so long already is not waited for again.
        """
        with self._lock:
            if self._question is None or self._question.done():
                self._question, self._asked_at = Future(), self._clock()
                threading.Thread(target=self._ask, args=(self._question,), name="engine health", daemon=True).start()
            question, asked_at = self._question, self._asked_at
        try:
            return question.result(max(0.0, asked_at + seconds - self._clock()))
        except NoResultYet:
            return f"it hangs: a request to it has had no answer for {self._clock() - asked_at:.0f} s"

    def _ask(self, question: Future[str | None]) -> None:
        try:
            question.set_result(self._engine.available())
        except BaseException as error:
            question.set_exception(error)
            raise
