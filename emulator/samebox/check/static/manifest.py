"""What a registry would be given: the form of the manifest, what hangs beside it, and for which machine it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_of

if TYPE_CHECKING:
    from samebox.check.archive import ImageArchive

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CURE = (
    "Build with `docker buildx build --provenance=false --sbom=false "
    "--output type=image,oci-mediatypes=false,push=true`."
)

MANIFEST_TYPE = Rule(
    "image-manifest-type",
    "The manifest is Docker's version 2, not OCI's",
    "aws/sagemaker-feedback#180; contract §7",
    "fail",
    "static",
    f"CreateModel refuses OCI manifests. {_CURE}",
)
ATTESTATIONS = Rule(
    "image-attestations",
    "The image has no provenance or SBOM attestation",
    "aws/sagemaker-feedback#180; contract §7",
    "fail",
    "static",
    f"With attestations the tag names a list of manifests, which SageMaker refuses. {_CURE}",
)
PLATFORM = Rule(
    "image-architecture",
    "The image is built for SageMaker's processors",
    "contract §1.1; aws-samples/amazon-sagemaker-custom-container#3",
    "fail",
    "static",
    "Build with `--platform linux/amd64`; on another machine the container ends with `exec format error`.",
)


def manifest_type(context: Context) -> Finding:
    archive = context.subject.contents.archive
    if _is_of_a_daemon(archive):
        return MANIFEST_TYPE.passed("it is in a Docker engine's own store, which pushes Docker v2 manifests")
    manifest = archive.manifest
    media_type = manifest.media_type if manifest else DOCKER
    if media_type == DOCKER:
        return MANIFEST_TYPE.passed(media_type)
    return MANIFEST_TYPE.broken(f"the manifest is {media_type}")


def attestations(context: Context) -> Finding:
    archive = context.subject.contents.archive
    if archive.attestations:
        return ATTESTATIONS.broken(f"{archive.attestations} attestation manifest(s) in the image's index")
    if len(archive.platforms) > 1:
        return ATTESTATIONS.warned(
            f"the tag names a list of {len(archive.platforms)} platforms: {', '.join(archive.platforms)}",
            "SageMaker wants one image, not a list: push linux/amd64 alone.",
        )
    return ATTESTATIONS.passed("none")


def platform(context: Context) -> Finding:
    config = context.subject.config
    seen = f"{config.operating_system or 'no operating system'}/{config.architecture or 'no architecture'}"
    if config.operating_system == "linux" and config.architecture == "amd64":
        return PLATFORM.passed(seen)
    line = line_of(context, "FROM")
    if (config.operating_system, config.architecture) == ("linux", "arm64") and "train" not in context.claims:
        return PLATFORM.warned(f"{seen} runs on Graviton instances only (ml.c6g, ml.c7g, ml.m6g, ml.r6g, …)", line=line)
    return PLATFORM.broken(seen, line=line)


def _is_of_a_daemon(archive: ImageArchive) -> bool:
    """`docker save` of a classic store writes in OCI's form what it pushes in Docker's; its layers are plain tars."""
    if not archive.docker_manifest:
        return False
    return archive.manifest is None or all(one == _OCI_LAYER for one in archive.layer_media_types)


CHECKS = (
    Check(MANIFEST_TYPE, manifest_type, FILES),
    Check(ATTESTATIONS, attestations, FILES),
    Check(PLATFORM, platform, FILES),
)
