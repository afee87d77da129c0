"""Retrying calls of an engine or an S3 that is unavailable for a while: dockerd restarts, and no job fails for it."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from samebox.containers.engine import EngineUnavailable
from samebox.data.objects import Unreachable

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS = 1.0


class Closing(Exception):
    """This emulator is shutting down; its next start continues the work."""


def retry_while_unavailable(
    call: Callable[[], T],
    closing: threading.Event,
    report: Callable[[str], None],
    seconds: float,
) -> T:
    """Repeat a call while the engine or S3 is unavailable, and `report` why.

    Raises the call's error after `seconds`, and Closing.
    """
    waited = 0.0
    while True:
        try:
            return call()
        except (EngineUnavailable, Unreachable) as error:
            if waited >= seconds:
                raise
            if not waited:
                what = "container engine" if isinstance(error, EngineUnavailable) else "S3"
                log.warning("waiting for the %s: %s", what, error)
                report(f"Waiting for the emulator's {what}: {error}"[:1024])
            waited += RETRY_SECONDS
            if closing.wait(RETRY_SECONDS):
                raise Closing from None
