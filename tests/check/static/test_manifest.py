"""SageMaker takes one Docker v2 manifest for linux/amd64."""

from __future__ import annotations

import pytest

from tests.check.images import DOCKER_MANIFEST, OCI_MANIFEST, ImageSource
from tests.check.static.looking import look


@pytest.mark.parametrize("archive", [ImageSource().docker_archive(), ImageSource().oci_archive(DOCKER_MANIFEST)])
def test_a_docker_manifest_passes(archive: bytes) -> None:
    assert look("image-manifest-type", archive).status == "pass"


def test_an_oci_manifest_is_refused_and_the_flags_that_mend_it_are_named() -> None:
    found = look("image-manifest-type", ImageSource().oci_archive(OCI_MANIFEST))
    assert (found.status, OCI_MANIFEST in found.seen) == ("fail", True)
    assert "oci-mediatypes=false" in found.remedy


def test_attestations_beside_the_image_are_found() -> None:
    found = look("image-attestations", ImageSource().oci_archive(DOCKER_MANIFEST, attested=True))
    assert (found.status, "--provenance=false" in found.remedy) == ("fail", True)
    assert look("image-attestations", ImageSource().oci_archive()).status == "pass"


@pytest.mark.parametrize(
    ("architecture", "claim", "status"),
    [("amd64", "serve", "pass"), ("arm64", "serve", "warn"), ("arm64", "train", "fail"), ("s390x", "serve", "fail")],
)
def test_the_image_is_for_the_machines_there_are(architecture: str, claim: str, status: str) -> None:
    found = look("image-architecture", ImageSource(architecture=architecture), claim, words="FROM x\n")  # type: ignore[arg-type]
    assert found.status == status
    assert found.line == (None if status == "pass" else 1)
