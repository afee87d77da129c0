"""With a token, as beyond loopback: who does not know it is refused, who assumed a role with it is not."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from samebox.settings import Settings
from tests import samples
from tests.conftest import ACCOUNT, Aws
from tests.ports import free_port

TOKEN = "a token that nobody guesses"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", port=free_port(), token=TOKEN)


def test_a_request_signed_with_anything_else_is_refused(aws: Aws) -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        aws.client("sts", secret="something else").get_caller_identity()


def test_temporary_credentials_verify_without_the_token(aws: Aws) -> None:
    answer = aws.client("sts", secret=TOKEN).assume_role(RoleArn=samples.ROLE, RoleSessionName="me")
    given = answer["Credentials"]
    assert given["SecretAccessKey"] != TOKEN
    key, session = given["AccessKeyId"], given["SessionToken"]
    mine = aws.client("sts", account=key, secret=given["SecretAccessKey"], session=session)
    assert mine.get_caller_identity()["Account"] == ACCOUNT
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        aws.client("sts", account=key, secret=TOKEN, session=session).get_caller_identity()
