"""Whatever stands where an address of S3 is wanted, the answer is one that AWS could have given, and never a 500.

With the real S3 server behind: the model's pattern, `(https|s3)://([^/]+)/?(.*)`, takes a great deal.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from samebox.data.lookups import Lookups
from samebox.data.objects import Objects
from samebox.data.rclone import S3Server
from samebox.errors import AwsError
from samebox.services.operations import operations
from samebox.wire.gateway import Gateway
from samebox.wire.models import Models
from samebox.wire.schema import Shape

from tests import samples
from tests.conftest import CALLER, Aws
from tests.wire.generate import value_of

MODELS = Models()
REQUESTS = {
    "CreateTrainingJob": samples.TRAINING_JOB,
    "CreateModel": samples.MODEL,
    "CreateEndpointConfig": samples.ENDPOINT_CONFIG,
    "CreateEndpoint": samples.ENDPOINT,
}
ADDRESSES = (
    "https://example.com/data/",
    "https://example.com",
    "https://[/x",
    "https://s3.amazonaws.com",
    "https://s3.amazonaws.com/",
    "https://s3.amazonaws.com/nowhere/x",
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


def places(shape: Shape, path: tuple[str, ...] = (), above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each member that is an address, `[]` being an element of a list."""
    if shape.name in above:
        return
    if shape.type == "structure":
        for name, member in shape.members.items():
            yield from places(member.shape, (*path, name), (*above, shape.name))
    elif shape.type == "list":
        yield from places(shape.element.shape, (*path, "[]"), (*above, shape.name))
    elif shape.pattern is not None and "s3)://" in shape.pattern:
        yield path


def with_value(shape: Shape, given: Any, path: tuple[str, ...], value: str) -> Any:
    """The request with this value at this place; what must stand around it and does not is made up."""
    if not path:
        return value
    name, rest = path[0], path[1:]
    if name == "[]":
        return [with_value(shape.element.shape, given[0] if given else None, rest, value)]
    given = copy.deepcopy(given) if given else value_of(shape, full=False)
    return {**given, name: with_value(shape.members[name].shape, given.get(name), rest, value)}


CASES = [
    (operation, path)
    for operation in REQUESTS
    if (shape := MODELS.operation("sagemaker", operation).input) is not None
    for path in places(shape)
]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Objects]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    objects = Objects(server.url, server.credentials.access_key, server.credentials.secret_key, attempts=1)
    objects.create_bucket("samples")
    for uri in (samples.DATA, samples.MODEL_DATA):
        objects.put(uri, b"1")
    yield objects
    objects.close()
    server.stop()


def test_the_addresses_of_the_model_are_found() -> None:
    assert ("CreateTrainingJob", ("OutputDataConfig", "S3OutputPath")) in CASES
    assert ("CreateTrainingJob", ("InputDataConfig", "[]", "DataSource", "S3DataSource", "S3Uri")) in CASES
    assert ("CreateModel", ("PrimaryContainer", "ModelDataUrl")) in CASES
    assert len(CASES) > 20


@pytest.mark.parametrize(
    ("operation", "path"), CASES, ids=lambda part: part if isinstance(part, str) else ".".join(part)
)
def test_an_address_that_leads_nowhere_is_refused_and_no_fault_of_ours(
    aws: Aws, storage: Objects, operation: str, path: tuple[str, ...]
) -> None:
    services = replace(aws.services, objects=Lookups(storage))
    gateway = Gateway(MODELS, operations(services))
    shape = MODELS.operation("sagemaker", operation).input
    assert shape is not None
    faults = {}
    for number, address in enumerate(ADDRESSES):
        request = with_value(shape, REQUESTS[operation], path, address)
        name = next(member for member in request if member.endswith("Name"))
        try:
            gateway.call("sagemaker", operation, {**request, name: f"case-{number}"}, CALLER)
        except AwsError as error:
            if error.status not in (400, 501):
                faults[address] = str(error)
    assert faults == {}
