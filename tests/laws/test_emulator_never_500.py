"""A whole emulator is sent what it may be sent, and answers as AWS could have: in form, in time, and never with 500.

Every operation of every service that the gateway speaks gets nothing at all and the least that its model allows. Those
that we run also get each member beside that; the longest texts and the largest numbers that each member may hold; and
in every member that is an address or an ARN each of `ADDRESSES` and `ARNS`, most of which the model's patterns allow.
"""

import copy
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from samebox.services.coverage import Grade, covered
from samebox.wire.models import Models, Operation
from samebox.wire.patterns import matcher
from samebox.wire.schema import Shape
from tests import samples
from tests.conftest import ACCOUNT
from tests.laws.whole_emulator import Answered, Unwritable, Whole, whole_emulator
from tests.wire.generate import as_botocore, value_of, with_value

ALL_EXTREMES = "ALL_EXTREMES"  # set for the run at night
MODELS = Models()
GRADES = {(one.service, one.name): one.grade for one in covered()}
ADDRESSES = (
    "https://example.com/data/",
    "https://example.com",
    "https://[/x",
    "https://s3.amazonaws.com",
    "https://s3.amazonaws.com/",
    "https://s3.amazonaws.com/nowhere/x",
    "http://127.0.0.1:1/x",
    "file:///etc/passwd",
    "s3:x",
    "s3://",
    "s3:///x",
    "s3://samples",
    "s3://samples/",
    "s3://samples//",
    "s3://samples/a//b",
    "s3://samples/../secret",
    "s3://samples/./x",
    "s3://samples/%2e%2e/x",
    "s3://samples/line\nbreak",
    "s3://samples/nul\0byte",
    "s3://samples/ü\U0001f600/?a=b#c",
    "s3://samples/" + "x" * 300,
    "s3://nowhere/x",
    "s3://../x",
    "s3://.",
    "s3://no bucket/x",
    "s3://s3://samples/x",
    "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/x",
)
ARNS = (
    "arn:aws:s3:::samples",
    "arn:aws:sagemaker:us-east-1:999999999999:model/digits",
    "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/digits",
    "arn:aws:sagemaker:us-east-1:123456789012:no-such-noun/digits",
    "arn:aws:sagemaker:us-east-1:123456789012:model",
    "arn:aws-cn:sagemaker:cn-north-1:123456789012:training-job/digits",
    "arn:aws:ecr:us-east-1:999999999999:repository/digits",
    "arn:aws:ecr:us-east-1:123456789012:digits",
    "arn:aws:logs:us-east-1:123456789012:log-group:digits:*",
    "arn:aws:logs:us-east-1:999999999999:log-group:nowhere",
    "arn:aws:iam::999999999999:role/a/b/Execution",
    "arn:aws:iam::123456789012:user/somebody",
    "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:sts::123456789012:assumed-role/a/b",
    "arn:aws:x:::y",
    "arn:::::",
    "arn:",
)
# What long texts are made of, and what an expression in them makes of it.
LETTERS = ("x", "/", "\U0001f600", "\n", "\0", "\ud800", "{", "[")
EXPRESSIONS = ("x{99999999999}", "%x{99999999999}%", "%[[%", "(((", "%s %d {0} {x}")
LONG = 5000  # characters, where the model has no bound
NUMBERS = (-1, 2**31 - 1, 2**63 - 1, 10**30)
# Names of what whole_emulator makes, so that requests get past the look-up of what they name.
KNOWN: Mapping[str, Any] = {
    **{
        member: "digits"
        for noun in samples.OF_KIND
        for member in samples.named(noun, "digits")
        if member.endswith("Name")
    },
    "ResourceArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/digits",
    "RoleArn": samples.ROLE,
    "PolicySourceArn": samples.ROLE,
    "repositoryName": "digits",
    "repositoryNames": ["digits"],
    "imageIds": [{"imageTag": "latest"}],
    "imageId": {"imageTag": "latest"},
    "logGroupName": "digits",
    "logStreamName": "digits",
    "resourceArn": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/digits",
}
ENDS = ("Delete", "Stop", "BatchDelete")
TO_BE_ENDED: Mapping[str, Any] = json.loads(json.dumps(KNOWN).replace("digits", "doomed"))


# Of this module alone: the log that it looks at is that of all tests that run while it lives.
@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole_emulator(tmp_path_factory.mktemp("whole")) as one:
        yield one


def strange(name: str, shape: Shape) -> tuple[str, ...]:
    """Addresses or ARNs that are not what the model means, where it means one: by the pattern, or else by the name."""
    pattern, name = shape.pattern or "", name.lower()
    if "s3)://" in pattern or name.endswith(("uri", "url", "s3path")):
        return (*ADDRESSES, *ARNS[:4])
    if "arn:" in pattern or name.endswith(("arn", "arns", "identifier")):
        return (*ARNS, *ADDRESSES[:4])
    return ()


def places(
    shape: Shape, path: tuple[str, ...] = (), above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Shape]]:
    """The path of each scalar that a request may hold, `[]` being an element of a list."""
    if shape.name in above:
        return
    if shape.type == "structure":
        for name, member in shape.members.items():
            yield from places(member.shape, (*path, name), (*above, shape.name))
    elif shape.type == "list":
        yield from places(shape.element.shape, (*path, "[]"), (*above, shape.name))
    elif shape.is_scalar:
        yield path, shape


def extremes(path: tuple[str, ...], shape: Shape) -> Iterator[Any]:
    """What a scalar may hardly, or no longer, hold."""
    if shape.type in ("integer", "long", "float", "double", "timestamp"):
        yield from NUMBERS
    if shape.type != "string" or shape.enum:
        return
    yield from strange(next(name for name in path[::-1] if name != "[]"), shape)
    longest = min(int(shape.maximum or LONG), LONG)
    fits = matcher(shape.pattern) if shape.pattern is not None else None
    yield from (text for text in (*(letter * longest for letter in LETTERS), *EXPRESSIONS) if not fits or fits(text))


def least(operation: Operation) -> dict[str, Any]:
    """The least that the model allows: the sample of the noun, or the required members."""
    if operation.input is None:
        return {}
    sample = samples.OF_KIND.get(operation.name.removeprefix("Create"))
    if sample is not None and operation.service == "sagemaker" and operation.name.startswith("Create"):
        return copy.deepcopy(sample)
    required: dict[str, Any] = as_botocore(operation.input, value_of(operation.input, full=False))
    known = TO_BE_ENDED if operation.name.startswith(ENDS) else KNOWN
    return {**required, **{name: known[name] for name in required if name in known}}


def requests(operation: Operation) -> Iterator[dict[str, Any]]:
    """All members; each optional one beside the required; each scalar replaced by its extremes."""
    shape = operation.input
    if shape is None:
        return
    required = least(operation)
    yield as_botocore(shape, value_of(shape))
    for name, member in shape.members.items():
        if name not in shape.required:
            for full in (True, False):
                yield {**required, name: as_botocore(member.shape, value_of(member.shape, full))}
    # What is only stored is read by no code of its own: of its extremes, every fourth is enough by day.
    step = 4 if GRADES[operation.service, operation.name] is Grade.STORED and ALL_EXTREMES not in os.environ else 1
    for path, value in itertools.islice(_extremes_of(shape), 0, None, step):
        yield with_value(shape, required, path, value)


def _extremes_of(shape: Shape) -> Iterator[tuple[tuple[str, ...], Any]]:
    for path, scalar in places(shape):
        yield from ((path, value) for value in extremes(path, scalar))


def renamed(operation: Operation, params: dict[str, Any], number: int) -> dict[str, Any]:
    """The request under a name of its own, where it makes something that has one and is not about the name."""
    usual = least(operation) if operation.name.startswith("Create") else {}
    noun = operation.name.removeprefix("Create").lower()
    name = next((one for one in usual if one.lower() == f"{noun}name" and params.get(one) == usual[one]), None)
    return params if name is None else {**params, name: f"case-{number}"}


def sendable(operation: Operation, params: Mapping[str, Any]) -> dict[str, Any]:
    """With the members that stand in the path, without which no client can write a request."""
    if operation.input is None:
        return dict(params)
    missing = {
        name: value_of(member.shape)
        for name, member in operation.input.members.items()
        if member.location == "uri" and name not in params
    }
    return {**params, **missing}


def ask(whole: Whole, operation: Operation, params: Mapping[str, Any]) -> Answered:
    return whole.client.ask(operation.service, operation.name, sendable(operation, params))


def is_run(operation: Operation, answer: Answered) -> bool:
    """Whether the emulator runs the operation: of one that it does not, it reads no member."""
    return answer.status != 501 or f"does not implement {operation.service}:{operation.name}." not in answer.message


@pytest.mark.parametrize("service", MODELS.names)
def test_every_answer_is_one_that_aws_could_have_given(whole: Whole, service: str) -> None:
    wrong: dict[str, str] = {}
    number = 0
    for operation in MODELS.service(service).operations.values():

        def judged(operation: Operation, params: dict[str, Any]) -> Answered | None:
            nonlocal number
            number += 1
            sent = renamed(operation, params, number)
            try:
                answer = ask(whole, operation, sent)
            except Unwritable:
                return None
            if fault := answer.fault(f"{service}:{operation.name}"):
                wrong[f"{operation.name} {sent!s:.400}"] = fault
            return answer

        judged(operation, {})
        answer = judged(operation, least(operation))
        assert answer is not None
        if is_run(operation, answer) != (GRADES[service, operation.name] is not Grade.ABSENT):
            wrong[operation.name] = f"is graded {GRADES[service, operation.name].value}, and answers {answer}"
        if is_run(operation, answer):
            for params in requests(operation):
                judged(operation, params)
    faults = whole.new_faults()
    assert wrong == {}
    assert faults == []
    assert ask(whole, MODELS.operation("sts", "GetCallerIdentity"), {}).status == 200


def test_the_addresses_of_the_model_are_found() -> None:
    for operation, place in (
        ("CreateTrainingJob", "OutputDataConfig.S3OutputPath"),
        ("CreateTrainingJob", "InputDataConfig.[].DataSource.S3DataSource.S3Uri"),
        ("CreateModel", "PrimaryContainer.ModelDataUrl"),
        ("CreateModel", "ExecutionRoleArn"),
        ("ListTags", "ResourceArn"),
    ):
        shape = MODELS.operation("sagemaker", operation).input
        assert shape is not None
        found = {".".join(path): scalar for path, scalar in places(shape)}
        assert set(ARNS[:4]) | set(ADDRESSES[:4]) <= set(extremes(tuple(place.split(".")), found[place]))
