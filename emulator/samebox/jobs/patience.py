"""Patience with an engine or an S3 that is away for a while: dockerd restarts, and no job fails for it."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from samebox.containers.engine import EngineUnavailable
from samebox.data.objects import Unreachable

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 300.0


class Closing(Exception):
    """We end; the next start goes on from here."""


def patiently(
    ask: Callable[[], T],
    closing: threading.Event,
    tell: Callable[[str], None],
    seconds: float = PATIENCE_SECONDS,
) -> T:
    """Ask again while the engine or S3 is away, and `tell` why. Raises what it raised when patience ends; Closing."""
    waited = 0.0
    while True:
        try:
            return ask()
        except (EngineUnavailable, Unreachable) as error:
            if waited >= seconds:
                raise
            if not waited:
                what = "container engine" if isinstance(error, EngineUnavailable) else "S3"
                log.warning("waiting for the %s: %s", what, error)
                tell(f"Waiting for the emulator's {what}: {error}"[:1024])
            waited += RETRY_SECONDS
            if closing.wait(RETRY_SECONDS):
                raise Closing from None
