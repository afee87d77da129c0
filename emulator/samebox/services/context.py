"""What an operation may use: the collaborators that `app` joins, as the small protocols that operations call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from samebox.resources.deployment import StandIn
from samebox.resources.logbook import Logbook
from samebox.resources.metrics_store import MetricsStore
from samebox.resources.resources import Resources
from samebox.services.repositories import PushedImages
from samebox.settings import Settings
from samebox.wire.caller import Caller


@dataclass(frozen=True)
class Image:
    """An image that was found: the name a container engine can pull, by digest, and its manifest's media type.

    Images that were not looked up in the emulator's ECR have neither digest nor media type: those of the engine's own,
    whose reference is their id, and those that `allow_local_images` lets through. With `stand_in` the image runs in
    place of the one that was named; the engine need not hold it yet.
    """

    reference: str
    digest: str = ""
    media_type: str = ""
    stand_in: StandIn | None = None


class ObjectLookup(Protocol):
    """What operations ask of S3, which is little: is there something? AwsError where S3 cannot be asked.

    An address that is none of S3's leads to nothing.
    """

    def place(self, uri: str) -> tuple[str, str] | None:
        """Bucket and key of the address; the key may be empty. None where it is not an address of S3's."""

    def bucket_exists(self, uri: str) -> bool:
        """True when the URI's bucket exists."""

    def exists(self, uri: str) -> bool:
        """True when this very key exists."""

    def exists_under(self, uri: str) -> bool:
        """True when at least one key starts with the URI's key. False too when the bucket does not exist."""


class Images(Protocol):
    """Where image names are looked up; services/images.py keeps the promise."""

    def resolve(self, image: str, caller: Caller) -> Image:
        """Find an image by the name in a request. Raises images.Unresolved."""


class EngineImages(Protocol):
    """The container engine's own images, which no registry need have."""

    def keep(self, image_id: str) -> bool:
        """Whether the engine holds the image of this id; if so, it is kept for as long as a resource names it."""

    def find(self, name: str) -> str | None:
        """The id of the engine's image of this name, None if it holds none."""


class Registry(Protocol):
    """The registry behind ECR, by its own HTTP API; `name` is account/region/repository."""

    def manifest(self, name: str, digest: str) -> bytes | None:
        """A manifest's bytes, None when it is not there. AwsError when the registry cannot be asked."""

    def put(self, name: str, digest: str, media_type: str, body: bytes) -> str:
        """Keep a manifest; the registry's code where it refuses it, else empty. AwsError when it cannot be asked."""

    def delete(self, name: str, digest: str) -> None:
        """Forget a manifest; one that is not there is no error."""


@dataclass(frozen=True)
class Services:
    """Everything an operation may use. Handlers are plain functions of (services, params, caller)."""

    settings: Settings
    resources: Resources
    objects: ObjectLookup
    images: Images
    pushed: PushedImages
    registry: Registry
    logbook: Logbook
    metrics: MetricsStore
    clock: Callable[[], float]
    secret: bytes  # of this data directory: signs what we hand out and later want to recognise
    docker_names: frozenset[str] = frozenset()  # hosts of ECR at which the Docker daemon reaches us


Operation = Callable[[Services, dict[str, Any], Caller], dict[str, Any] | None]
