"""Create, Describe, List and Delete of every SageMaker noun, from what the model says of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from samebox.resources.kind import Kind
from samebox.resources.resources import Resources
from samebox.services.context import Operation, Services
from samebox.wire.caller import Caller


def operations(resources: Resources) -> Mapping[str, Operation]:
    """The generic operations of all SageMaker kinds; a noun's own module replaces those that do more."""
    return {
        name: operation
        for kind in resources.kinds
        if kind.service == "sagemaker"
        for name, operation in _of(kind, resources)
    }


def _of(kind: Kind, resources: Resources) -> Iterator[tuple[str, Operation]]:
    derived = resources.derived(kind)

    def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return {derived.arn_member: services.resources.create(kind, caller, params).arn}

    def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return services.resources.present(services.resources.get(kind, caller, params[derived.name_member]))

    def list_(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return services.resources.page(kind, caller, params)

    def delete(services: Services, params: dict[str, Any], caller: Caller) -> None:
        services.resources.delete(services.resources.get(kind, caller, params[derived.name_member]))

    known: dict[str, Operation] = {
        derived.create: create,
        derived.describe: describe,
        derived.list: list_,
        derived.delete: delete,
    }
    return ((name, operation) for name, operation in known.items() if name)
