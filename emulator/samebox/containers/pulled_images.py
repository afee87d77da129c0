"""Images of our own registry that the engine holds: they were pulled for a job or an endpoint, or stayed after a push.

They bear names by digest alone. A name with a tag is a person's, and is left to that person.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from samebox.containers.engine import ImageApi

log = logging.getLogger(__name__)


def unneeded(engine: ImageApi, registry: str, needed: Collection[str]) -> list[str]:
    """The names of such images that are not among the needed ones."""
    return [name for name in engine.untagged(registry) if name not in needed]


def release(engine: ImageApi, registry: str, needed: Collection[str]) -> None:
    """Take these names away; an image that has no other, and no container, goes with it."""
    for name in unneeded(engine, registry, needed):
        log.info("%s is not needed any more", name)
        engine.untag(name)
