"""Secrets Manager, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, Aws

DAY = 86_400


@pytest.fixture
def secretsmanager(aws: Aws) -> Any:
    return aws.client("secretsmanager")


def value(secretsmanager: Any, name: str = "db", **params: Any) -> Any:
    return secretsmanager.get_secret_value(SecretId=name, **params)["SecretString"]


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_secret_has_a_value_and_versions(aws: Aws, secretsmanager: Any) -> None:
    made = secretsmanager.create_secret(Name="db", SecretString="first", KmsKeyId="alias/mine")
    assert made["ARN"].startswith(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-")
    for name in ("db", made["ARN"], made["ARN"][:-7]):
        assert value(secretsmanager, name) == "first"
    put = secretsmanager.put_secret_value(SecretId="db", SecretString="hunter2")
    assert put["VersionStages"] == ["AWSCURRENT"]
    assert value(secretsmanager) == "hunter2"
    assert (
        value(secretsmanager, VersionStage="AWSPREVIOUS")
        == value(secretsmanager, VersionId=made["VersionId"])
        == "first"
    )
    described = secretsmanager.describe_secret(SecretId="db")
    assert described["VersionIdsToStages"] == {made["VersionId"]: ["AWSPREVIOUS"], put["VersionId"]: ["AWSCURRENT"]}
    assert described["KmsKeyId"] == "alias/mine"
    kept = b"".join(path.read_bytes() for path in aws.services.settings.data_dir.glob("state.sqlite*"))
    assert b"AWSCURRENT" in kept
    assert b"hunter2" not in kept


def test_bytes_are_a_value(secretsmanager: Any) -> None:
    secretsmanager.create_secret(Name="key", SecretBinary=b"\x00\xff")
    found = secretsmanager.get_secret_value(SecretId="key")
    assert (found["SecretBinary"], "SecretString" in found) == (b"\x00\xff", False)
    both = {"SecretId": "key", "SecretBinary": b"a", "SecretString": "a"}
    assert error_of(secretsmanager.put_secret_value, **both)[0] == "InvalidParameterException"
    assert error_of(secretsmanager.put_secret_value, SecretId="key")[0] == "InvalidRequestException"


def test_a_request_that_is_repeated_makes_one_version(secretsmanager: Any) -> None:
    first, second = "1" * 32, "2" * 32
    for _ in range(2):
        assert secretsmanager.create_secret(Name="db", SecretString="v", ClientRequestToken=first)["VersionId"] == first
        secretsmanager.put_secret_value(SecretId="db", SecretString="w", ClientRequestToken=second)
    assert len(secretsmanager.describe_secret(SecretId="db")["VersionIdsToStages"]) == 2
    other = {"SecretString": "x", "ClientRequestToken": second}
    assert error_of(secretsmanager.put_secret_value, SecretId="db", **other)[0] == "ResourceExistsException"
    assert error_of(secretsmanager.create_secret, Name="db", **other) == (
        "ResourceExistsException", "The operation failed because the secret db already exists.",
    )  # fmt: skip


def test_a_rotation_moves_the_stages(secretsmanager: Any) -> None:
    old = secretsmanager.create_secret(Name="db", SecretString="old")["VersionId"]
    new = secretsmanager.put_secret_value(SecretId="db", SecretString="new", VersionStages=["AWSPENDING"])["VersionId"]
    assert (value(secretsmanager), value(secretsmanager, VersionStage="AWSPENDING")) == ("old", "new")
    move = {"SecretId": "db", "VersionStage": "AWSCURRENT", "MoveToVersionId": new}
    assert error_of(secretsmanager.update_secret_version_stage, **move)[0] == "InvalidParameterException"
    secretsmanager.update_secret_version_stage(**move, RemoveFromVersionId=old)
    assert (value(secretsmanager), value(secretsmanager, VersionStage="AWSPREVIOUS")) == ("new", "old")
    gone = {"SecretId": "db", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": new}
    assert error_of(secretsmanager.update_secret_version_stage, **gone)[0] == "InvalidParameterException"
    secretsmanager.update_secret_version_stage(SecretId="db", VersionStage="AWSPENDING", RemoveFromVersionId=new)
    assert error_of(secretsmanager.get_secret_value, SecretId="db", VersionStage="AWSPENDING") == (
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
    )
    wrong = {"SecretId": "db", "VersionId": old, "VersionStage": "AWSCURRENT"}
    assert error_of(secretsmanager.get_secret_value, **wrong)[0] == "InvalidRequestException"


def test_versions_without_a_stage_are_deprecated(secretsmanager: Any) -> None:
    secretsmanager.create_secret(Name="db", SecretString="0")
    for number in range(3):
        secretsmanager.put_secret_value(SecretId="db", SecretString=str(number))
    assert len(secretsmanager.list_secret_version_ids(SecretId="db")["Versions"]) == 2
    assert len(secretsmanager.list_secret_version_ids(SecretId="db", IncludeDeprecated=True)["Versions"]) == 4


def test_a_secret_is_deleted_after_a_while_and_restored_before(aws: Aws, secretsmanager: Any) -> None:
    secretsmanager.create_secret(Name="db", SecretString="v")
    secretsmanager.delete_secret(SecretId="db", RecoveryWindowInDays=7)
    marked = (
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
    assert error_of(secretsmanager.get_secret_value, SecretId="db") == marked
    assert error_of(secretsmanager.create_secret, Name="db")[0] == "InvalidRequestException"
    assert secretsmanager.list_secrets()["SecretList"] == []
    assert "DeletedDate" in secretsmanager.list_secrets(IncludePlannedDeletion=True)["SecretList"][0]
    secretsmanager.restore_secret(SecretId="db")
    assert value(secretsmanager) == "v"
    secretsmanager.delete_secret(SecretId="db")
    aws.clock.now += 31 * DAY
    assert error_of(secretsmanager.describe_secret, SecretId="db")[0] == "ResourceNotFoundException"
    assert secretsmanager.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
    secretsmanager.create_secret(Name="db", SecretString="again")
    assert value(secretsmanager) == "again"


def test_a_secret_is_deleted_at_once(secretsmanager: Any) -> None:
    secretsmanager.create_secret(Name="db", SecretString="v")
    secretsmanager.delete_secret(SecretId="db", ForceDeleteWithoutRecovery=True)
    assert error_of(secretsmanager.get_secret_value, SecretId="db") == (
        "ResourceNotFoundException", "Secrets Manager can't find the specified secret.",
    )  # fmt: skip
    both = {"SecretId": "db", "ForceDeleteWithoutRecovery": True, "RecoveryWindowInDays": 7}
    assert error_of(secretsmanager.delete_secret, **both)[0] == "InvalidParameterException"
    assert (
        error_of(secretsmanager.delete_secret, SecretId="db", RecoveryWindowInDays=6)[0] == "InvalidParameterException"
    )


def test_secrets_are_listed_by_what_they_are(secretsmanager: Any) -> None:
    secretsmanager.create_secret(Name="b/one", Description="first", Tags=[{"Key": "team", "Value": "x"}])
    secretsmanager.create_secret(Name="a/two")
    secretsmanager.update_secret(SecretId="a/two", Description="second", KmsKeyId="k")

    def listed(*filters: tuple[str, str], **params: Any) -> list[str]:
        given = [{"Key": key, "Values": [text]} for key, text in filters]
        pages = secretsmanager.get_paginator("list_secrets").paginate(Filters=given, **params)
        return [one["Name"] for page in pages for one in page["SecretList"]]

    assert listed() == ["a/two", "b/one"]
    assert listed(SortOrder="asc", PaginationConfig={"PageSize": 1}) == ["b/one", "a/two"]
    assert listed(SortBy="name", SortOrder="asc") == ["a/two", "b/one"]
    assert listed(("name", "b")) == listed(("tag-key", "team")) == listed(("description", "FIRST")) == ["b/one"]
    assert listed(("tag-value", "y")) == listed(("name", "b"), ("description", "second")) == []
    assert listed(("name", "!b")) == ["a/two"]


def test_tags(secretsmanager: Any) -> None:
    secretsmanager.create_secret(Name="db", Tags=[{"Key": "team", "Value": "x"}])
    secretsmanager.tag_resource(SecretId="db", Tags=[{"Key": "cost", "Value": "y"}])
    secretsmanager.untag_resource(SecretId="db", TagKeys=["team"])
    assert secretsmanager.describe_secret(SecretId="db")["Tags"] == [{"Key": "cost", "Value": "y"}]
    assert error_of(secretsmanager.tag_resource, SecretId="db", Tags=[{"Value": "y"}])[0] == "InvalidParameterException"
