"""Versions of Studio's images, by number and by alias."""

import pytest
from botocore.exceptions import ClientError

from tests import samples
from tests.conftest import Aws


@pytest.fixture
def image(aws: Aws) -> Aws:
    """The image `digits` with two versions; the second has the aliases `new` and `best`."""
    aws.sagemaker.create_image(ImageName="digits", RoleArn=samples.ROLE)
    for aliases in ([], ["new", "best"]):
        aws.sagemaker.create_image_version(
            ImageName="digits", BaseImage=samples.IMAGE, ClientToken="token", Aliases=aliases
        )
    return aws


def test_a_version_is_found_by_number_by_alias_and_as_the_newest(image: Aws) -> None:
    def version(**asked: object) -> int:
        return image.sagemaker.describe_image_version(ImageName="digits", **asked)["Version"]  # type: ignore[arg-type]

    assert (version(Version=1), version(Alias="best"), version()) == (1, 2, 2)
    with pytest.raises(image.sagemaker.exceptions.ResourceNotFound):
        version(Alias="none")
    shown = image.sagemaker.describe_image_version(ImageName="digits")
    assert (shown["ImageVersionStatus"], shown["ContainerImage"]) == ("CREATED", samples.IMAGE)
    assert shown["ImageArn"] == image.sagemaker.describe_image(ImageName="digits")["ImageArn"]


def test_aliases_are_listed_and_belong_to_one_version(image: Aws) -> None:
    aliases = image.sagemaker.get_paginator("list_aliases")

    def listed(**asked: object) -> list[str]:
        pages = aliases.paginate(ImageName="digits", PaginationConfig={"PageSize": 1}, **asked)  # type: ignore[arg-type]
        return [alias for page in pages for alias in page["SageMakerImageVersionAliases"]]

    assert listed() == ["best", "new"]
    assert listed(Version=1) == []
    image.sagemaker.update_image_version(ImageName="digits", Alias="new", AliasesToDelete=["new"], ReleaseNotes="x")
    image.sagemaker.update_image_version(ImageName="digits", Version=1, AliasesToAdd=["new"])
    assert (listed(Version=1), listed(Version=2), listed(Alias="new")) == (["new"], ["best"], ["new"])
    assert image.sagemaker.describe_image_version(ImageName="digits", Version=2)["ReleaseNotes"] == "x"
    with pytest.raises(image.sagemaker.exceptions.ResourceInUse):
        image.sagemaker.update_image_version(ImageName="digits", Version=1, AliasesToAdd=["best"])
    with pytest.raises(ClientError, match="ValidationException"):
        image.sagemaker.list_aliases(ImageName="digits", NextToken="ListImages:best")


def test_an_image_goes_with_its_versions(image: Aws) -> None:
    image.sagemaker.delete_image_version(ImageName="digits", Alias="best")
    assert image.sagemaker.describe_image_version(ImageName="digits")["Version"] == 1
    image.sagemaker.delete_image(ImageName="digits")
    for operation in ("describe_image_version", "list_image_versions"):
        with pytest.raises(ClientError, match="ResourceNotFound"):
            getattr(image.sagemaker, operation)(ImageName="digits")


def test_properties_of_an_image_are_deleted_by_name(aws: Aws) -> None:
    aws.sagemaker.create_image(ImageName="digits", RoleArn=samples.ROLE, DisplayName="Digits", Description="all")
    aws.sagemaker.update_image(ImageName="digits", DeleteProperties=["Description"])
    shown = aws.sagemaker.describe_image(ImageName="digits")
    assert {"Description", "DisplayName"} & set(shown) == {"DisplayName"}
