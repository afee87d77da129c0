"""Model cards: a change of the content is a version, an approval is none."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Aws

FIRST, SECOND = json.dumps({"model_overview": {}}), json.dumps({"model_overview": {"model_name": "digits"}})


@pytest.fixture
def card(aws: Aws) -> Aws:
    """The card `digits`: its first version was approved, its second is the newest."""
    aws.sagemaker.create_model_card(ModelCardName="digits", Content=FIRST, ModelCardStatus="Draft")
    aws.sagemaker.update_model_card(ModelCardName="digits", ModelCardStatus="Approved")
    aws.sagemaker.update_model_card(ModelCardName="digits", Content=SECOND)
    return aws


def test_a_change_of_the_content_is_a_version_and_an_approval_is_none(card: Aws) -> None:
    newest = card.sagemaker.describe_model_card(ModelCardName="digits")
    assert (newest["ModelCardVersion"], newest["Content"], newest["ModelCardStatus"]) == (2, SECOND, "Approved")
    first = card.sagemaker.describe_model_card(ModelCardName="digits", ModelCardVersion=1)
    assert (first["ModelCardVersion"], first["Content"], first["ModelCardStatus"]) == (1, FIRST, "Approved")
    with pytest.raises(card.sagemaker.exceptions.ResourceNotFound):
        card.sagemaker.describe_model_card(ModelCardName="digits", ModelCardVersion=3)


def test_versions_are_listed_in_pages_and_by_status(card: Aws) -> None:
    card.sagemaker.update_model_card(ModelCardName="digits", ModelCardStatus="Archived")
    pages = card.sagemaker.get_paginator("list_model_card_versions")

    def numbers(**asked: object) -> list[int]:
        found = pages.paginate(ModelCardName="digits", PaginationConfig={"PageSize": 1}, **asked)  # type: ignore[arg-type]
        return [one["ModelCardVersion"] for page in found for one in page["ModelCardVersionSummaryList"]]

    assert (numbers(), numbers(SortOrder="Ascending")) == ([2, 1], [1, 2])
    assert (numbers(ModelCardStatus="Approved"), numbers(ModelCardStatus="Draft")) == ([1], [])
    for token in ("nonsense", "WzFd"):
        with pytest.raises(ClientError, match="ValidationException"):
            card.sagemaker.list_model_card_versions(ModelCardName="digits", NextToken=token)


def test_content_and_status_are_not_changed_in_one_call(card: Aws) -> None:
    with pytest.raises(ClientError, match="You cannot update both"):
        card.sagemaker.update_model_card(ModelCardName="digits", Content=FIRST, ModelCardStatus="Draft")


def test_content_is_a_json_object(card: Aws) -> None:
    with pytest.raises(ClientError, match="must be a JSON object"):
        card.sagemaker.create_model_card(ModelCardName="other", Content="[]", ModelCardStatus="Draft")
    with pytest.raises(ClientError, match="must be a JSON object"):
        card.sagemaker.update_model_card(ModelCardName="digits", Content="{")


def test_a_card_goes_with_its_versions(card: Aws) -> None:
    card.sagemaker.delete_model_card(ModelCardName="digits")
    assert card.sagemaker.list_model_cards()["ModelCardSummaries"] == []
    card.sagemaker.create_model_card(ModelCardName="digits", Content=FIRST, ModelCardStatus="Draft")
    versions = card.sagemaker.list_model_card_versions(ModelCardName="digits")["ModelCardVersionSummaryList"]
    assert [one["ModelCardVersion"] for one in versions] == [1]
