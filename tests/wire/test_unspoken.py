"""Services that are not spoken: which they are, and the protocol in which a request to one is refused."""

import gzip
import importlib.util
import json
from pathlib import Path

import botocore.parsers
import pytest

from samebox.errors import UnspokenService
from samebox.wire import unspoken
from samebox.wire.http import Request
from samebox.wire.models import Models
from samebox.wire.routing import Router
from tests.wire.test_routing import FORM, signed, target

ROUTER = Router(Models())
CBOR = {"smithy-protocol": "rpc-v2-cbor"}

UNSPOKEN = {
    "by its signature": (Request("POST", "/", headers=signed("sqs")), "sqs"),
    "presigned": (Request("GET", "/", "X-Amz-Credential=A%2F20261122%2Feu-west-1%2Fpolly%2Faws4_request"), "polly"),
    "by its target alone": (Request("POST", "/", headers=target("AmazonSQS.ListQueues")), "AmazonSQS"),
    "by its path in CBOR": (Request("POST", "/service/Other/operation/List", headers=CBOR), "Other"),
    "by its host": (Request("GET", "/", headers={"host": "lambda.eu-west-1.amazonaws.com"}), "lambda"),
}
SPOKEN = {
    "SageMaker": Request("POST", "/", headers=signed("sagemaker")),
    "CloudWatch in CBOR": Request("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", headers=CBOR),
    "STS by its global host": Request("POST", "/", headers=FORM | {"host": "sts.amazonaws.com"}),
    "ECR by its host": Request("POST", "/", headers={"host": "api.ecr.eu-west-1.amazonaws.com"}),
    "metrics by their host": Request("POST", "/", headers={"host": "metrics.sagemaker.eu-west-1.amazonaws.com"}),
    "a path alone": Request("POST", "/"),
}


@pytest.mark.parametrize("case", UNSPOKEN)
def test_a_service_that_is_not_spoken_is_named(case: str) -> None:
    request, service = UNSPOKEN[case]
    assert ROUTER.unspoken(request) == service


@pytest.mark.parametrize("case", SPOKEN)
def test_a_service_that_is_spoken_is_not_among_them(case: str) -> None:
    assert ROUTER.unspoken(SPOKEN[case]) == ""


REFUSALS = {
    "json": ("sqs", Request("POST", "/", headers=target("AmazonSQS.ListQueues"))),
    "smithy-rpc-v2-cbor": ("other", Request("POST", "/service/Other/operation/List", headers=CBOR)),
    "query": ("sns", Request("POST", "/", headers=FORM)),
    "ec2": ("ec2", Request("POST", "/", headers=FORM)),
    "rest-xml": ("route53", Request("GET", "/2013-04-01/hostedzone")),
    "rest-json": ("lambda", Request("GET", "/2015-03-31/functions")),
}


@pytest.mark.parametrize("protocol", REFUSALS)
def test_a_client_of_each_protocol_reads_which_switch_would_help(protocol: str) -> None:
    service, request = REFUSALS[protocol]
    answer = unspoken.encode_error(service, request, UnspokenService(service), "id-1")
    parser = botocore.parsers.create_parser(protocol)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    response = {"status_code": answer.status, "headers": headers, "body": answer.body}
    read = parser.parse(response, None)  # type: ignore[arg-type]  # an error has no shape
    assert (answer.status, read["Error"]["Code"]) == (501, "NotImplemented")
    assert "samebox up --localstack" in read["Error"]["Message"]
    assert service in read["Error"]["Message"]


def test_the_services_whose_errors_are_xml_are_those_of_botocore() -> None:
    specification = importlib.util.find_spec("botocore")
    assert specification is not None
    assert specification.origin is not None
    found = set()
    for path in (Path(specification.origin).parent / "data").glob("*/*/service-2.json.gz"):
        with gzip.open(path) as file:
            start = file.read(3000).decode(errors="ignore")
        if '"protocol":"rest-xml"' in start.replace(" ", ""):
            metadata = json.loads("{" + _braces(start[start.index('"metadata"') :]) + "}")["metadata"]
            found.add(metadata.get("signingName", metadata["endpointPrefix"]))
    assert found - {"s3"} == unspoken.REST_XML


def _braces(text: str) -> str:
    """Up to the end of the first object."""
    return text[: text.index("}") + 1]
