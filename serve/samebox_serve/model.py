"""The model of one worker process: loaded in the background, called from a few threads, given up when stuck."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING

from samebox_serve.errors import NotReady, TookTooLong
from samebox_serve.handlers import HandlerResponse, Handlers

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox_serve.readiness import WorkerReadiness
    from samebox_serve.settings import ServeSettings

log = logging.getLogger("samebox.serve")


class Model:
    """Everything about the model that the routes need."""

    def __init__(
        self, settings: ServeSettings, threads: int, readiness: WorkerReadiness, slot: int, problem: str | None = None
    ) -> None:
        self._settings = settings
        self._readiness = readiness
        self._slot = slot
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="model")
        self._handlers: Handlers | None = None
        self._settled = threading.Event()
        self._problem = problem
        self.stuck = False
        self.on_stuck: Callable[[], None] = lambda: None

    def start_loading(self) -> None:
        if self._problem:
            log.error("the model is not loaded: %s", self._problem)
            self._settled.set()
            return
        threading.Thread(target=self._load, name="load", daemon=True).start()

    def health(self) -> tuple[bool, str]:
        """Whether /ping may say 200, and why not."""
        if self._problem:
            return False, self._problem
        if not self._readiness.is_serving():
            return False, "the model is being loaded"
        return True, "the model is loaded"

    def is_news(self, status: int, reason: str) -> bool:
        """Whether an answer of /ping belongs in the log (see Readiness.is_news)."""
        return self._readiness.is_news(status, reason)

    def answer(
        self, body: bytes, content_type: str | None, accepted: str | None, headers: dict[str, str]
    ) -> HandlerResponse:
        """Raises NotReady, TookTooLong, and what Handlers.answer raises."""
        deadline = time.monotonic() + self._settings.timeout_seconds
        # A process that replaces another gets requests before it has loaded; the client need not notice.
        self._settled.wait(self._settings.timeout_seconds)
        if self._problem or self._handlers is None:
            raise NotReady(self._problem or "the model is being loaded")
        waiting: Future[HandlerResponse] = self._pool.submit(
            self._handlers.answer, body, content_type, accepted, headers
        )
        try:
            return waiting.result(max(0.0, deadline - time.monotonic()))
        except FutureTimeout:
            if waiting.cancel():
                raise NotReady("all workers were busy for as long as a request may take") from None
            self._give_up()
            raise TookTooLong(
                f"the prediction did not end within {self._settings.timeout_seconds} s (SAGEMAKER_MODEL_SERVER_TIMEOUT)"
            ) from None

    def _load(self) -> None:
        began = time.monotonic()
        try:
            handlers = Handlers(self._settings)
            handlers.load()
        except BaseException as error:  # a model that calls sys.exit() must show as one that did not load
            self._problem = f"the model could not be loaded: {type(error).__name__}: {error}"
            log.exception("%s", self._problem)
        else:
            self._handlers = handlers
            self._readiness.loaded(self._slot)
            log.info("model loaded in %.1f s", time.monotonic() - began)
        self._settled.set()

    def _give_up(self) -> None:
        """A thread cannot be ended. This process answers what it has and is replaced."""
        if not self.stuck:
            self.stuck = True
            self._problem = "a prediction is stuck; this worker is being replaced"
            self._readiness.gone(self._slot)
            log.error("a prediction took more than %d s: replacing this worker", self._settings.timeout_seconds)
            self.on_stuck()
