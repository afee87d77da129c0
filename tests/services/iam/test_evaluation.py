"""The evaluation of policies: denials, wildcards, what is excepted, and conditions."""

import json
from typing import Any

import pytest

from samebox.services.iam.evaluation import (
    MalformedPolicy,
    check_identity_policy,
    check_trust_policy,
    decide,
    parse,
)

OBJECT = "arn:aws:s3:::data/a/b.csv"


def decision(
    *statements: dict[str, Any], action: str = "s3:GetObject", resource: str = OBJECT, **context: list[str]
) -> str:
    given = {key.replace("_", ":", 1): values for key, values in context.items()}
    usual = {"Effect": "Allow"}
    documents = [json.dumps({"Statement": [{**usual, **one} for one in statements]})]
    return decide(documents, action, resource, given)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "s3:GetObject", "Resource": "*"}, "allowed"),
        ({"Action": "S3:getobject", "Resource": "*"}, "allowed"),
        ({"Action": ["s3:List*", "s3:Get*"], "Resource": [OBJECT]}, "allowed"),
        ({"Action": "s3:Get?bject", "Resource": "arn:aws:s3:::data/*"}, "allowed"),
        ({"Action": "*", "Resource": "arn:aws:s3:::data/a/?.csv"}, "allowed"),
        ({"Action": "s3:PutObject", "Resource": "*"}, "implicitDeny"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::DATA/*"}, "implicitDeny"),
        ({"NotAction": "s3:PutObject", "Resource": "*"}, "allowed"),
        ({"NotAction": "s3:Get*", "Resource": "*"}, "implicitDeny"),
        ({"Action": "s3:*", "NotResource": "arn:aws:s3:::other/*"}, "allowed"),
        ({"Action": "s3:*", "NotResource": "arn:aws:s3:::data/*"}, "implicitDeny"),
        ({"Action": "s3:*", "Resource": "arn:aws:s3:::data/[a]/b.csv"}, "implicitDeny"),
    ],
)
def test_actions_and_resources(statement: dict[str, Any], expected: str) -> None:
    assert decision(statement) == expected


def test_a_denial_counts_for_more() -> None:
    allow, deny = {"Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    assert decision(allow, deny) == decision(deny, allow) == "explicitDeny"
    assert decision(allow, deny, action="sqs:SendMessage") == "allowed"
    assert decide([], "s3:GetObject", OBJECT, {}) == "implicitDeny"


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"aws:user": "a"}}, {"aws_user": ["a"]}, True),
        ({"StringEquals": {"AWS:User": ["a", "b"]}}, {"aws_user": ["b"]}, True),
        ({"StringEquals": {"aws:user": "a"}}, {"aws_user": ["A"]}, False),
        ({"StringEquals": {"aws:user": "a"}}, {}, False),
        ({"StringEqualsIfExists": {"aws:user": "a"}}, {}, True),
        ({"StringEqualsIgnoreCase": {"aws:user": "a"}}, {"aws_user": ["A"]}, True),
        ({"StringNotEquals": {"aws:user": "a"}}, {"aws_user": ["b"]}, True),
        ({"StringNotEquals": {"aws:user": "a"}}, {}, True),
        ({"StringNotEquals": {"aws:user": ["a", "b"]}}, {"aws_user": ["b"]}, False),
        ({"StringLike": {"aws:user": "a*"}}, {"aws_user": ["abc"]}, True),
        ({"StringNotLike": {"aws:user": "a*"}}, {"aws_user": ["abc"]}, False),
        ({"ArnLike": {"aws:arn": "arn:aws:iam::*:role/a"}}, {"aws_arn": ["arn:aws:iam::1:role/a"]}, True),
        ({"Bool": {"aws:secure": "true"}}, {"aws_secure": ["true"]}, True),
        ({"Bool": {"aws:secure": True}}, {"aws_secure": ["false"]}, False),
        ({"NumericLessThanEquals": {"s3:keys": "10"}}, {"s3_keys": ["10"]}, True),
        ({"NumericGreaterThan": {"s3:keys": 10}}, {"s3_keys": ["10"]}, False),
        ({"NumericEquals": {"s3:keys": "x"}}, {"s3_keys": ["10"]}, False),
        ({"DateLessThan": {"aws:now": "2026-12-01T00:00:00Z"}}, {"aws_now": ["2026-11-30T00:00:00Z"]}, True),
        ({"DateGreaterThan": {"aws:now": "2026-12-01"}}, {"aws_now": ["1764000000"]}, False),
        ({"DateGreaterThan": {"aws:now": "soon"}}, {"aws_now": ["1764000000"]}, False),
        ({"IpAddress": {"aws:ip": "10.0.0.0/8"}}, {"aws_ip": ["10.1.2.3"]}, True),
        ({"NotIpAddress": {"aws:ip": "10.0.0.0/8"}}, {"aws_ip": ["10.1.2.3"]}, False),
        ({"Null": {"aws:user": "true"}}, {}, True),
        ({"Null": {"aws:user": "false"}}, {}, False),
        ({"ForAnyValue:StringEquals": {"aws:tags": "a"}}, {"aws_tags": ["a", "b"]}, True),
        ({"ForAllValues:StringEquals": {"aws:tags": "a"}}, {"aws_tags": ["a", "b"]}, False),
        ({"ForAllValues:StringEquals": {"aws:tags": "a"}}, {}, True),
        ({"Unknown": {"aws:user": "a"}}, {"aws_user": ["a"]}, False),
        ({"StringEquals": {"aws:user": "a"}, "Bool": {"aws:secure": "true"}}, {"aws_user": ["a"]}, False),
    ],
)
def test_conditions(condition: dict[str, Any], context: dict[str, list[str]], expected: bool) -> None:
    document = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}]})
    given = {key.replace("_", ":", 1): values for key, values in context.items()}
    found = decide([document], "s3:GetObject", OBJECT, given)
    assert (found == "allowed") is expected


def test_variables_are_filled_in() -> None:
    statement = {"Action": "*", "Resource": "arn:aws:s3:::data/${aws:username}/*"}
    assert decision(statement, aws_username=["a"]) == "allowed"
    assert decision(statement, aws_username=["b"]) == decision(statement) == "implicitDeny"
    assert decision({"Action": "*", "Resource": "arn:aws:s3:::data/${*}/*"}) == "implicitDeny"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Syntax errors in policy."),
        ("[]", "Syntax errors in policy."),
        ("{}", "Syntax errors in policy."),
        ('{"Statement": [{"Effect": "Maybe", "Action": "*"}]}', "Syntax errors in policy."),
        ('{"Statement": {"Effect": "Allow"}}', "Policy statement must contain actions."),
        ('{"Statement": {"Effect": "Allow", "Action": "*", "Condition": []}}', "Syntax errors in policy."),
    ],
)
def test_what_is_not_a_policy_is_refused(text: str, why: str) -> None:
    with pytest.raises(MalformedPolicy) as refused:
        parse(text)
    assert str(refused.value) == why


def test_policies_of_roles_name_resources_and_trust_names_principals() -> None:
    identity = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    trust = '{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}}'
    check_identity_policy(identity)
    check_trust_policy(trust)
    with pytest.raises(MalformedPolicy, match="resources"):
        check_identity_policy(trust)
    with pytest.raises(MalformedPolicy, match="principals"):
        check_trust_policy(identity)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert decision({"Action": "*", "Resource": "*a" * 30 + "b"}, resource="a" * 5000) == "implicitDeny"
