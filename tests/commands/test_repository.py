"""Names of images, and manifests that SageMaker takes or does not."""

from typing import Any

import pytest

from samebox.commands import push
from samebox.commands.local_docker import LocalImage
from samebox.commands.outcome import Stop
from samebox.commands.repository import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, TaggedManifest, by_id, default_name

CONFIG = "sha256:" + "c" * 64
DIGEST = "sha256:" + "d" * 64


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("samebox/train:cpu", ("samebox/train", "cpu")),
        ("mine", ("mine", "latest")),
        ("team/model", ("team/model", "latest")),
        ("localhost:5000/team/model:7", ("team/model", "7")),
        ("registry.example.com/model", ("model", "latest")),
        ("localhost/model:1", ("model", "1")),
        ("team/model@sha256:" + "0" * 64, ("team/model", "latest")),
    ],
)
def test_an_image_goes_to_the_repository_of_its_own_name(image: str, name: tuple[str, str]) -> None:
    assert default_name(image) == name


def manifest(media_type: str, **body: Any) -> TaggedManifest:
    return TaggedManifest(DIGEST, media_type, {"config": {"digest": CONFIG}, **body})


def test_a_docker_manifest_has_nothing_to_complain_of() -> None:
    assert manifest(DOCKER_MANIFEST).complaint is None


def test_an_attestation_is_named_and_how_to_do_without() -> None:
    attestation = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    complaint = manifest(OCI_INDEX, manifests=[{}, attestation]).complaint
    assert complaint is not None
    assert "attestation" in complaint
    assert "--provenance=false" in complaint


def test_an_oci_manifest_is_refused_before_sagemaker_does() -> None:
    complaint = manifest(OCI_MANIFEST).complaint
    assert complaint is not None
    assert OCI_MANIFEST in complaint


@pytest.mark.parametrize(("local", "same"), [(CONFIG, True), (DIGEST, True), ("sha256:" + "e" * 64, False)])
def test_what_ecr_holds_is_recognised_without_a_push(local: str, same: bool) -> None:
    assert manifest(DOCKER_MANIFEST).is_image(LocalImage("x", local, 1)) is same


def test_two_images_never_become_one_name() -> None:
    with pytest.raises(Stop, match="would both become one:cpu"):
        push.plan(["a:cpu", "b:cpu"], "one", None)


def test_one_image_may_have_several_tags() -> None:
    planned = push.plan(["team/a:1"], None, ["1", "latest"])
    assert planned == [("team/a:1", "team/a", "1"), ("team/a:1", "team/a", "latest")]


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("mine", f"mine:latest@{CONFIG}"),
        ("team/model:7", f"team/model:7@{CONFIG}"),
        ("localhost:4566/team/model:7", f"team/model:7@{CONFIG}"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/model", f"model:latest@{CONFIG}"),
        ("0123456789ab", f"0123456789ab:latest@{CONFIG}"),
    ],
)
def test_a_local_image_is_named_by_its_id_and_by_no_registry(name: str, named: str) -> None:
    # With a registry's host in front, the id would be looked up there.
    assert by_id(LocalImage(name, CONFIG, 1)) == named
