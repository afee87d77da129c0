"""gunicorn around the application: one process per core, each with the model loaded after the fork."""

from __future__ import annotations

import gc
import os
import tempfile
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from samebox_serve import app, logs
from samebox_serve.model import Model
from samebox_serve.program import SHARED_MEMORY
from samebox_serve.readiness import WorkerReadiness
from samebox_serve.worker import DrainingWorker

if TYPE_CHECKING:
    from flask import Flask

    from samebox_serve.cores import Concurrency
    from samebox_serve.settings import ServeSettings

# SIGTERM, 30 s, SIGKILL (contract.md §2.1). What is left is for the processes to end.
DRAIN_SECONDS = 27
# Threads that read requests and wait for the model. Enough that /ping is answered within its 2 s while clients queue.
HTTP_THREADS = 64
# Longer than the 60 s that load balancers keep idle connections, so that they close first.
KEEPALIVE_SECONDS = 75


class GunicornServer(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured from our settings and from nothing else."""

    def __init__(self, settings: ServeSettings, plan: Concurrency, problem: str | None) -> None:
        self._settings = settings
        self._plan = plan
        self._problem = problem
        self._readiness = WorkerReadiness(plan.workers)
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"0.0.0.0:{self._settings.port}",
            "workers": self._plan.workers,
            "worker_class": f"{DrainingWorker.__module__}.{DrainingWorker.__qualname__}",
            "threads": HTTP_THREADS,
            "worker_connections": 1000,
            "backlog": 2048,
            "keepalive": KEEPALIVE_SECONDS,
            "graceful_timeout": DRAIN_SECONDS,
            # Only the main loop's heartbeat; predictions have their own limit. Loading may hold the interpreter long.
            "timeout": 600,
            "worker_tmp_dir": heartbeat_folder(),
            "logger_class": logs.GunicornLog,
            "accesslog": "-",
            "proc_name": "serve",
            # A Unix socket for run-time management, in a home folder that may not exist.
            "control_socket_disable": True,
            "when_ready": lambda _arbiter: gc.freeze(),
            "post_fork": self._set_model,
            "child_exit": lambda _arbiter, worker: self._readiness.gone(worker.age),
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def _set_model(self, _arbiter: Any, worker: Any) -> None:
        model = Model(self._settings, self._plan.threads, self._readiness, worker.age, self._problem)
        model.on_stuck = lambda: worker.stop_soon()
        worker.model = model
        self._worker_model = model

    def load(self) -> Flask:
        """Called in each worker, after the fork: TensorFlow's threads would not survive one."""
        model = self._worker_model
        model.start_loading()
        return app.create(self._settings, model, self._plan.workers * self._plan.threads)


def heartbeat_folder() -> str:
    """Where workers touch a file to show that they live: in memory, so that a busy disk is not a dead worker."""
    return SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK | os.X_OK) else tempfile.gettempdir()
