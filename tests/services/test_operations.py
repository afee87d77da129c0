"""Every operation we run, asked everything the model allows: it answers, or refuses in AWS's form, and never breaks."""

from collections.abc import Iterator
from typing import Any

import pytest
from samebox.errors import AwsError
from samebox.services.operations import operations
from samebox.wire.gateway import Gateway
from samebox.wire.models import Models

from tests import samples
from tests.conftest import CALLER, Aws
from tests.wire.generate import value_of

SERVICES = ("sagemaker", "ecr", "logs", "sts")


def requests(models: Models, service: str, operation: str) -> Iterator[dict[str, Any]]:
    """Nothing, all members, the required ones, and each optional one beside the required."""
    shape = models.operation(service, operation).input
    yield {}
    if shape is None:
        return
    required = value_of(shape, full=False)
    yield required
    yield value_of(shape)
    for name, member in shape.members.items():
        if name not in shape.required:
            for full in (True, False):
                yield {**required, name: value_of(member.shape, full)}


def refusal_of(gateway: Gateway, service: str, operation: str, params: dict[str, Any]) -> AwsError | None:
    try:
        gateway.call(service, operation, params, CALLER)
    except AwsError as refusal:
        return refusal
    return None


@pytest.mark.parametrize("service", SERVICES)
def test_an_operation_answers_or_refuses(aws: Aws, models: Models, service: str) -> None:
    handlers = operations(aws.services)
    gateway = Gateway(models, handlers)
    for operation in handlers[service]:
        for params in requests(models, service, operation):
            refusal = refusal_of(gateway, service, operation, params)
            assert refusal is None or refusal.status < 500 or refusal.code == "NotImplemented", (operation, params)


@pytest.mark.parametrize("noun", sorted(samples.OF_KIND))
def test_a_sample_with_any_member_more_is_accepted_or_refused(aws: Aws, models: Models, noun: str) -> None:
    gateway = Gateway(models, operations(aws.services))
    shape = models.operation("sagemaker", f"Create{noun}").input
    assert shape is not None
    for need in samples.NEEDS.get(noun, ()):
        aws.create(need)
    for number, (name, member) in enumerate(shape.members.items()):
        if name in samples.OF_KIND[noun]:
            continue
        params = {**samples.OF_KIND[noun], f"{noun}Name": f"{noun}-{number}", name: value_of(member.shape)}
        refusal = refusal_of(gateway, "sagemaker", f"Create{noun}", params)
        if refusal is not None:
            assert refusal.code in ("ValidationException", "NotImplemented"), (name, refusal)
        else:
            described = {f"{noun}Name": f"{noun}-{number}"}
            shown = gateway.call("sagemaker", f"Describe{noun}", described, CALLER)
            output = models.operation("sagemaker", f"Describe{noun}").output
            assert output is not None
            assert name not in output.members or name in shown, "what was accepted is shown"


def test_only_operations_of_the_model_are_bound(aws: Aws, models: Models) -> None:
    for service, table in operations(aws.services).items():
        assert set(table) <= set(models.service(service).operations)
