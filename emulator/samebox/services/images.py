"""Image names: which repository of our ECR a name means, and which image is there now.

One form of name means no repository: `name@sha256:…`, with the id of an image that the container engine holds. The
image then needs no push. AWS refuses such names, as those of a private registry; the id identifies the image,
and neither a build that moves the name nor its removal changes what it means.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from samebox.resources.deployment import StandIn, serving
from samebox.resources.kinds import CONTAINER_JOBS, ENDPOINT, MODEL, REPOSITORY
from samebox.resources.query import Query
from samebox.resources.resources import Resources
from samebox.resources.run_facts import job_facts
from samebox.resources.store import Resource, Store
from samebox.services.context import EngineImages, Image
from samebox.services.image_aliases import Alias, ImageAliases, registry_of
from samebox.services.repositories import PushedImages
from samebox.settings import Settings
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

# [registry/]repository[:tag][@digest], as SM:ContainerDefinition.Image and docker write it.
_NAME = re.compile(
    r"(?:(?P<host>[^/]*[.:][^/]*|localhost)/)?"
    r"(?P<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Domains of ECR's dual-stack names: 123456789012.dkr-ecr.us-west-2.on.aws.
_DUAL_STACK = ("on.aws", "on.amazonwebservices.com.cn")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Unresolved(Exception):
    """An image name that leads nowhere; each operation has its own words for it."""


class MalformedName(Unresolved):
    """No image is named so."""


class Foreign(Unresolved):
    """The name of an image in some other registry than ECR."""


@dataclass
class OtherRegion(Unresolved):
    """An ECR name of another region than the request's, or with another domain than the region's."""

    given: str
    wanted: str
    suffix: str
    wanted_suffix: str


@dataclass
class Absent(Unresolved):
    """No such repository, or no such image in it."""

    repository: str
    account: str


class EcrImages:
    """Images in the emulator's own ECR, and by id those of the container engine, `own`.

    `allow_local_images` lets other names through to the engine; a name of an ECR (AWS's or ours) only if no image of
    that name was pushed here and the engine holds one, such as an image that was pulled from AWS. Last come `aliases`:
    local images that stand in for those that AWS owns.
    """

    def __init__(
        self,
        settings: Settings,
        resources: Resources,
        pushed: PushedImages,
        own: EngineImages | None = None,
        aliases: Callable[[], ImageAliases] | None = None,
    ) -> None:
        self._settings = settings
        self._resources = resources
        self._pushed = pushed
        self._own = own
        self._aliases = aliases

    def resolve(self, image: str, caller: Caller) -> Image:
        """The image that the name means now. Raises Malformed, Foreign, OtherRegion, Absent."""
        found = _NAME.fullmatch(image)
        if found is None:
            raise MalformedName(image)
        try:
            owner = self._owner(found["host"], caller)
        except OtherRegion:
            if self._is_local(image):
                return Image(image)
            raise
        if owner is None:
            image_id = found["digest"]
            if image_id and self._own is not None and self._own.keep(image_id):
                return Image(image_id)
            if self._settings.allow_local_images:
                return Image(image)
            raise Foreign(image)
        name = found["repository"]
        repository = self._resources.find(REPOSITORY, owner, name)
        pushed = repository and self._pushed.find(repository, found["tag"], found["digest"])
        if not pushed:
            if self._is_local(image):
                return Image(image)
            if alias := self._aliases and self._aliases().find(image):
                return self._standing_in(alias, image)
            raise Absent(name, owner.account)
        # The registry takes the account of the credentials that pull. An image of another account says whose it is.
        if owner != Caller(caller.account, caller.region):
            name = f"{owner.account}/{owner.region}/{name}"
        return Image(f"{registry_host(self._settings)}/{name}@{pushed.digest}", pushed.digest, pushed.media_type)

    def _is_local(self, image: str) -> bool:
        return self._settings.allow_local_images and self._own is not None and self._own.find(image) is not None

    def _standing_in(self, alias: Alias, given: str) -> Image:
        # By its id, as what a request names is resolved once. One that is not there may be built before it is needed.
        image_id = self._own.find(alias.image) if self._own is not None else None
        is_kept = image_id is not None and self._own is not None and self._own.keep(image_id)
        return Image(image_id if image_id and is_kept else alias.image, stand_in=alias.stand_in(given))

    def _owner(self, host: str | None, caller: Caller) -> Caller | None:
        if host is None:
            return None
        name, _, port = host.rpartition(":") if ":" in host.rpartition("]")[2] else (host, "", "")
        if name in _LOOPBACK:
            return Caller(caller.account, caller.region) if port in ("", str(self._settings.port)) else None
        found = registry_of(host)
        if found is None:
            return None
        wanted = partition_of(caller.region)
        if found.region != caller.region or found.suffix not in (wanted.dns_suffix, *_DUAL_STACK):
            raise OtherRegion(found.region, caller.region, found.suffix, wanted.dns_suffix)
        return Caller(found.account, found.region)


def in_our_registry(image: str, settings: Settings) -> str:
    """The name that an image had, or would have, in our registry: what to pull where it could not be resolved."""
    found = _NAME.fullmatch(image)
    if found is None or found["host"] is None:
        return image
    place = f"@{found['digest']}" if found["digest"] else f":{found['tag'] or 'latest'}"
    return f"{registry_host(settings)}/{found['repository']}{place}"


def needed_ids(store: Store) -> set[str]:
    """Ids of the engine's own images that something needs: a job that has not ended, a model or an endpoint."""
    models = (container["Image"] for row in store.find(Query(MODEL.noun)) for container in model_containers(row.spec))
    # Digests of ECR's images are among them. No image of the engine is kept by those, so they do no harm.
    return {digest for name in (*names_in_use(store), *models) for digest in _DIGEST.findall(name)}


def stand_ins(store: Store) -> Iterator[tuple[Resource, StandIn]]:
    """Each job that has not ended, and each endpoint, with the local image that it runs in place of one of AWS's."""
    for job in (row for kind in CONTAINER_JOBS for row in store.find(kind.unfinished())):
        yield from ((job, found) for found in dict.fromkeys(job_facts(job).stand_ins.values()))
    for endpoint in store.find(Query(ENDPOINT.noun)):
        deployment = serving(endpoint).current or serving(endpoint).wanted
        containers = (container for variant in deployment.variants for container in variant.containers)
        yield from ((endpoint, found) for found in dict.fromkeys(one.stand_in for one in containers) if found)


def names_in_use(store: Store) -> set[str]:
    """Names of images that a job that has not ended, or an endpoint, runs or will run."""
    jobs = [row for kind in CONTAINER_JOBS for row in store.find(kind.unfinished())]
    endpoints = store.find(Query(ENDPOINT.noun))
    return {name for names in (*map(_of_job, jobs), *map(_of_endpoint, endpoints)) for name in names}


def _of_job(row: Resource) -> Iterator[str]:
    facts = job_facts(row)
    application = row.spec.get("AlgorithmSpecification") or row.spec.get("AppSpecification") or {}
    image = application.get("TrainingImage") or application.get("ImageUri")
    if facts.model:
        for container in facts.model.containers:
            yield from (container.image, container.resolved_image)
    elif image:
        yield image
    yield facts.resolved_image


def _of_endpoint(row: Resource) -> Iterator[str]:
    facts = serving(row)
    for deployment in filter(None, (facts.wanted, facts.current)):
        for variant in deployment.variants:
            for container in variant.containers:
                yield from (container.image, container.resolved_image)


def model_containers(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The container definitions of a model, in order."""
    return [spec["PrimaryContainer"]] if "PrimaryContainer" in spec else list(spec.get("Containers", []))


def ecr_host(account: str, region: str) -> str:
    """AWS's name of an account's registry in a region."""
    return f"{account}.dkr.ecr.{region}.{partition_of(region).dns_suffix}"


def registry_host(settings: Settings) -> str:
    """Registry part of our image names. Docker speaks plain HTTP to `localhost` without configuration."""
    return f"localhost:{settings.port}"
