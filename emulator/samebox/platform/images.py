"""An image that a container needs: create, and where the engine does not hold it, pull and create again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from samebox.containers.engine import ImageMissing, OutOfSpace
from samebox.data.objects import Cancelled
from samebox.platform.retrying import Closing

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from samebox.containers.engine import ContainerSpec, Engine, PullProgress

log = logging.getLogger(__name__)

# User and password of the registry; None where none are needed.
Login = tuple[str, str] | None


class CannotPull(Exception):
    """The image cannot be fetched; the message names it, and what the registry or the engine answered."""


class Puller:
    """Pulls images for one resource. `login` is asked before each pull; `local` says why there is nothing to pull.

    A pull that fails while `closing` is set raises Closing: the emulator's own registry ends with it, and the next
    start pulls again. One that `cancelled` ends raises Cancelled.
    """

    def __init__(
        self,
        engine: Engine,
        login: Callable[[], Login],
        cancelled: threading.Event,
        closing: threading.Event,
        local: str = "",
    ) -> None:
        self._engine = engine
        self._login = login
        self._cancelled = cancelled
        self._closing = closing
        self._local = local

    def pull(self, image: str) -> None:
        """Raises CannotPull, Cancelled, Closing."""
        if self._local:
            raise CannotPull(self._local)

        def progress(_: PullProgress) -> None:
            if self._cancelled.is_set():
                raise Cancelled(image)

        username, password = self._login() or (None, None)
        try:
            self._engine.pull(image, username, password, progress)
        except (ImageMissing, OutOfSpace) as error:
            if self._closing.is_set():
                raise Closing from error
            log.warning("%s cannot be pulled: %s", image, error)
            raise CannotPull(f"the image {image} cannot be pulled: {error}") from error


def create(spec: ContainerSpec, make: Callable[[ContainerSpec], str], pull: Callable[[str], None]) -> str:
    """The container that `make` gives; its image is pulled where the engine does not hold it. Raises as both do."""
    try:
        return make(spec)
    except ImageMissing:
        pull(spec.image)
        return make(spec)
