"""docker-bake.hcl, as bake itself reads it: every row has its pair, and no target makes what SageMaker refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Bake

pytestmark = pytest.mark.docker

# All that is built: groups, and targets that are in none.
ALL = ("default", "gpu", "cu118", "registry", "localstack", "sklearn", "xgboost", "spark", "validate")
ATTESTATIONS_OFF = ["type=provenance,disabled=true", "type=sbom,disabled=true"]


@pytest.mark.parametrize(("group", "accelerator"), [("default", "cpu"), ("gpu", "cu116"), ("cu118", "cu118")])
def test_every_accelerator_has_a_train_and_a_serve_image(bake: Bake, group: str, accelerator: str) -> None:
    printed = bake("--print", group)

    assert printed["group"][group]["targets"] == [f"train-{accelerator}", f"serve-{accelerator}"]
    for name in ("train", "serve"):
        target = printed["target"][f"{name}-{accelerator}"]
        assert target["tags"] == [f"samebox/{name}:{accelerator}"]
        assert target["output"] == ["type=image,oci-mediatypes=false"]


def test_no_target_makes_attestations(bake: Bake) -> None:
    targets = bake("--print", *ALL)["target"]

    assert {name: target["attest"] for name, target in targets.items()} == dict.fromkeys(targets, ATTESTATIONS_OFF)


def test_registry_names_where_images_are_pushed(bake: Bake) -> None:
    address = "000000000000.dkr.ecr.us-east-1.amazonaws.com"

    targets = bake("--print", REGISTRY=address, TAG="1.2.0")["target"]

    assert targets["train-cpu"]["tags"] == [f"{address}/samebox/train:cpu-1.2.0"]
    assert targets["serve-cpu"]["tags"] == [f"{address}/samebox/serve:cpu-1.2.0"]


def test_checks_leave_no_image_behind(bake: Bake) -> None:
    targets = bake("--print", "validate")["target"]

    for name in ("lint", "check-train-cpu", "check-serve-cpu"):
        assert targets[name]["output"] == ["type=cacheonly"]
