"""STS through boto3: temporary credentials are the account's, and verify where a token is asked for."""

import base64
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.query import Query
from tests import samples
from tests.conftest import ACCOUNT, Aws

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import CredentialsTypeDef


def with_session(aws: Aws, given: "CredentialsTypeDef", service: str = "sts") -> Any:
    """A client with temporary credentials."""
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    return aws.client(service, account=key, secret=secret, session=token)


def test_an_account_is_its_access_key(aws: Aws) -> None:
    assert aws.sts.get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/samebox/samebox"
    assert aws.client("sts", account="AKIAIOSFODNN7EXAMPLE").get_caller_identity()["Account"] == "000000000000"


def test_a_role_is_assumed_in_its_own_account(aws: Aws) -> None:
    role = samples.ROLE.replace(ACCOUNT, "210987654321")
    answer = aws.sts.assume_role(RoleArn=role, RoleSessionName="me")
    identity = with_session(aws, answer["Credentials"]).get_caller_identity()
    assert identity["Account"] == "210987654321"
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::210987654321:assumed-role/Execution/me"
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]


def test_credentials_last_as_long_as_was_asked_for(aws: Aws) -> None:
    answer = aws.sts.assume_role(RoleArn=samples.ROLE, RoleSessionName="me", DurationSeconds=900)
    assert answer["Credentials"]["Expiration"].timestamp() == pytest.approx(aws.clock.now + 900, abs=60)


def test_a_role_in_china_is_assumed_in_china(aws: Aws) -> None:
    role = f"arn:aws-cn:iam::{ACCOUNT}:role/Execution"
    sts = aws.client("sts", region="cn-north-1")
    assumed = sts.assume_role(RoleArn=role, RoleSessionName="here")["AssumedRoleUser"]["Arn"]
    assert assumed == f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/Execution/here"
    assert sts.get_caller_identity()["Arn"] == f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/samebox/samebox"


def test_a_role_that_is_none_is_refused(aws: Aws) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        aws.sts.assume_role(RoleArn="arn:aws:iam::123456789012:user/me", RoleSessionName="me")


def test_a_session_of_the_account_is_the_accounts(aws: Aws) -> None:
    given = aws.sts.get_session_token()["Credentials"]
    assert with_session(aws, given).get_caller_identity()["Account"] == ACCOUNT


def test_old_sessions_are_forgotten(aws: Aws) -> None:
    aws.sts.get_session_token()
    aws.clock.now += 40 * 3600
    key = aws.sts.assume_role(RoleArn=samples.ROLE, RoleSessionName="me")["Credentials"]["AccessKeyId"]
    kind = next(kind for kind in aws.resources.kinds if kind.noun == "Session")
    assert [row.name for row in aws.resources.store.find(Query(kind.noun))] == [key]


# What AWS answers, as people published it: the codes of a query service, of JSON services, and of REST services.
REFUSALS = [
    ("sts", "InvalidClientTokenId", "ExpiredToken", 403),
    ("sagemaker", "UnrecognizedClientException", "ExpiredTokenException", 400),
    ("ecr", "UnrecognizedClientException", "ExpiredTokenException", 400),
]
CALLS = {"sts": "get_caller_identity", "sagemaker": "list_models", "ecr": "describe_repositories"}


def refusal(client: Any, service: str) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as refused:
        getattr(client, CALLS[service])()
    answer = refused.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(("service", "invalid", "expired", "status"), REFUSALS)
def test_temporary_keys_are_good_with_their_own_session_token_only(
    aws: Aws, service: str, invalid: str, expired: str, status: int
) -> None:
    given = aws.sts.assume_role(RoleArn=samples.ROLE, RoleSessionName="me")["Credentials"]
    other = aws.sts.assume_role(RoleArn=samples.ROLE, RoleSessionName="me")["Credentials"]
    words = "The security token included in the request is invalid."
    for token in ("", other["SessionToken"], given["SessionToken"][:-1] + "x", "x"):
        client = aws.client(service, given["AccessKeyId"], secret=given["SecretAccessKey"], session=token)
        assert refusal(client, service) == (invalid, words, status)
    getattr(with_session(aws, given, service), CALLS[service])()


@pytest.mark.parametrize(("service", "invalid", "expired", "status"), REFUSALS)
def test_temporary_keys_end(aws: Aws, service: str, invalid: str, expired: str, status: int) -> None:
    given = aws.sts.assume_role(RoleArn=samples.ROLE, RoleSessionName="me", DurationSeconds=900)["Credentials"]
    client = with_session(aws, given, service)
    getattr(client, CALLS[service])()
    aws.clock.now += 900
    assert refusal(client, service) == (expired, "The security token included in the request is expired", status)


def test_a_temporary_key_that_aws_gave_out_is_any_key(aws: Aws) -> None:
    client = aws.client("sts", account="ASIAIOSFODNN7EXAMPLE", session="a token of AWS's")
    assert client.get_caller_identity()["Account"] == "000000000000"


def test_a_role_is_assumed_with_a_web_identity(aws: Aws) -> None:
    claims = (
        base64.urlsafe_b64encode(b'{"sub": "me@x", "aud": ["box"], "iss": "https://id.example"}').decode().rstrip("=")
    )
    asked: Any = {"RoleArn": samples.ROLE, "RoleSessionName": "me"}
    answer = aws.sts.assume_role_with_web_identity(**asked, WebIdentityToken=f"x.{claims}.y")
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == ("me@x", "box")
    assert answer["Provider"] == "https://id.example"
    arn = with_session(aws, answer["Credentials"]).get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/Execution/me"
    with pytest.raises(ClientError, match="InvalidIdentityToken"):
        aws.sts.assume_role_with_web_identity(**asked, WebIdentityToken="none")


def test_a_federated_user_has_the_account(aws: Aws) -> None:
    answer = aws.sts.get_federation_token(Name="me")
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/me"
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:me", "Arn": arn}
    assert with_session(aws, answer["Credentials"]).get_caller_identity()["Arn"] == arn


def test_the_account_of_a_key(aws: Aws) -> None:
    key = aws.sts.get_session_token()["Credentials"]["AccessKeyId"]
    assert aws.sts.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
