"""Instance profiles through boto3: what they hold, and what cannot be deleted before what."""

from typing import Any

import pytest

from tests.services.iam.test_roles import ARN, error_of, iam, make

__all__ = ["iam"]  # the fixture
GONE = "Instance Profile gone cannot be found."
HELD = ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")


def test_a_profile_holds_one_role(iam: Any) -> None:
    role = make(iam)
    made = iam.create_instance_profile(InstanceProfileName="Notebook", Path="/team/")["InstanceProfile"]
    assert (made["Arn"], made["Path"], made["Roles"]) == (f"{ARN}:instance-profile/team/Notebook", "/team/", [])
    assert made["InstanceProfileId"].startswith("AIPA")
    held = {"InstanceProfileName": "notebook", "RoleName": "trainer"}  # names are found in any case
    iam.add_role_to_instance_profile(**held)
    found = iam.get_instance_profile(InstanceProfileName="Notebook")["InstanceProfile"]
    assert (found["Roles"], found["CreateDate"]) == ([role], made["CreateDate"])
    assert error_of(iam.add_role_to_instance_profile, InstanceProfileName="Notebook", RoleName="Other") == (
        "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
    )  # fmt: skip
    assert error_of(iam.delete_role, RoleName="Trainer") == HELD
    assert error_of(iam.delete_instance_profile, InstanceProfileName="Notebook") == HELD
    assert error_of(iam.remove_role_from_instance_profile, InstanceProfileName="Notebook", RoleName="Other") == (
        "NoSuchEntity", "The role with name Other cannot be found.",
    )  # fmt: skip
    iam.remove_role_from_instance_profile(**held)
    iam.delete_role(RoleName="Trainer")
    iam.delete_instance_profile(InstanceProfileName="Notebook")
    assert iam.list_instance_profiles()["InstanceProfiles"] == []


def test_profiles_are_listed_by_path_and_role(iam: Any) -> None:
    make(iam)
    for name, path in (("b", "/"), ("a", "/team/"), ("c", "/team/")):
        iam.create_instance_profile(InstanceProfileName=name, Path=path)
    iam.add_role_to_instance_profile(InstanceProfileName="c", RoleName="Trainer")
    pages = iam.get_paginator("list_instance_profiles").paginate(PaginationConfig={"PageSize": 1})
    assert [one["InstanceProfileName"] for page in pages for one in page["InstanceProfiles"]] == ["a", "b", "c"]
    listed = iam.list_instance_profiles(PathPrefix="/team")["InstanceProfiles"]
    assert [one["InstanceProfileName"] for one in listed] == ["a", "c"]
    (held,) = iam.list_instance_profiles_for_role(RoleName="Trainer")["InstanceProfiles"]
    assert (held["InstanceProfileName"], held["Roles"][0]["RoleName"]) == ("c", "Trainer")


def test_tags(iam: Any) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    assert iam.create_instance_profile(InstanceProfileName="p", Tags=tags)["InstanceProfile"]["Tags"] == tags
    iam.tag_instance_profile(InstanceProfileName="p", Tags=[{"Key": "c", "Value": ""}])
    iam.untag_instance_profile(InstanceProfileName="p", TagKeys=["a"])
    assert iam.list_instance_profile_tags(InstanceProfileName="p")["Tags"] == [{"Key": "c", "Value": ""}]


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("get_instance_profile", {}),
        ("delete_instance_profile", {}),
        ("add_role_to_instance_profile", {"RoleName": "Trainer"}),
        ("remove_role_from_instance_profile", {"RoleName": "Trainer"}),
        ("list_instance_profile_tags", {}),
    ],
)
def test_a_missing_profile_is_named(iam: Any, operation: str, more: dict[str, str]) -> None:
    assert error_of(getattr(iam, operation), InstanceProfileName="gone", **more) == ("NoSuchEntity", GONE)


def test_a_name_is_taken_in_any_case(iam: Any) -> None:
    iam.create_instance_profile(InstanceProfileName="p")
    assert error_of(iam.create_instance_profile, InstanceProfileName="P") == (
        "EntityAlreadyExists", "Instance Profile P already exists.",
    )  # fmt: skip
