"""Values that probes share: other images, objects and moments than the first, and calls that make something."""

import time

from tests import samples
from tests.conftest import ACCOUNT, REGION
from tests.laws.probing import Call
from tests.laws.whole_emulator import MANIFEST

NOW = int(time.time() * 1000)
OTHER_ACCOUNT = "999999999999"
OTHER_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/second:latest"
OTHER_DATA, OTHER_MODEL = "s3://samples/second/", "s3://samples/second/model.tar.gz"
TAGS = [{"Key": "key", "Value": "value"}]
LATE = 4_102_444_800.0
SECOND_MANIFEST = MANIFEST.replace("1" * 64, "2" * 64)
SECOND = ("ecr", "PutImage", {"repositoryName": "$", "imageManifest": SECOND_MANIFEST})
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


REPOSITORY: tuple[Call, ...] = (
    ("ecr", "CreateRepository", {"repositoryName": "$", "tags": [{"Key": "a", "Value": "b"}]}),
    ("ecr", "PutImage", {"repositoryName": "$", "imageManifest": MANIFEST, "imageTag": "latest"}),
    SECOND,
)
EVENTS = [{"timestamp": NOW + at, "message": f"{word} {at}"} for at, word in enumerate(("one", "two", "two"))]
GROUP: tuple[Call, ...] = (
    ("logs", "CreateLogGroup", {"logGroupName": "$", "tags": {"a": "b"}}),
    ("logs", "CreateLogStream", {"logGroupName": "$", "logStreamName": "one"}),
    ("logs", "CreateLogStream", {"logGroupName": "$", "logStreamName": "two"}),
    ("logs", "PutLogEvents", {"logGroupName": "$", "logStreamName": "two", "logEvents": EVENTS[:1]}),
    ("logs", "PutLogEvents", {"logGroupName": "$", "logStreamName": "one", "logEvents": EVENTS[1:]}),
)
MODEL: Call = ("sagemaker", "CreateModel", {**samples.MODEL, "ModelName": "$"})
VARIANT = samples.ENDPOINT_CONFIG["ProductionVariants"][0]
CONFIG: Call = ("sagemaker", "CreateEndpointConfig", {**samples.ENDPOINT_CONFIG, "EndpointConfigName": "$"})
CREATE_ENDPOINT: Call = ("sagemaker", "CreateEndpoint", {"EndpointName": "$", "EndpointConfigName": "$"})
GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:$"
REPOSITORY_ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/$"
DESCRIBE_IMAGES: Call = ("ecr", "DescribeImages", {"repositoryName": "$"})


def tags_of(noun: str) -> Call:
    return ("sagemaker", "ListTags", {"ResourceArn": f"{ARN}:{noun}/$"})
