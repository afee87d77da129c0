"""Members out of URIs, headers and queries, and into headers again."""

from typing import Any

import pytest

from samebox.errors import SerializationException
from samebox.wire import restjson, uris
from samebox.wire.http import Request
from samebox.wire.models import Models

MODELS = Models()
INVOKE = MODELS.operation("sagemaker-runtime", "InvokeEndpoint")
LOOPS = MODELS.operation("sagemaker-a2i-runtime", "ListHumanLoops")


def test_an_invocation_is_read_from_everywhere() -> None:
    headers = {"content-type": "text/csv", "x-amzn-sagemaker-target-variant": "blue", "user-agent": "curl"}
    assert restjson.decode(
        INVOKE, Request("POST", "/endpoints/a%20b/invocations", headers=headers, body=b"\xff\0")
    ) == {
        "EndpointName": "a b",
        "ContentType": "text/csv",
        "TargetVariant": "blue",
        "Body": b"\xff\0",
    }


def test_a_query_is_read_by_type() -> None:
    asked = "FlowDefinitionArn=arn%3Aaws&MaxResults=7&CreationTimeAfter=2026-11-22T00%3A00%3A00Z&Unknown=1"
    assert restjson.decode(LOOPS, Request("GET", "/human-loops", asked)) == {
        "FlowDefinitionArn": "arn:aws",
        "MaxResults": 7,
        "CreationTimeAfter": 1795305600.0,
    }


@pytest.mark.parametrize(
    "asked", ["MaxResults=many", "MaxResults=1e3", "CreationTimeAfter=never", "MaxResults=" + "9" * 40]
)
def test_a_query_of_the_wrong_type_is_refused(asked: str) -> None:
    with pytest.raises(SerializationException):
        restjson.decode(LOOPS, Request("GET", "/human-loops", asked))


@pytest.mark.parametrize("value", ["two\r\nlines: yes", "é"])
def test_a_header_cannot_be_split_or_garbled(value: str) -> None:
    result: dict[str, Any] = {"Body": b"", "CustomAttributes": value}
    with pytest.raises(ValueError, match="cannot be a header"):
        restjson.encode(MODELS.service("sagemaker-runtime"), INVOKE, result, "id")


@pytest.mark.parametrize(
    ("template", "path", "found"),
    [
        ("/endpoints/{EndpointName}/invocations", "/endpoints/e/invocations", {"EndpointName": "e"}),
        ("/endpoints/{EndpointName}/invocations", "/endpoints//invocations", None),
        ("/endpoints/{EndpointName}/invocations", "/endpoints/a/b/invocations", None),
        ("/endpoints/{EndpointName}/invocations", "/endpoints/a%2Fb/invocations", {"EndpointName": "a/b"}),
        ("/{Bucket}/{Key+}", "/b/a/c", {"Bucket": "b", "Key": "a/c"}),
        ("/human-loops", "/human-loops", {}),
        ("/a.b", "/axb", None),
    ],
)
def test_a_template_matches_a_path(template: str, path: str, found: dict[str, str] | None) -> None:
    assert uris.labels(template, path) == found
