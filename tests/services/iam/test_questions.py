"""IAM through boto3: the questions that SageMaker's SDKs ask before they do anything."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, Aws

ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerRole"


def test_a_role_of_every_name_is_there_and_sagemaker_may_assume_it(aws: Aws) -> None:
    role = aws.client("iam").get_role(RoleName="SageMakerRole")["Role"]
    assert (role["RoleName"], role["Arn"], role["Path"]) == ("SageMakerRole", ROLE, "/")
    # boto3 decodes the document.
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    again, other = (aws.client("iam").get_role(RoleName=name)["Role"] for name in ("SageMakerRole", "Other"))
    assert again == role
    assert other["RoleId"] != role["RoleId"]


def test_a_role_in_china_is_in_china(aws: Aws) -> None:
    role = aws.client("iam", region="cn-north-1").get_role(RoleName="SageMakerRole")["Role"]
    assert role["Arn"] == f"arn:aws-cn:iam::{ACCOUNT}:role/SageMakerRole"


def simulate(aws: Aws, **params: Any) -> list[dict[str, Any]]:
    pages = aws.client("iam").get_paginator("simulate_principal_policy").paginate(PolicySourceArn=ROLE, **params)
    return [result for page in pages for result in page["EvaluationResults"]]


def test_every_action_is_allowed(aws: Aws) -> None:
    results = simulate(aws, ActionNames=["s3:PutObject", "iam:PassRole"])
    assert [(one["EvalActionName"], one["EvalResourceName"], one["EvalDecision"]) for one in results] == [
        ("s3:PutObject", "*", "allowed"),
        ("iam:PassRole", "*", "allowed"),
    ]


def test_actions_and_resources_come_in_pages(aws: Aws) -> None:
    actions, buckets = [f"s3:Action{number}" for number in range(30)], [f"arn:aws:s3:::b{n}/*" for n in range(5)]
    expected = [(action, bucket) for action in actions for bucket in buckets]
    for size in (7, 1000):
        results = simulate(aws, ActionNames=actions, ResourceArns=buckets, PaginationConfig={"PageSize": size})
        assert [(one["EvalActionName"], one["EvalResourceName"]) for one in results] == expected
    first = aws.client("iam").simulate_principal_policy(PolicySourceArn=ROLE, ActionNames=actions, ResourceArns=buckets)
    assert (len(first["EvaluationResults"]), first["IsTruncated"]) == (100, True)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"PolicySourceArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/R/session"}, "InvalidInput"),
        ({"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:root"}, "InvalidInput"),
        ({"PolicySourceArn": ROLE, "Marker": "x"}, "ValidationError"),
    ],
)
def test_what_is_no_question_is_refused(aws: Aws, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws.client("iam").simulate_principal_policy(ActionNames=["s3:PutObject"], **given)
    assert refused.value.response["Error"]["Code"] == code


def test_an_invalid_name_is_refused_with_the_message_of_the_query_protocol(aws: Aws) -> None:
    with pytest.raises(ClientError) as refused:
        aws.client("iam").get_role(RoleName="a/b")
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert error["Message"].startswith("1 validation error detected: Value 'a/b' at 'roleName' failed to satisfy")
