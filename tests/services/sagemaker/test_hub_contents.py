"""Contents of hubs: imported, described by version or as the newest, listed, changed and deleted."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Aws


@pytest.fixture
def hub(aws: Aws) -> Aws:
    """The hub `team`."""
    aws.sagemaker.create_hub(HubName="team", HubDescription="ours")
    return aws


def imported(aws: Aws, name: str, version: str = "", document: str = "{}", **more: Any) -> str:
    given: dict[str, Any] = {"HubContentVersion": version} if version else {}
    answer = aws.sagemaker.import_hub_content(
        HubName="team", HubContentName=name, HubContentType="Model", DocumentSchemaVersion="2.0.0",
        HubContentDocument=document, **given, **more,
    )  # fmt: skip
    return answer["HubContentArn"]


def test_the_newest_version_is_described_unless_one_is_named(hub: Aws) -> None:
    arn = imported(hub, "digits", "1.9.0")
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:hub-content/team/Model/digits/1.9.0"
    imported(hub, "digits", "1.10.0", '{"a": 1}')

    def described(**asked: Any) -> Any:
        return hub.sagemaker.describe_hub_content(
            HubName="team", HubContentName="digits", HubContentType="Model", **asked
        )

    assert (described()["HubContentVersion"], described()["HubContentDocument"]) == ("1.10.0", '{"a": 1}')
    assert described(HubContentVersion="1.9.0")["HubContentStatus"] == "Available"
    with pytest.raises(hub.sagemaker.exceptions.ResourceNotFound):
        described(HubContentVersion="2.0.0")


def test_a_version_is_imported_once_and_without_one_the_next_is_taken(hub: Aws) -> None:
    assert imported(hub, "digits").endswith("/1.0.0")
    assert imported(hub, "digits").endswith("/1.0.1")
    with pytest.raises(hub.sagemaker.exceptions.ResourceInUse):
        imported(hub, "digits", "1.0.0")
    with pytest.raises(ClientError, match="must be JSON"):
        imported(hub, "digits", "2.0.0", "{")


def test_contents_and_their_versions_are_listed_in_pages(hub: Aws) -> None:
    for name, version in (("b", "1.0.0"), ("a", "1.0.0"), ("a", "1.1.0")):
        imported(hub, name, version)

    def listed(method: str, **asked: Any) -> list[str]:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = getattr(hub.sagemaker, method)(
                HubName="team", HubContentType="Model", MaxResults=1, **asked, **token
            )
            found += [f"{one['HubContentName']} {one['HubContentVersion']}" for one in page["HubContentSummaries"]]
            if "NextToken" not in page:
                return found
            token = {"NextToken": page["NextToken"]}

    assert listed("list_hub_contents", SortBy="HubContentName") == ["a 1.1.0", "b 1.0.0"]
    assert listed("list_hub_contents", NameContains="b") == ["b 1.0.0"]
    assert listed("list_hub_content_versions", HubContentName="a") == ["a 1.0.0", "a 1.1.0"]
    assert listed("list_hub_content_versions", HubContentName="a", MinVersion="1.0.1") == ["a 1.1.0"]
    assert listed("list_hub_contents", MaxSchemaVersion="1.9.9") == []
    with pytest.raises(hub.sagemaker.exceptions.ResourceNotFound):
        listed("list_hub_content_versions", HubContentName="none")


def test_a_version_is_changed_and_deleted_and_a_hub_goes_after_its_contents(hub: Aws) -> None:
    imported(hub, "digits", "1.0.0", HubContentDescription="old")
    named: dict[str, Any] = {"HubName": "team", "HubContentName": "digits", "HubContentType": "Model"}
    hub.sagemaker.update_hub_content(**named, HubContentVersion="1.0.0", HubContentDescription="new")
    assert hub.sagemaker.describe_hub_content(**named)["HubContentDescription"] == "new"
    with pytest.raises(hub.sagemaker.exceptions.ResourceInUse):
        hub.sagemaker.delete_hub(HubName="team")
    hub.sagemaker.delete_hub_content(**named, HubContentVersion="1.0.0")
    hub.sagemaker.delete_hub(HubName="team")
    assert hub.sagemaker.list_hubs()["HubSummaries"] == []
