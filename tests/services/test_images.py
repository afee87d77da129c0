"""Image names: which lead where, with and without leave to use the engine's own images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from samebox.services import image_aliases, images
from samebox.services.context import Image
from samebox.services.images import EcrImages, in_our_registry
from tests.conftest import ACCOUNT, CALLER, DIGEST, DOCKER_MANIFEST, Aws

HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"{HOST}/never:1", images.Absent),
        (f"{HOST}/digits:never", images.Absent),
        (f"{HOST}/digits@sha256:{'0' * 64}", images.Absent),
        (f"{HOST}/digits:never@{DIGEST}", images.Absent),
        ("python:3.11", images.Foreign),
        ("ghcr.io/some/image", images.Foreign),
        ("localhost:1/digits", images.Foreign),
        (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/digits", images.OtherRegion),
        (f"{HOST}.cn/digits", images.OtherRegion),
        (f"{ACCOUNT}.dkr.ecr.us-east-1.example.com/digits", images.OtherRegion),
        ("", images.MalformedName),
        ("UPPER", images.MalformedName),
        (f"{HOST}/digits:", images.MalformedName),
        (f"{HOST}/digits@sha256:1234", images.MalformedName),
    ],
)
def test_names_that_lead_nowhere(aws: Aws, name: str, reason: type[Exception]) -> None:
    with pytest.raises(reason):
        aws.services.images.resolve(name, CALLER)


@pytest.mark.parametrize("name", ["digits", "digits:latest", f"digits@{DIGEST}", f"digits:latest@{DIGEST}"])
def test_names_that_lead_to_the_digest(aws: Aws, name: str) -> None:
    found = aws.services.images.resolve(f"{HOST}/{name}", CALLER)
    assert found.reference == f"localhost:{aws.services.settings.port}/digits@{DIGEST}"
    assert (found.digest, found.media_type) == (DIGEST, DOCKER_MANIFEST)


def test_an_image_of_another_account_is_refused_with_that_account(aws: Aws) -> None:
    stranger = replace(CALLER, account="210987654321")
    found = aws.services.images.resolve(f"{HOST}/digits", stranger)
    assert found.reference == f"localhost:{aws.services.settings.port}/{ACCOUNT}/us-east-1/digits@{DIGEST}"


def test_an_image_in_china_has_the_domain_of_china(aws: Aws) -> None:
    china = replace(CALLER, region="cn-north-1")
    host = f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com"
    with pytest.raises(images.Absent):
        aws.services.images.resolve(f"{host}.cn/digits", china)
    with pytest.raises(images.OtherRegion) as refused:
        aws.services.images.resolve(f"{host}/digits", china)
    assert (refused.value.suffix, refused.value.wanted_suffix) == ("amazonaws.com", "amazonaws.com.cn")


def test_a_dual_stack_name_is_a_name_of_ecr(aws: Aws) -> None:
    found = aws.services.images.resolve(f"{ACCOUNT}.dkr-ecr.us-east-1.on.aws/digits", CALLER)
    assert found.digest == DIGEST


def test_with_leave_the_engine_is_asked(aws: Aws) -> None:
    settings: Any = replace(aws.services.settings, allow_local_images=True)
    elsewhere = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/elsewhere@{DIGEST}"
    there = {f"{HOST}/pulled:1", elsewhere, f"{HOST}/digits:latest"}
    local = EcrImages(settings, aws.resources, aws.services.pushed, ImageHolder(ID, there))
    assert local.resolve("samebox/train:cpu", CALLER) == Image("samebox/train:cpu")
    # Names of AWS's ECR are those of images that were pulled from it.
    assert local.resolve(f"{HOST}/pulled:1", CALLER) == Image(f"{HOST}/pulled:1")
    assert local.resolve(elsewhere, CALLER) == Image(elsewhere)
    # What was pushed here comes first.
    assert local.resolve(f"{HOST}/digits:latest", CALLER).digest == DIGEST
    with pytest.raises(images.Absent):
        local.resolve(f"{HOST}/never", CALLER)
    with pytest.raises(images.OtherRegion):
        local.resolve(f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/never", CALLER)


def test_without_leave_an_image_that_was_pulled_from_aws_is_not_taken(aws: Aws) -> None:
    holder = ImageHolder(ID, {f"{HOST}/pulled:1"})
    ecr = EcrImages(aws.services.settings, aws.resources, aws.services.pushed, holder)
    with pytest.raises(images.Absent):
        ecr.resolve(f"{HOST}/pulled:1", CALLER)


def test_an_image_of_aws_is_the_local_one_that_stands_in_for_it(aws: Aws) -> None:
    uri = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    holder = ImageHolder(ID, {"samebox/sklearn:cpu"})
    ecr = EcrImages(aws.services.settings, aws.resources, aws.services.pushed, holder, image_aliases.read)

    found = ecr.resolve(uri, CALLER)

    assert (found.reference, holder.asked) == (ID, [ID])
    assert found.stand_in is not None
    assert (found.stand_in.given, found.stand_in.image) == (uri, "samebox/sklearn:cpu")


def test_a_stand_in_that_is_not_built_is_named_with_the_command_that_builds_it(aws: Aws) -> None:
    uri = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    holder = ImageHolder(ID)
    ecr = EcrImages(aws.services.settings, aws.resources, aws.services.pushed, holder, image_aliases.read)

    found = ecr.resolve(uri, CALLER)

    assert found.reference == "samebox/xgboost:cpu"
    assert found.stand_in is not None
    assert found.stand_in.build == "docker buildx bake xgboost"


def test_what_was_pushed_under_the_name_of_an_image_of_aws_comes_before_its_stand_in(aws: Aws, tmp_path: Path) -> None:
    table = tmp_path / "own.toml"
    table.write_text(f'[[images]]\nuris = ["{HOST}/*"]\nimage = "mine:1"\n')
    ecr = EcrImages(
        aws.services.settings,
        aws.resources,
        aws.services.pushed,
        ImageHolder(ID),
        lambda: image_aliases.read(str(table)),
    )
    assert ecr.resolve(f"{HOST}/digits", CALLER).digest == DIGEST
    assert ecr.resolve(f"{HOST}/other", CALLER).reference == "mine:1"


class ImageHolder:
    """An engine that holds one image by its id, and others by their names."""

    def __init__(self, image_id: str, names: frozenset[str] | set[str] = frozenset()) -> None:
        self.image_id = image_id
        self.names = names  # of that image
        self.asked: list[str] = []

    def keep(self, image_id: str) -> bool:
        self.asked.append(image_id)
        return image_id == self.image_id

    def find(self, name: str) -> str | None:
        return self.image_id if name in self.names else None


ID = f"sha256:{'e' * 64}"


@pytest.mark.parametrize("name", [f"mine@{ID}", f"team/mine:7@{ID}", f"ghcr.io/some/image:1@{ID}"])
def test_a_name_with_the_id_of_an_image_of_the_engine_needs_no_push(aws: Aws, name: str) -> None:
    own = EcrImages(aws.services.settings, aws.resources, aws.services.pushed, ImageHolder(ID))
    assert own.resolve(name, CALLER) == Image(ID)


def test_an_id_that_the_engine_does_not_hold_is_a_foreign_image(aws: Aws) -> None:
    own = EcrImages(aws.services.settings, aws.resources, aws.services.pushed, ImageHolder(ID))
    with pytest.raises(images.Foreign):
        own.resolve(f"mine@sha256:{'0' * 64}", CALLER)


def test_the_engine_is_asked_for_nothing_that_ecr_has_to_have(aws: Aws) -> None:
    engine = ImageHolder(DIGEST)
    own = EcrImages(aws.services.settings, aws.resources, aws.services.pushed, engine)
    assert own.resolve(f"{HOST}/digits@{DIGEST}", CALLER).digest == DIGEST
    with pytest.raises(images.Absent):
        own.resolve(f"{HOST}/never@{DIGEST}", CALLER)
    with pytest.raises(images.Foreign):
        own.resolve("python:3.11", CALLER)
    assert engine.asked == []


def test_a_name_in_our_registry_is_never_looked_up_elsewhere(aws: Aws) -> None:
    port = aws.services.settings.port
    assert in_our_registry(f"{HOST}/team/app:v1", aws.services.settings) == f"localhost:{port}/team/app:v1"
    assert in_our_registry(f"{HOST}/app@{DIGEST}", aws.services.settings) == f"localhost:{port}/app@{DIGEST}"
