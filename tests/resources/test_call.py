"""What works on a resource calls the API as a client does, and what it creates is a part of that resource."""

import pytest

from samebox.errors import AwsError
from samebox.wire.caller import Caller
from tests import samples
from tests.conftest import Aws


def test_what_a_resource_of_ours_creates_is_its_child(aws: Aws) -> None:
    job = aws.row(aws.create("TrainingJob"))
    caller = Caller(job.account, job.region, parent=job.arn)
    arn = aws.call("sagemaker", "CreateModel", samples.MODEL, caller)["ModelArn"]
    assert [child.arn for child in aws.resources.store.children(job.arn, "Model")] == [arn]
    assert aws.row(aws.create("EndpointConfig")).parent is None


def test_a_refused_call_has_the_message_that_a_client_gets(aws: Aws) -> None:
    with pytest.raises(AwsError) as caught:
        aws.call("sagemaker", "DescribeModel", {"ModelName": "never"}, Caller("123456789012"))
    assert caught.value.code == "ValidationException"
    with pytest.raises(AwsError) as caught:
        aws.call("sagemaker", "DescribeModel", {}, Caller("123456789012"))
    assert "Value null at 'modelName' failed to satisfy constraint" in caught.value.message
