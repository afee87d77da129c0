"""Which documents ECR takes for a repository's policy."""

import copy
import json
from typing import Any

import pytest

from samebox.services.repository_policy import is_valid

POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "allow pull",
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::123456789012:root", "210987654321"]},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ],
}


def with_statement(**members: Any) -> dict[str, Any]:
    policy = copy.deepcopy(POLICY)
    statement = {**policy["Statement"][0], **members}
    policy["Statement"] = [{name: value for name, value in statement.items() if value is not None}]
    return policy


@pytest.mark.parametrize(
    "policy",
    [
        POLICY,
        {"Statement": POLICY["Statement"][0]},
        {"Version": "2008-10-17", "Id": "x", "Statement": POLICY["Statement"]},
        {"Version": "2012-10-17", "Statement": []},
        with_statement(Principal="*"),
        with_statement(Principal={"AWS": "*"}, Action="ecr:*"),
        with_statement(Principal=None, NotPrincipal={"AWS": "123456789012"}),
        with_statement(Action=None, NotAction="ecr:PutImage", Effect="Deny"),
        with_statement(Principal={"AWS": "arn:aws-cn:iam::123456789012:role/Execution"}),
        with_statement(
            Principal={"Service": "lambda.amazonaws.com"},
            Condition={"StringLike": {"aws:sourceArn": "arn:aws:lambda:us-east-1:123456789012:function:*"}},
        ),
    ],
)
def test_what_ecr_takes(policy: Any) -> None:
    assert is_valid(json.dumps(policy))


@pytest.mark.parametrize(
    "policy",
    [
        [],
        "x",
        {},
        {"Version": "2012-10-17"},
        {"Version": "2012-10-17", "Statement": ["x"]},
        {**POLICY, "Version": "2020-01-01"},
        {**POLICY, "Rules": []},
        with_statement(Effect="Maybe"),
        with_statement(Effect=None),
        with_statement(Action=None),
        with_statement(Action=[]),
        with_statement(Action="s3:GetObject"),
        with_statement(Action=[1]),
        with_statement(NotAction="ecr:PutImage"),
        with_statement(Principal=None),
        with_statement(Principal={}),
        with_statement(Principal={"AWS": "somebody"}),
        with_statement(Principal={"Robot": "x"}),
        with_statement(Resource="*"),
        with_statement(Condition="never"),
    ],
)
def test_what_ecr_refuses(policy: Any) -> None:
    assert not is_valid(json.dumps(policy))


@pytest.mark.parametrize("text", ["", "no JSON", "{", "[" * 10_000])
def test_what_is_no_json_is_no_policy(text: str) -> None:
    assert not is_valid(text)
