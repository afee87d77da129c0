"""Which service a request means, as a table."""

import pytest

from samebox.wire.http import Request
from samebox.wire.models import Models
from samebox.wire.routing import RoutedOperation, Router

ROUTER = Router(Models())
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def signed(service: str) -> dict[str, str]:
    scope = f"AKID/20261122/us-east-1/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def target(name: str) -> dict[str, str]:
    return {"x-amz-target": name, "content-type": "application/x-amz-json-1.1"}


ROUTES = {
    "a JSON target": (
        Request("POST", "/", headers=target("SageMaker.CreateModel") | signed("sagemaker")),
        RoutedOperation("sagemaker", "CreateModel", "json", "sagemaker"),
    ),
    "a JSON target without a signature": (
        Request("POST", "/", headers=target("AmazonEC2ContainerRegistry_V20150921.ListImages")),
        RoutedOperation("ecr", "ListImages", "json", "ecr"),
    ),
    "an operation that the model has not": (
        Request("POST", "/", headers=target("SageMaker.CreateMiracle")),
        RoutedOperation("sagemaker", "CreateMiracle", "json", "sagemaker"),
    ),
    "a target prefix that the signed service has not": (
        Request("POST", "/", headers=target("Sagemaker2.CreateModel") | signed("sagemaker")),
        RoutedOperation("sagemaker", "CreateModel", "json", "sagemaker"),
    ),
    "a service that we do not speak": (
        Request("POST", "/", headers=target("DynamoDB_20120810.ListTables") | signed("dynamodb")),
        RoutedOperation(None, "ListTables", "json", "dynamodb"),
    ),
    "STS by its signature": (
        Request("POST", "/", headers=FORM | signed("sts"), body=b"Action=GetCallerIdentity&Version=2011-06-15"),
        RoutedOperation("sts", "GetCallerIdentity", "query", "sts"),
    ),
    "STS by its version alone": (
        Request("POST", "/", headers=FORM, body=b"Action=GetCallerIdentity&Version=2011-06-15"),
        RoutedOperation("sts", "GetCallerIdentity", "query", "sts"),
    ),
    "STS by its host": (
        Request("POST", "/", headers=FORM | {"host": "sts.eu-west-1.amazonaws.com"}, body=b"Action=AssumeRole"),
        RoutedOperation("sts", "AssumeRole", "query", "sts"),
    ),
    "STS presigned": (
        Request(
            "GET",
            "/",
            "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=AKID%2F20261122%2Fus-east-1%2Fsts%2Faws4_request",
        ),
        RoutedOperation("sts", "GetCallerIdentity", "query", "sts"),
    ),
    "IAM by its version": (
        Request("POST", "/", headers=FORM, body=b"Action=GetRole&Version=2010-05-08&RoleName=r"),
        RoutedOperation("iam", "GetRole", "query", "iam"),
    ),
    "a query service that we do not speak": (
        Request("POST", "/", headers=FORM | signed("sns"), body=b"Action=ListTopics&Version=2010-03-31"),
        RoutedOperation(None, "ListTopics", "query", "sns"),
    ),
    "CloudWatch over CBOR": (
        Request(
            "POST",
            "/service/GraniteServiceVersion20100801/operation/PutMetricData",
            headers={"smithy-protocol": "rpc-v2-cbor"} | signed("monitoring"),
        ),
        RoutedOperation("cloudwatch", "PutMetricData", "cbor", "GraniteServiceVersion20100801"),
    ),
    "CloudWatch over JSON": (
        Request("POST", "/", headers=target("GraniteServiceVersion20100801.PutMetricData")),
        RoutedOperation("cloudwatch", "PutMetricData", "json", "cloudwatch"),
    ),
    "an invocation": (
        Request("POST", "/endpoints/digits/invocations", headers=signed("sagemaker")),
        RoutedOperation("sagemaker-runtime", "InvokeEndpoint", "rest-json", "sagemaker-runtime"),
    ),
    "an invocation with curl": (
        Request("POST", "/endpoints/digits/invocations"),
        RoutedOperation("sagemaker-runtime", "InvokeEndpoint", "rest-json", "sagemaker-runtime"),
    ),
    "an asynchronous invocation": (
        Request("POST", "/endpoints/digits/async-invocations", headers=signed("sagemaker")),
        RoutedOperation("sagemaker-runtime", "InvokeEndpointAsync", "rest-json", "sagemaker-runtime"),
    ),
    "a record of the feature store": (
        Request("GET", "/FeatureGroup/clicks", headers=signed("sagemaker")),
        RoutedOperation("sagemaker-featurestore-runtime", "GetRecord", "rest-json", "sagemaker-featurestore-runtime"),
    ),
    "a path that SageMaker has not": (
        Request("GET", "/nothing/here", headers=signed("sagemaker")),
        RoutedOperation("sagemaker", None, "rest-json", "sagemaker"),
    ),
    "a browser at the root": (Request("GET", "/"), RoutedOperation(None, None, "rest-json", "")),
    "S3 by its signature": (
        Request("PUT", "/bucket/key", headers=signed("s3")),
        RoutedOperation("s3", None, "s3", "s3"),
    ),
    "S3's list of buckets": (Request("GET", "/", headers=signed("s3")), RoutedOperation("s3", None, "s3", "s3")),
    "S3 presigned": (
        Request("GET", "/b/k", "X-Amz-Credential=AKID%2F20261122%2Fus-east-1%2Fs3%2Faws4_request"),
        RoutedOperation("s3", None, "s3", "s3"),
    ),
    "S3 presigned the old way": (
        Request("GET", "/b/k", "AWSAccessKeyId=AKID&Signature=x"),
        RoutedOperation("s3", None, "s3", "s3"),
    ),
    "S3 by virtual host": (
        Request("GET", "/key", headers={"host": "bucket.s3.eu-west-1.amazonaws.com:443"}),
        RoutedOperation("s3", None, "s3", "s3"),
    ),
    "CloudWatch with the query protocol, as SDKs of 2022 speak it": (
        Request("POST", "/", headers=FORM | signed("monitoring"), body=b"Action=ListMetrics&Version=2010-08-01"),
        RoutedOperation("cloudwatch", "ListMetrics", "query", "cloudwatch"),
    ),
    "CloudWatch with the query protocol by its host": (
        Request("POST", "/", headers=FORM | {"host": "monitoring.eu-west-1.amazonaws.com"}, body=b"Action=ListMetrics"),
        RoutedOperation("cloudwatch", "ListMetrics", "query", "cloudwatch"),
    ),
    "an unsigned path of a host that is another service's": (
        Request("GET", "/FeatureGroup/clicks", headers={"host": "featurestore-runtime.sagemaker.eu-west-1.api.aws"}),
        RoutedOperation("sagemaker-featurestore-runtime", "GetRecord", "rest-json", "sagemaker-featurestore-runtime"),
    ),
    "an anonymous object": (Request("GET", "/bucket/key.csv"), RoutedOperation("s3", None, "s3", "s3")),
    "an anonymous object under a name of ours": (
        Request("GET", "/endpoints/a/invocations"),
        RoutedOperation("s3", None, "s3", "s3"),
    ),
}


@pytest.mark.parametrize(("request_", "route"), ROUTES.values(), ids=ROUTES.keys())
def test_a_request_is_routed(request_: Request, route: RoutedOperation) -> None:
    assert ROUTER.route(request_) == route


def test_requests_of_s3_are_recognized_by_their_head() -> None:
    assert ROUTER.is_s3(Request("PUT", "/bucket/key", headers=signed("s3")))
    assert not ROUTER.is_s3(Request("POST", "/", headers=target("SageMaker.ListModels") | signed("sagemaker")))
