"""Containers for checks: what an engine gives up while it works is asked for again, for a moment.

A container that fills its memory at once can take the engine's own process beside it along: its start is given up then,
with an error that says nothing of the image.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from samebox.containers.engine import EngineError, EngineUnavailable
from samebox.platform import retrying, starting

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.engine import ContainerSpec, Engine

T = TypeVar("T")

SECONDS = 3.0


def again(call: Callable[[], T], /) -> T:
    """A Retry for JobHosts. Raises the call's error where the engine is still away after SECONDS."""
    return retrying.retry_while_unavailable(call, threading.Event(), lambda _: None, SECONDS)


def run(engine: Engine, spec: ContainerSpec) -> str:
    """As the engine's own `run`: a container that was made and started, by its id."""
    container = again(lambda: engine.create(spec))
    try:
        again(starting.once(engine, container, is_new=True))
    except EngineUnavailable:
        raise  # whether it runs is not known; what has the run's label is removed at its end
    except EngineError:
        engine.remove(container)
        raise
    return container
