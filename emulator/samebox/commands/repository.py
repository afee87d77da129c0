"""An ECR repository, the emulator's or AWS's: create it, compare and push an image, and judge its manifest."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from samebox.commands import aws, local_docker
from samebox.commands.local_docker import LocalImage
from samebox.commands.outcome import Stop

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
ACCEPTED = (DOCKER_MANIFEST, DOCKER_INDEX, OCI_MANIFEST, OCI_INDEX)

_ID = "sha256:"

MEND = (
    "Build it again with `docker buildx build --provenance=false --sbom=false "
    "--output type=docker,oci-mediatypes=false`, as `docker buildx bake` does here, and with the engine's own image "
    "store (not containerd's, which keeps OCI manifests)."
)


@dataclass(frozen=True)
class TaggedManifest:
    """What a repository holds under a tag."""

    digest: str
    media_type: str
    body: dict[str, Any]

    @property
    def config_digest(self) -> str:
        return str(self.body.get("config", {}).get("digest", ""))

    def is_image(self, local: LocalImage) -> bool:
        """Whether a local image is this very one: by its config, or, with containerd's image store, by its manifest."""
        return local.id in (self.config_digest, self.digest)

    @property
    def complaint(self) -> str | None:
        """Why CreateModel would refuse it; None when it would not."""
        if self.media_type in (OCI_INDEX, DOCKER_INDEX):
            notes = [one.get("annotations", {}) for one in self.body.get("manifests", [])]
            attested = any(note.get("vnd.docker.reference.type") == "attestation-manifest" for note in notes)
            what = "an index with an attestation" if attested else "an index of several manifests"
            return f"it is {what} ({self.media_type}); SageMaker takes a single image. {MEND}"
        if self.media_type != DOCKER_MANIFEST:
            return f"its manifest is {self.media_type}; SageMaker's CreateModel takes Docker v2 manifests only. {MEND}"
        return None


@dataclass(frozen=True)
class PushResult:
    """What became of one image."""

    image: str
    uri: str  # registry/repository:tag
    digest: str
    size_bytes: int
    skipped: bool

    @property
    def pinned(self) -> str:
        """registry/repository@digest: the name that never means anything else."""
        return f"{self.uri.rpartition(':')[0]}@{self.digest}"


def default_name(image: str) -> tuple[str, str]:
    """Repository and tag as an image's local name has them: "registry:5000/team/train:cpu" -> ("team/train", "cpu")."""
    image = image.partition("@")[0]
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        image = rest
    name, _, tag = image.partition(":")
    return name, tag or "latest"


def by_id(local: LocalImage) -> str:
    """The name by which an emulator takes a local image from the engine as it is now, without a push."""
    return f"{':'.join(default_name(local.name))}@{local.id}"


@contextmanager
def held_by_emulator(image: str) -> Iterator[None]:
    """Around a request that names an image by its id: why an emulator may refuse one that `docker` shows here."""
    try:
        yield
    except aws.ClientError as error:
        refused = ("private Docker registry", "Using non-ECR image")
        if f"@{_ID}" in image and any(words in str(error) for words in refused):
            name = image.partition("@")[0]
            raise Stop(
                f"the emulator's container engine holds no image {image}; it may be another engine than that of this "
                f"shell's `docker`. `samebox push {name} --create` brings the image into the emulator's ECR."
            ) from None
        raise


def lists(ecr: Any, name: str, tag: str, digest: str = "") -> bool:
    """Whether the repository has the image; False, too, when there is no such repository."""
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    try:
        ecr.describe_images(repositoryName=name, imageIds=[wanted])
    except aws.ClientError as error:
        if aws.code(error) not in ("RepositoryNotFoundException", "ImageNotFoundException"):
            raise
        return False
    return True


def uri(ecr: Any, name: str, create: bool) -> str:
    """The repository's URI. Raises Stop when it does not exist and is not to be created."""
    try:
        found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    except aws.ClientError as error:
        if aws.code(error) != "RepositoryNotFoundException":
            raise
        if not create:
            raise Stop(f"there is no repository {name} in ECR. `samebox push --create` makes it.") from None
        found = ecr.create_repository(repositoryName=name)["repository"]
    return str(found["repositoryUri"])


def manifest(ecr: Any, name: str, tag: str) -> TaggedManifest | None:
    """What the repository holds under the tag, or None."""
    try:
        answer = ecr.batch_get_image(
            repositoryName=name, imageIds=[{"imageTag": tag}], acceptedMediaTypes=list(ACCEPTED)
        )
    except aws.ClientError as error:
        if aws.code(error) == "RepositoryNotFoundException":
            return None
        raise
    if not answer["images"]:
        return None
    found = answer["images"][0]
    body = json.loads(found["imageManifest"])
    media_type = found.get("imageManifestMediaType") or body.get("mediaType", "")
    return TaggedManifest(found["imageId"]["imageDigest"], media_type, body)


def push(ecr: Any, local: LocalImage, name: str, tag: str, create: bool) -> PushResult:
    """Make sure that the repository holds the local image under the tag. Raises Stop if SageMaker would refuse it."""
    target = f"{uri(ecr, name, create)}:{tag}"
    held = manifest(ecr, name, tag)
    skipped = held is not None and held.is_image(local)
    if not skipped:
        username, password = login(ecr)
        with local_docker.logged_in(target.partition("/")[0], username, password) as configuration:
            local_docker.push(local.name, target, configuration)
        held = manifest(ecr, name, tag)
    if held is None:
        raise Stop(f"{target} was pushed, yet ECR does not list it.")
    if held.complaint:
        raise Stop(f"{target} ({held.digest}) was pushed, but {held.complaint}")
    return PushResult(local.name, target, held.digest, local.size_bytes, skipped)


def login(ecr: Any) -> tuple[str, str]:
    """User name and password for `docker login`."""
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    username, _, password = base64.b64decode(token).decode().partition(":")
    return username, password
