"""STS through boto3: temporary credentials are the account's, and verify where a token is asked for."""

import pytest
from botocore.exceptions import ClientError

from emulator.resources.store import Query
from tests import samples
from tests.conftest import ACCOUNT, Aws


def test_an_account_is_its_access_key(aws: Aws) -> None:
    assert aws.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert aws.client("sts", account="AKIAIOSFODNN7EXAMPLE").get_caller_identity()["Account"] == "000000000000"


def test_a_role_is_assumed_in_its_own_account(aws: Aws) -> None:
    role = samples.ROLE.replace(ACCOUNT, "210987654321")
    answer = aws.sts.assume_role(RoleArn=role, RoleSessionName="me")
    key = answer["Credentials"]["AccessKeyId"]
    identity = aws.client("sts", account=key).get_caller_identity()
    assert identity["Account"] == "210987654321"
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::210987654321:assumed-role/Execution/me"
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]


def test_credentials_last_as_long_as_was_asked_for(aws: Aws) -> None:
    answer = aws.sts.assume_role(RoleArn=samples.ROLE, RoleSessionName="me", DurationSeconds=900)
    assert answer["Credentials"]["Expiration"].timestamp() == pytest.approx(aws.clock.now + 900, abs=60)


def test_a_role_that_is_none_is_refused(aws: Aws) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        aws.sts.assume_role(RoleArn="arn:aws:iam::123456789012:user/me", RoleSessionName="me")


def test_a_session_of_the_account_is_the_accounts(aws: Aws) -> None:
    key = aws.sts.get_session_token()["Credentials"]["AccessKeyId"]
    assert aws.client("sts", account=key).get_caller_identity()["Account"] == ACCOUNT


def test_old_sessions_are_forgotten(aws: Aws) -> None:
    aws.sts.get_session_token()
    aws.clock.now += 40 * 3600
    key = aws.sts.assume_role(RoleArn=samples.ROLE, RoleSessionName="me")["Credentials"]["AccessKeyId"]
    kind = next(kind for kind in aws.resources.kinds if kind.noun == "Session")
    assert [row.name for row in aws.resources.store.find(Query(kind.noun))] == [key]
