"""Tags of what is not there, or not the caller's."""

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Aws


def test_tags_of_a_missing_resource_have_the_message_of_its_noun(aws: Aws) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/never"
    with pytest.raises(ClientError) as caught:
        aws.sagemaker.list_tags(ResourceArn=arn)
    assert caught.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": f'Could not find model "{arn}".',
    }


def test_another_accounts_resource_is_not_there(aws: Aws) -> None:
    arn = aws.create("Model")
    with pytest.raises(ClientError, match="Could not find model"):
        aws.client("sagemaker", account="210987654321").list_tags(ResourceArn=arn)
