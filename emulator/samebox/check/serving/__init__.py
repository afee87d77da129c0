"""Checks that run an image as an endpoint and send it the requests of clients and of the platform.

Most of them share one server. Those that need another port or a read-only root file system run last, and so does the
one that stops the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.serving import (
    bidirectional,
    connections,
    environments,
    health,
    invocations,
    multi_model,
    multi_model_memory,
    starting,
    stopping,
    strain,
    streaming,
)

if TYPE_CHECKING:
    from samebox.check.checks import Check

SERVING: tuple[Check, ...] = (
    *starting.CHECKS,
    *health.CHECKS,
    *invocations.CHECKS,
    *connections.CHECKS,
    *streaming.CHECKS,
    *bidirectional.CHECKS,
    *strain.CHECKS,
    *stopping.CHECKS,
    *starting.LATE_CHECKS,
    *environments.CHECKS,
    *multi_model.CHECKS,
    *multi_model_memory.CHECKS,
)
