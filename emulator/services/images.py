"""Image names: which repository of our ECR a name means, and which image is there now."""

import re
from dataclasses import dataclass

from emulator.resources.kinds import REPOSITORY
from emulator.resources.resources import Resources
from emulator.services import repositories
from emulator.services.context import Image
from emulator.settings import Settings
from emulator.wire.caller import Caller

# [registry/]repository[:tag][@digest], as SM:ContainerDefinition.Image and docker write it.
_NAME = re.compile(
    r"(?:(?P<host>[^/]*[.:][^/]*|localhost)/)?"
    r"(?P<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ECR_HOST = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr\.(?P<region>[a-z0-9-]+)\.(?P<suffix>[a-z0-9.]+)")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Unresolved(Exception):
    """An image name that leads nowhere; each operation has its own words for it."""


class Malformed(Unresolved):
    """No image is named so."""


class Foreign(Unresolved):
    """The name of an image in some other registry than ECR."""


@dataclass
class OtherRegion(Unresolved):
    """An ECR name of another region than the request's."""

    given: str
    wanted: str
    suffix: str


@dataclass
class Absent(Unresolved):
    """No such repository, or no such image in it."""

    repository: str
    account: str


class EcrImages:
    """Images in the emulator's own ECR; `allow_local_images` lets other names through to the container engine."""

    def __init__(self, settings: Settings, resources: Resources) -> None:
        self._settings = settings
        self._resources = resources

    def resolve(self, image: str, caller: Caller) -> Image:
        """The image that the name means now. Raises Malformed, Foreign, OtherRegion, Absent."""
        found = _NAME.fullmatch(image)
        if found is None:
            raise Malformed(image)
        owner = self._owner(found["host"], caller)
        if owner is None:
            if self._settings.allow_local_images:
                return Image(image)
            raise Foreign(image)
        name = found["repository"]
        repository = self._resources.look(REPOSITORY, owner, name)
        pushed = repository and repositories.find(repository, found["tag"], found["digest"])
        if not pushed:
            if self._settings.allow_local_images and not found["host"]:
                return Image(image)
            raise Absent(name, owner.account)
        # The registry takes the account of the credentials that pull. An image of another account says whose it is.
        if owner != Caller(caller.account, caller.region):
            name = f"{owner.account}/{owner.region}/{name}"
        return Image(f"{registry_host(self._settings)}/{name}@{pushed.digest}", pushed.digest, pushed.media_type)

    def _owner(self, host: str | None, caller: Caller) -> Caller | None:
        if host is None:
            return None
        name, _, port = host.rpartition(":") if ":" in host.rpartition("]")[2] else (host, "", "")
        if name in _LOOPBACK:
            return Caller(caller.account, caller.region) if port in ("", str(self._settings.port)) else None
        found = _ECR_HOST.fullmatch(host)
        if found is None:
            return None
        if found["region"] != caller.region:
            raise OtherRegion(found["region"], caller.region, found["suffix"])
        return Caller(found["account"], found["region"])


def in_our_registry(image: str, settings: Settings) -> str:
    """The name that an image had, or would have, in our registry: what to pull where it could not be resolved."""
    found = _NAME.fullmatch(image)
    if found is None or found["host"] is None:
        return image
    place = f"@{found['digest']}" if found["digest"] else f":{found['tag'] or 'latest'}"
    return f"{registry_host(settings)}/{found['repository']}{place}"


def registry_host(settings: Settings) -> str:
    """Registry part of our image names. Docker speaks plain HTTP to `localhost` without being told to."""
    return f"localhost:{settings.port}"
