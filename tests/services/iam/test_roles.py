"""Roles and policies through boto3, and what they decide where policies are evaluated."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from samebox.settings import Settings
from samebox.wire.models import Models
from tests import samples
from tests.conftest import ACCOUNT, Aws, running_aws
from tests.ports import free_port

ARN = f"arn:aws:iam::{ACCOUNT}"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST_DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
MANAGED = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


def policy(action: str, resource: str = "*", effect: str = "Allow") -> str:
    return json.dumps({"Statement": [{"Effect": effect, "Action": action, "Resource": resource}]})


@pytest.fixture
def iam(aws: Aws) -> Any:
    return aws.client("iam")


def make(iam: Any, name: str = "Trainer", **params: Any) -> Any:
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_DOCUMENT, **params)["Role"]


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_role_is_made_shown_and_changed(iam: Any) -> None:
    made = make(iam, Path="/team/", Description="d", MaxSessionDuration=7200, Tags=[{"Key": "a", "Value": "b"}])
    assert (made["Arn"], made["RoleName"], made["MaxSessionDuration"]) == (f"{ARN}:role/team/Trainer", "Trainer", 7200)
    assert made["AssumeRolePolicyDocument"]["Statement"] == [TRUST]
    assert iam.get_role(RoleName="trainer")["Role"] == made
    assert error_of(iam.create_role, RoleName="TRAINER", AssumeRolePolicyDocument=TRUST_DOCUMENT) == (
        "EntityAlreadyExists", "Role with name TRAINER already exists.",
    )  # fmt: skip
    iam.update_role(RoleName="Trainer", Description="e", MaxSessionDuration=3600)
    iam.update_assume_role_policy(RoleName="Trainer", PolicyDocument=TRUST_DOCUMENT.replace("sagemaker", "lambda"))
    changed = iam.get_role(RoleName="Trainer")["Role"]
    assert (changed["Description"], changed["MaxSessionDuration"]) == ("e", 3600)
    assert changed["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_roles_are_listed_tagged_and_deleted(iam: Any) -> None:
    for name, path in (("b", "/"), ("a", "/team/")):
        make(iam, name, Path=path)
    pages = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1})
    assert [one["RoleName"] for page in pages for one in page["Roles"]] == ["a", "b"]
    assert [one["RoleName"] for one in iam.list_roles(PathPrefix="/team")["Roles"]] == ["a"]
    assert error_of(iam.list_roles, Marker="x")[0] == "ValidationError"
    iam.tag_role(RoleName="a", Tags=[{"Key": "x", "Value": "y"}, {"Key": "z", "Value": ""}])
    iam.untag_role(RoleName="a", TagKeys=["z"])
    assert iam.list_role_tags(RoleName="a")["Tags"] == [{"Key": "x", "Value": "y"}]
    iam.delete_role(RoleName="a")
    assert error_of(iam.delete_role, RoleName="a") == ("NoSuchEntity", "The role with name a cannot be found.")


def test_policies_of_a_role(iam: Any) -> None:
    make(iam)
    of = {"RoleName": "Trainer"}
    iam.put_role_policy(**of, PolicyName="own", PolicyDocument=policy("s3:*"))
    iam.attach_role_policy(**of, PolicyArn=MANAGED)
    assert iam.list_role_policies(**of)["PolicyNames"] == ["own"]
    assert iam.get_role_policy(**of, PolicyName="own")["PolicyDocument"] == json.loads(policy("s3:*"))
    assert iam.list_attached_role_policies(**of)["AttachedPolicies"] == [
        {"PolicyName": "AmazonS3FullAccess", "PolicyArn": MANAGED}
    ]
    assert error_of(iam.delete_role, **of)[1] == "Cannot delete entity, must detach all policies first."
    iam.detach_role_policy(**of, PolicyArn=MANAGED)
    assert error_of(iam.delete_role, **of)[1] == "Cannot delete entity, must delete policies first."
    iam.delete_role_policy(**of, PolicyName="own")
    for call, params in (
        (iam.detach_role_policy, {"PolicyArn": MANAGED}),
        (iam.get_role_policy, {"PolicyName": "own"}),
        (iam.delete_role_policy, {"PolicyName": "own"}),
        (iam.attach_role_policy, {"PolicyArn": f"{ARN}:policy/none"}),
    ):
        assert error_of(call, **of, **params)[0] == "NoSuchEntity"
    iam.delete_role(**of)


def test_a_policy_of_the_account(iam: Any) -> None:
    made = iam.create_policy(PolicyName="Read", PolicyDocument=policy("s3:Get*"), Description="d", Path="/team/")[
        "Policy"
    ]
    assert (made["Arn"], made["AttachmentCount"], made["Description"]) == (f"{ARN}:policy/team/Read", 0, "d")
    make(iam)
    iam.attach_role_policy(RoleName="Trainer", PolicyArn=made["Arn"])
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"]["AttachmentCount"] == 1
    version = iam.get_policy_version(PolicyArn=made["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == json.loads(policy("s3:Get*"))
    assert [one["PolicyName"] for one in iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]] == ["Read"]
    assert iam.list_policies(Scope="AWS")["Policies"] == []
    assert error_of(iam.delete_policy, PolicyArn=made["Arn"])[0] == "DeleteConflict"
    iam.detach_role_policy(RoleName="Trainer", PolicyArn=made["Arn"])
    iam.delete_policy(PolicyArn=made["Arn"])
    assert error_of(iam.get_policy, PolicyArn=made["Arn"])[0] == "NoSuchEntity"
    assert iam.get_policy(PolicyArn=MANAGED)["Policy"]["PolicyName"] == "AmazonS3FullAccess"
    assert error_of(iam.get_policy_version, PolicyArn=MANAGED, VersionId="v2")[0] == "NoSuchEntity"
    twice = {"PolicyName": "Read", "PolicyDocument": policy("s3:*")}
    iam.create_policy(**twice)
    assert error_of(iam.create_policy, **twice)[0] == "EntityAlreadyExists"


def test_a_document_that_is_not_a_policy_is_refused(iam: Any) -> None:
    make(iam)
    malformed = ("MalformedPolicyDocument", "Syntax errors in policy.")
    assert error_of(iam.put_role_policy, RoleName="Trainer", PolicyName="p", PolicyDocument="{}") == malformed
    assert error_of(iam.create_policy, PolicyName="p", PolicyDocument="[") == malformed
    assert error_of(iam.create_role, RoleName="r", AssumeRolePolicyDocument=policy("*"))[0] == "MalformedPolicyDocument"


def test_regions_share_roles(aws: Aws, iam: Any) -> None:
    made = make(iam)
    assert aws.client("iam", region="eu-west-1").get_role(RoleName="Trainer")["Role"] == made


@pytest.fixture
def strict(tmp_path: Path, models: Models, boto: boto3.session.Session) -> Iterator[Aws]:
    settings = Settings(data_dir=tmp_path / "strict", port=free_port(), evaluate_policies=True)
    with running_aws(settings, models, boto) as one:
        yield one


def test_a_simulation_is_answered_by_the_policies(strict: Aws) -> None:
    iam = strict.client("iam")
    role = make(iam)["Arn"]
    iam.attach_role_policy(RoleName="Trainer", PolicyArn=MANAGED)
    iam.put_role_policy(RoleName="Trainer", PolicyName="deny", PolicyDocument=policy("s3:Delete*", effect="Deny"))

    def decisions(**params: Any) -> list[str]:
        asked = {
            "PolicySourceArn": role,
            "ActionNames": ["s3:GetObject", "s3:DeleteObject", "sqs:SendMessage"],
            **params,
        }
        return [one["EvalDecision"] for one in iam.simulate_principal_policy(**asked)["EvaluationResults"]]

    assert decisions() == ["allowed", "explicitDeny", "implicitDeny"]
    assert decisions(PolicyInputList=[policy("sqs:*")]) == ["allowed", "explicitDeny", "allowed"]
    entry = {"ContextKeyName": "aws:user", "ContextKeyValues": ["a"], "ContextKeyType": "string"}
    conditional = json.loads(policy("sqs:*"))
    conditional["Statement"][0]["Condition"] = {"StringEquals": {"aws:user": "a"}}
    given = {"PolicyInputList": [json.dumps(conditional)]}
    assert (decisions(**given)[2], decisions(**given, ContextEntries=[entry])[2]) == ("implicitDeny", "allowed")
    assert error_of(iam.simulate_principal_policy, PolicySourceArn=f"{ARN}:role/none", ActionNames=["s3:Get"])[0] == (
        "NoSuchEntity"
    )
    assert error_of(iam.get_role, RoleName="none")[0] == "NoSuchEntity"


def test_a_session_passes_only_roles_that_it_may_pass(strict: Aws) -> None:
    iam = strict.client("iam")
    role = make(iam)["Arn"]
    given = strict.sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    session = strict.client("sagemaker", account=key, secret=secret, session=token)
    refused = (
        "AccessDeniedException",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/Trainer/me is not authorized to perform: iam:PassRole on resource: "
        f"{samples.ROLE} because no identity-based policy allows the iam:PassRole action",
    )
    assert error_of(session.create_training_job, **samples.TRAINING_JOB) == refused
    iam.put_role_policy(RoleName="Trainer", PolicyName="p", PolicyDocument=policy("iam:PassRole", samples.ROLE, "Deny"))
    assert "with an explicit deny" in error_of(session.create_training_job, **samples.TRAINING_JOB)[1]
    iam.put_role_policy(RoleName="Trainer", PolicyName="p", PolicyDocument=policy("iam:PassRole", samples.ROLE))
    session.create_training_job(**samples.TRAINING_JOB)
    # A key of the account itself may pass any.
    strict.sagemaker.create_training_job(**{**samples.TRAINING_JOB, "TrainingJobName": "other"})
