"""Lineage: entities, and what one is to another."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Aws


@pytest.fixture
def entities(aws: Aws) -> dict[str, str]:
    """ARNs of a data set, a model, and the action between them."""
    sagemaker = aws.sagemaker

    def artifact(name: str, kind: str) -> str:
        source: Any = {"SourceUri": f"s3://samples/{name}"}
        return sagemaker.create_artifact(ArtifactName=name, Source=source, ArtifactType=kind)["ArtifactArn"]

    action = sagemaker.create_action(ActionName="fit", ActionType="Training", Source={"SourceUri": "s3://samples/fit"})
    return {"data": artifact("data", "DataSet"), "model": artifact("model", "Model"), "fit": action["ActionArn"]}


def add(aws: Aws, source: str, destination: str, kind: str) -> None:
    aws.sagemaker.add_association(SourceArn=source, DestinationArn=destination, AssociationType=kind)  # type: ignore[arg-type]


def test_associations_are_listed_with_names_and_types(aws: Aws, entities: dict[str, str]) -> None:
    add(aws, entities["data"], entities["fit"], "ContributedTo")
    add(aws, entities["fit"], entities["model"], "Produced")
    newest, oldest = aws.sagemaker.list_associations()["AssociationSummaries"]
    assert (newest["SourceName"], newest["SourceType"]) == ("fit", "Training")
    assert (newest["DestinationName"], newest["DestinationType"]) == ("model", "Model")
    assert (oldest["AssociationType"], oldest["SourceArn"]) == ("ContributedTo", entities["data"])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"SourceArn": "data"}, ["data"]),
        ({"DestinationArn": "model"}, ["fit"]),
        ({"SourceType": "DataSet"}, ["data"]),
        ({"DestinationType": "Model"}, ["fit"]),
        ({"AssociationType": "Produced"}, ["fit"]),
        ({"SortBy": "SourceArn", "SortOrder": "Ascending"}, ["fit", "data"]),
        ({"SortBy": "DestinationType", "SortOrder": "Ascending"}, ["fit", "data"]),
    ],
)
def test_a_list_is_filtered_and_sorted(
    aws: Aws, entities: dict[str, str], asked: dict[str, str], expected: list[str]
) -> None:
    add(aws, entities["data"], entities["fit"], "ContributedTo")
    add(aws, entities["fit"], entities["model"], "Produced")
    asked = {member: entities.get(value, value) for member, value in asked.items()}
    found = aws.sagemaker.list_associations(**asked)["AssociationSummaries"]  # type: ignore[arg-type]
    assert [one["SourceName"] for one in found] == expected


def test_pages_are_the_list_and_a_token_is_good_for_its_order_alone(aws: Aws, entities: dict[str, str]) -> None:
    for number, kind in enumerate(("ContributedTo", "AssociatedWith", "DerivedFrom", "Produced")):
        add(aws, entities["data"], entities["fit" if number % 2 else "model"], kind)
    pages = aws.sagemaker.get_paginator("list_associations").paginate(
        SortOrder="Ascending", PaginationConfig={"PageSize": 3}
    )
    types = [one["AssociationType"] for page in pages for one in page["AssociationSummaries"]]
    assert types == ["ContributedTo", "AssociatedWith", "DerivedFrom", "Produced"]
    token = aws.sagemaker.list_associations(MaxResults=1)["NextToken"]
    for asked in ({"SortBy": "SourceArn"}, {"SortOrder": "Ascending"}):
        with pytest.raises(ClientError, match="ValidationException"):
            aws.sagemaker.list_associations(NextToken=token, **asked)  # type: ignore[arg-type]
    for other in ("nonsense", "W10=", "WzEsWzIsMyw0XV0="):
        with pytest.raises(ClientError, match="ValidationException"):
            aws.sagemaker.list_associations(NextToken=other)


def test_what_is_associated_cannot_be_deleted(aws: Aws, entities: dict[str, str]) -> None:
    add(aws, entities["data"], entities["fit"], "ContributedTo")
    for delete in (
        lambda: aws.sagemaker.delete_artifact(ArtifactArn=entities["data"]),
        lambda: aws.sagemaker.delete_action(ActionName="fit"),
    ):
        with pytest.raises(ClientError, match="is linked to 1 or more entities"):
            delete()
    aws.sagemaker.delete_association(SourceArn=entities["data"], DestinationArn=entities["fit"])
    assert aws.sagemaker.delete_artifact(Source={"SourceUri": "s3://samples/data"})["ArtifactArn"] == entities["data"]


def test_associations_need_both_ends_and_are_made_once(aws: Aws, entities: dict[str, str]) -> None:
    absent = entities["fit"].replace("/fit", "/none")
    with pytest.raises(aws.sagemaker.exceptions.ResourceNotFound):
        add(aws, entities["data"], absent, "Produced")
    with pytest.raises(aws.sagemaker.exceptions.ResourceNotFound):
        aws.sagemaker.delete_association(SourceArn=entities["data"], DestinationArn=entities["fit"])
    add(aws, entities["data"], entities["fit"], "Produced")
    with pytest.raises(ClientError, match="already exists"):
        add(aws, entities["data"], entities["fit"], "Produced")


def test_two_entities_of_experiments_are_not_associated(aws: Aws) -> None:
    arn = aws.create("Experiment")
    with pytest.raises(ClientError, match="Experiment and Experiment cannot be associated"):
        add(aws, arn, arn, "Produced")


def test_an_artifact_gets_another_name_and_other_properties(aws: Aws, entities: dict[str, str]) -> None:
    change = {"ArtifactArn": entities["data"], "ArtifactName": "renamed", "Properties": {"a": "1", "b": "2"}}
    aws.sagemaker.update_artifact(**change)  # type: ignore[arg-type]
    aws.sagemaker.update_artifact(ArtifactArn=entities["data"], PropertiesToRemove=["a"])
    shown = aws.sagemaker.describe_artifact(ArtifactArn=entities["data"])
    assert (shown["ArtifactName"], shown["Properties"]) == ("renamed", {"b": "2"})
    listed = aws.sagemaker.list_artifacts(SortBy="CreationTime", SortOrder="Ascending")["ArtifactSummaries"]
    assert [one["ArtifactName"] for one in listed] == ["renamed", "model"]
