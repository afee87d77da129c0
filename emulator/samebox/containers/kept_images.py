"""Images of the engine that requests name by id: each bears a name of ours for as long as something needs it.

`docker image rm`, or a build that takes an image's name away, would otherwise take the image from a job that has not
started yet, or from an endpoint whose containers are gone.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from samebox.containers.engine import EngineError, ImageMissing
from samebox.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from samebox.containers.engine import ImageApi

log = logging.getLogger(__name__)

REPOSITORY = "samebox/kept"
# Between the answer to "is it there?" and the row that needs the image.
RECENT_SECONDS = 600.0


class KeptImages:
    """Keeps images for one data directory, which `instance` is the id of. `needed` gives the ids that rows name.

    Threads may share it.
    """

    def __init__(
        self,
        engine: ImageApi,
        instance: str,
        needed: Callable[[], Collection[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._instance = instance
        self._needed = needed
        self._clock = clock
        self._recent: dict[str, float] = {}
        self._lock = threading.Lock()

    def keep(self, image_id: str) -> bool:
        """Whether the engine holds the image of this id; if it does, it stays. AwsError if it cannot be asked."""
        name = name_of(self._instance, image_id)
        try:
            found = self._engine.image(image_id)
            if found is None or found.id != image_id:
                return False
            with self._lock:
                self._recent[image_id] = self._clock()
            if name not in found.tags:
                self._engine.tag(image_id, name)
                self._release_others()
        except ImageMissing:
            return False  # removed just now
        except EngineError as error:
            raise _cannot_be_asked(error) from error
        return True

    def find(self, name: str) -> str | None:
        """The id of the engine's image of this name, None if it holds none. AwsError if it cannot be asked."""
        try:
            found = self._engine.image(name)
        except EngineError as error:
            raise _cannot_be_asked(error) from error
        return found.id if found else None

    def _release_others(self) -> None:
        """Give up what nothing needs any more: here, so that builds and jobs in turn do not fill the disk."""
        with self._lock:
            oldest = self._clock() - RECENT_SECONDS
            self._recent = {image: at for image, at in self._recent.items() if at > oldest}
            recent = set(self._recent)
        release(self._engine, self._instance, {*self._needed(), *recent})


def _cannot_be_asked(error: EngineError) -> AwsError:
    return AwsError("ServiceUnavailable", f"The container engine cannot be asked: {error}", 503)


def name_of(instance: str, image_id: str) -> str:
    """The name by which an image is kept for a data directory."""
    return f"{REPOSITORY}:{instance}-{image_id.removeprefix('sha256:')}"


def unneeded(engine: ImageApi, instance: str, needed: Collection[str]) -> list[str]:
    """The names by which images are kept that are not among the needed ids."""
    wanted = {name_of(instance, image_id) for image_id in needed}
    return [
        name for name in engine.tags(REPOSITORY) if name.startswith(f"{REPOSITORY}:{instance}-") and name not in wanted
    ]


def release(engine: ImageApi, instance: str, needed: Collection[str]) -> list[str]:
    """Take these names away; an image that has no other goes with it. Gives the names."""
    names = unneeded(engine, instance, needed)
    for name in names:
        log.info("%s is not needed any more", name)
        engine.untag(name)
    return names
