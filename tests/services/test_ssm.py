"""Parameters of Systems Manager, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, Aws

ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"


@pytest.fixture
def ssm(aws: Aws) -> Any:
    return aws.client("ssm")


def put(ssm: Any, name: str, value: str = "v", kind: str = "String", **more: Any) -> int:
    version: int = ssm.put_parameter(Name=name, Value=value, Type=kind, **more)["Version"]
    return version


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_parameter_has_versions(ssm: Any) -> None:
    assert put(ssm, "/app/level", "info", Description="first") == 1
    assert error_of(ssm.put_parameter, Name="/app/level", Value="x")[0] == "ParameterAlreadyExists"
    assert ssm.put_parameter(Name="/app/level", Value="debug", Overwrite=True)["Version"] == 2
    found = ssm.get_parameter(Name="/app/level")["Parameter"]
    found.pop("LastModifiedDate")
    assert found == {
        "Name": "/app/level", "Type": "String", "Value": "debug", "Version": 2, "ARN": f"{ARN}/app/level",
        "DataType": "text",
    }  # fmt: skip
    history = ssm.get_parameter_history(Name="/app/level")["Parameters"]
    assert [(one["Version"], one["Value"], one["Description"]) for one in history] == [
        (1, "info", "first"), (2, "debug", "first"),
    ]  # fmt: skip


def test_versions_are_selected_by_number_and_label(ssm: Any) -> None:
    put(ssm, "level", "a")
    put(ssm, "level", "b", Overwrite=True)
    assert ssm.label_parameter_version(Name="level", ParameterVersion=1, Labels=["old", "aws-x"])["InvalidLabels"] == [
        "aws-x"
    ]
    for text, value in (
        ("level:1", "a"),
        ("level:old", "a"),
        ("level", "b"),
        (f"{ARN}/level", "b"),
        (f"{ARN}/level:1", "a"),
    ):
        found = ssm.get_parameter(Name=text)["Parameter"]
        assert (found["Value"], found.get("Selector", "")) == (value, text.partition("level")[2])
    ssm.label_parameter_version(Name="level", Labels=["old"])
    assert ssm.get_parameter(Name="level:old")["Parameter"]["Version"] == 2
    assert ssm.unlabel_parameter_version(Name="level", ParameterVersion=2, Labels=["old", "x"])["RemovedLabels"] == [
        "old"
    ]
    assert error_of(ssm.get_parameter, Name="level:old") == (
        "ParameterVersionNotFound",
        "Systems Manager could not find label old of level. Verify the label and try again.",
    )  # fmt: skip
    assert error_of(ssm.get_parameter, Name="level:9")[0] == "ParameterVersionNotFound"
    assert error_of(ssm.label_parameter_version, Name="level", ParameterVersion=9, Labels=["x"])[0] == (
        "ParameterVersionNotFound"
    )


def test_only_so_many_versions_are_kept(ssm: Any) -> None:
    for number in range(103):
        put(ssm, "level", str(number), Overwrite=True)
    pages = list(ssm.get_paginator("get_parameter_history").paginate(Name="level"))
    assert [one["Version"] for page in pages for one in page["Parameters"]] == list(range(4, 104))


def test_a_secure_string_is_encrypted_on_the_disk(aws: Aws, ssm: Any) -> None:
    put(ssm, "password", "hunter2", "SecureString", KeyId="alias/mine")
    sealed = ssm.get_parameter(Name="password")["Parameter"]
    assert (sealed["Type"], "hunter2" in sealed["Value"]) == ("SecureString", False)
    assert ssm.get_parameter(Name="password", WithDecryption=True)["Parameter"]["Value"] == "hunter2"
    assert ssm.describe_parameters()["Parameters"][0]["KeyId"] == "alias/mine"
    kept = b"".join(path.read_bytes() for path in aws.services.settings.data_dir.glob("state.sqlite*"))
    assert b"password" in kept
    assert b"hunter2" not in kept


def test_several_are_read_and_deleted(ssm: Any) -> None:
    put(ssm, "a", "1")
    put(ssm, "b", "2,3", "StringList")
    found = ssm.get_parameters(Names=["b", "a", "c", "a:7"])
    assert [one["Value"] for one in found["Parameters"]] == ["2,3", "1"]
    assert found["InvalidParameters"] == ["c", "a:7"]
    assert ssm.delete_parameters(Names=["a", "c"]) | {"ResponseMetadata": 0} == {
        "DeletedParameters": ["a"], "InvalidParameters": ["c"], "ResponseMetadata": 0,
    }  # fmt: skip
    ssm.delete_parameter(Name="b")
    assert (
        error_of(ssm.get_parameter, Name="b")[0] == error_of(ssm.delete_parameter, Name="b")[0] == "ParameterNotFound"
    )


def test_a_path_has_what_is_below_it(ssm: Any) -> None:
    for name in ("/app/a", "/app/b/c", "/application", "app"):
        put(ssm, name)

    def below(**params: Any) -> list[str]:
        pages = ssm.get_paginator("get_parameters_by_path").paginate(**params)
        return [one["Name"] for page in pages for one in page["Parameters"]]

    assert below(Path="/app") == below(Path="/app/") == ["/app/a"]
    assert below(Path="/app", Recursive=True) == ["/app/a", "/app/b/c"]
    assert below(Path="/", Recursive=True, PaginationConfig={"PageSize": 1}) == [
        "/app/a",
        "/app/b/c",
        "/application",
        "app",
    ]
    assert error_of(ssm.get_parameters_by_path, Path="app")[0] == "ValidationException"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"Key": "Name", "Values": ["/app/a"]}, ["/app/a"]),
        ({"Key": "Name", "Option": "BeginsWith", "Values": ["app"]}, ["/app/a", "/app/b/c", "app"]),
        ({"Key": "Name", "Option": "Contains", "Values": ["/b"]}, ["/app/b/c"]),
        ({"Key": "Type", "Values": ["StringList"]}, ["app"]),
        ({"Key": "Path", "Values": ["/app"]}, ["/app/a"]),
        ({"Key": "Path", "Option": "Recursive", "Values": ["/app"]}, ["/app/a", "/app/b/c"]),
        ({"Key": "tag:team", "Values": ["x"]}, ["app"]),
        ({"Key": "tag:team"}, ["app"]),
    ],
)
def test_parameters_are_filtered(ssm: Any, wanted: dict[str, Any], expected: list[str]) -> None:
    for name in ("/app/a", "/app/b/c"):
        put(ssm, name)
    put(ssm, "app", "a,b", "StringList", Tags=[{"Key": "team", "Value": "x"}])
    assert [one["Name"] for one in ssm.describe_parameters(ParameterFilters=[wanted])["Parameters"]] == expected


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"Key": "Label", "Values": ["x"]}, "InvalidFilterKey"),
        ({"Key": "Name", "Option": "Recursive", "Values": ["x"]}, "InvalidFilterOption"),
        ({"Key": "Name"}, "InvalidFilterValue"),
    ],
)
def test_a_filter_that_is_wrong_is_refused(ssm: Any, wanted: dict[str, Any], code: str) -> None:
    assert error_of(ssm.describe_parameters, ParameterFilters=[wanted])[0] == code


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Name": "a b"}, "ValidationException"),
        ({"Name": "aws/x"}, "ValidationException"),
        ({"Name": "a/b"}, "ValidationException"),
        ({"Name": "/a" * 16}, "HierarchyLevelLimitExceededException"),
        ({"Type": None}, "ValidationException"),
        ({"Overwrite": True, "Tags": [{"Key": "a", "Value": "b"}]}, "ValidationException"),
        ({"DataType": "aws:ec2:image"}, "NotImplemented"),
    ],
)
def test_a_parameter_that_is_wrong_is_refused(ssm: Any, params: dict[str, Any], code: str) -> None:
    given = {"Name": "a", "Value": "v", "Type": "String", **params}
    assert error_of(ssm.put_parameter, **{key: value for key, value in given.items() if value is not None})[0] == code


def test_a_value_has_the_length_of_its_tier(ssm: Any) -> None:
    code, message = error_of(ssm.put_parameter, Name="a", Value="x" * 4097, Type="String")
    assert (code, "a maximum parameter value of 4096 characters" in message) == ("ValidationException", True)
    assert ssm.put_parameter(Name="a", Value="x" * 4097, Type="String", Tier="Advanced")["Tier"] == "Advanced"


def test_tags(ssm: Any) -> None:
    put(ssm, "a", Tags=[{"Key": "team", "Value": "x"}])
    of = {"ResourceType": "Parameter", "ResourceId": "a"}
    ssm.add_tags_to_resource(**of, Tags=[{"Key": "cost", "Value": "y"}])
    ssm.remove_tags_from_resource(**of, TagKeys=["team"])
    assert ssm.list_tags_for_resource(**of)["TagList"] == [{"Key": "cost", "Value": "y"}]
    for wrong in ({**of, "ResourceId": "b"}, {**of, "ResourceType": "Document"}):
        assert error_of(ssm.list_tags_for_resource, **wrong)[0] == "InvalidResourceId"


def test_regions_are_apart(aws: Aws, ssm: Any) -> None:
    put(ssm, "a")
    elsewhere = aws.client("ssm", region="eu-west-1")
    assert error_of(elsewhere.get_parameter, Name="a")[0] == "ParameterNotFound"
    assert error_of(elsewhere.get_parameter, Name=f"{ARN}/a")[0] == "ParameterNotFound"


def test_a_name_with_and_without_its_slash_is_one_parameter(ssm: Any) -> None:
    put(ssm, "foo")
    assert error_of(ssm.put_parameter, Name="/foo", Value="w", Type="String")[0] == "ParameterAlreadyExists"
    assert put(ssm, "/foo", "w", Overwrite=True) == 2
    assert ssm.get_parameter(Name="foo")["Parameter"]["Value"] == "w"
