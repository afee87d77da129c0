"""Checks that run an image as an endpoint does, and ask it what clients and the platform ask.

One server is started for most of them; those that need it on another port or a read-only root come last, and so does
the one that ends it.
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
