"""Whatever is sent, the gateway's answer is one that AWS could have given: well formed, and never a 500.

What a whole emulator makes of requests that are closer to right is in test_emulator_never_500.py.
"""

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebox.wire.caller import Caller
from samebox.wire.gateway import Gateway, Handlers
from samebox.wire.models import Models, Operation
from tests.wire.asking import RawResponse, ask, call_json
from tests.wire.generate import value_of

MODELS = Models()
SAGEMAKER = MODELS.service("sagemaker")


def answering(operation: Operation) -> Any:
    result = {} if operation.output is None else value_of(operation.output)

    def handler(params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        json.dumps(params)  # whatever gets this far can be stored
        return result

    return handler


def everything(*services: str) -> Handlers:
    return {
        name: {operation.name: answering(operation) for operation in MODELS.service(name).operations.values()}
        for name in services
    }


FULL = Gateway(MODELS, everything("sagemaker", "ecr", "logs"))


def is_well_formed(answer: RawResponse) -> bool:
    document = json.loads(answer.body) if answer.body else {}
    failed = answer.status != 200
    named = not failed or (bool(document["__type"]) and bool(document.get("message") or document.get("Message")))
    return answer.status in {200, 400, 404, 501} and "x-amzn-requestid" in answer.headers and named


def test_every_operation_with_required_members_refuses_to_go_without_them() -> None:
    for name, operation in SAGEMAKER.operations.items():
        if operation.input is not None and operation.input.required:
            document = json.loads(call_json(FULL, name).body)
            assert document["__type"] == "ValidationException"
            count = len(operation.input.required)
            assert document["message"].startswith(
                f"{count} validation error{'s' if count > 1 else ''} detected: Value null"
            )


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SAGEMAKER.operations)), st.binary(max_size=200))
def test_random_bytes(operation: str, body: bytes) -> None:
    assert is_well_formed(call_json(FULL, operation, body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def near_misses(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation and a valid request of it in which some members have been replaced by anything at all."""
    name = draw(st.sampled_from(sorted(SAGEMAKER.operations)))
    shape = SAGEMAKER.operations[name].input
    assert shape is not None
    request = value_of(shape, full=draw(st.booleans()))
    if shape.members:
        for member in draw(st.lists(st.sampled_from(sorted(shape.members)), max_size=3)):
            request[member] = draw(JSON)
    return name, request


@settings(max_examples=200, deadline=None)
@given(near_misses())
def test_requests_that_are_nearly_right(case: tuple[str, dict[str, Any]]) -> None:
    operation, request = case
    assert is_well_formed(call_json(FULL, operation, json.dumps(request).encode()))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40).map(lambda path: f"/{path}"),
    st.dictionaries(
        st.sampled_from(["x-amz-target", "content-type", "authorization", "smithy-protocol", "host", "content-length"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
        | st.sampled_from(["SageMaker.ListModels", "SageMaker.", "application/x-www-form-urlencoded", "rpc-v2-cbor"]),
        max_size=4,
    ),
    st.binary(max_size=60),
)
def test_random_heads(method: str, target: str, headers: dict[str, str], body: bytes) -> None:
    answer = ask(FULL, method, target, headers, body)
    assert answer.status != 500


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(MODELS.service("sts").operations)), st.binary(max_size=80))
@pytest.mark.filterwarnings("ignore")
def test_random_forms(operation: str, rest: bytes) -> None:
    gateway = Gateway(MODELS, everything("sts"))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = ask(gateway, headers=headers, body=f"Action={operation}&Version=2011-06-15&".encode() + rest)
    assert answer.status != 500
    assert ElementTree.fromstring(answer.body).tag.endswith("Response")
