"""Create, Describe, List, Update and Delete of every SageMaker noun, from what the model says of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from samebox.resources.derived import Derived
from samebox.resources.kind import Kind
from samebox.resources.store import Resource
from samebox.services.context import Operation, Services
from samebox.wire.caller import Caller


def operations(kinds: Iterable[Kind], derived_of: Callable[[Kind], Derived]) -> Mapping[str, Operation]:
    """The generic operations of all SageMaker kinds; a noun's own module replaces those that do more."""
    return {
        name: operation
        for kind in kinds
        if kind.service == "sagemaker"
        for name, operation in _of(kind, derived_of(kind))
    }


def _of(kind: Kind, derived: Derived) -> Iterator[tuple[str, Operation]]:
    def shown(services: Services, resource: Resource) -> dict[str, Any]:
        members = services.resources.present(resource)
        return {derived.whole: members} if derived.whole else members

    def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        # The wire leaves out what the response of Create does not have.
        return services.resources.present(services.resources.create(kind, caller, params))

    def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return shown(services, services.resources.named(kind, caller, params))

    def list_(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        whole = services.resources.whole(kind, caller, params)
        if whole is not None and kind.part_of is not None:
            params = {**params, kind.part_of.member: whole.name}
        return services.resources.page(kind, caller, params)

    def update(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        named = services.resources.named(kind, caller, params)
        return shown(services, services.resources.amend(named, params))

    def delete(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        named = services.resources.named(kind, caller, params)
        services.resources.delete(named)
        return services.resources.present(named)

    names = derived.operations
    known: dict[str, Operation] = {
        names.create: create,
        names.describe: describe,
        names.list: list_,
        names.update if kind.updates else "": update,
        names.delete: delete,
    }
    return ((name, operation) for name, operation in known.items() if name)
