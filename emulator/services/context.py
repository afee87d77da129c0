"""What an operation may use: the collaborators that app.py builds, as the small protocols that operations call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from emulator.resources.logbook import Logbook
from emulator.resources.resources import Resources
from emulator.settings import Settings
from emulator.wire.caller import Caller


@dataclass(frozen=True)
class Image:
    """An image that was found: the name a container engine can run, by digest, and the digest ('' for local images)."""

    reference: str
    digest: str


class Objects(Protocol):
    """What operations ask of S3, which is little: is there something?"""

    def exists_under(self, uri: str) -> bool:
        """True when at least one key starts with the URI's key. False too when the bucket does not exist."""


class Images(Protocol):
    """Where image names are looked up."""

    def resolve(self, image: str, caller: Caller) -> Image:
        """Find an image by the name in a request. Raises AwsError in CreateTrainingJob's words (contract.md §6.4)."""


@dataclass(frozen=True)
class Services:
    """Everything an operation may use. Handlers are plain functions of (services, params, caller)."""

    settings: Settings
    resources: Resources
    objects: Objects
    images: Images
    logbook: Logbook
    clock: Callable[[], float]


Operation = Callable[[Services, dict[str, Any], Caller], dict[str, Any] | None]
