"""Every operation we run, by service and name, bound to what it uses: what the gateway is given."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any

from samebox.resources.derived import Derived
from samebox.resources.kind import Kind
from samebox.resources.store import Changed
from samebox.services import ecr, logs, sts
from samebox.services.cloudwatch import operations as cloudwatch_operations
from samebox.services.context import Operation, Services
from samebox.services.events import operations as events_operations
from samebox.services.iam import operations as iam_operations
from samebox.services.iam import pass_role
from samebox.services.sagemaker import (
    associations,
    crud,
    devices,
    endpoint_configs,
    endpoints,
    hub_contents,
    image_versions,
    model_cards,
    model_packages,
    models,
    monitoring,
    processing_jobs,
    stored,
    tags,
    training_jobs,
    transform_jobs,
    trials,
)
from samebox.services.secretsmanager import operations as secret_operations
from samebox.services.ssm import operations as parameter_operations
from samebox.wire.caller import Caller
from samebox.wire.gateway import Handlers

# What a noun does comes after what every noun can, and so takes its place.
_NOUNS: tuple[Mapping[str, Operation], ...] = (
    training_jobs.OPERATIONS,
    processing_jobs.OPERATIONS,
    transform_jobs.OPERATIONS,
    models.OPERATIONS,
    endpoint_configs.OPERATIONS,
    endpoints.OPERATIONS,
    tags.OPERATIONS,
    monitoring.OPERATIONS,
)

# The same of nouns that nothing here runs.
STORED_NOUNS: tuple[Mapping[str, Operation], ...] = (
    trials.OPERATIONS,
    associations.OPERATIONS,
    model_packages.OPERATIONS,
    image_versions.OPERATIONS,
    model_cards.OPERATIONS,
    hub_contents.OPERATIONS,
    devices.OPERATIONS,
    stored.OPERATIONS,
)


def operations(services: Services) -> Handlers:
    """Service -> operation -> handler(params, caller)."""
    tables = routed(services.resources.kinds, services.resources.derived)
    return {
        service: {
            name: partial(pass_role.checked(_begun_anew(operation)), services) for name, operation in table.items()
        }
        for service, table in tables.items()
    }


def _begun_anew(operation: Operation) -> Operation:
    """The operation, begun a second time where a row went meanwhile: it is then missing, in the service's own words."""

    @wraps(operation)
    def run(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any] | None:
        try:
            return operation(services, dict(params), caller)
        except Changed:
            return operation(services, params, caller)

    return run


def routed(kinds: Iterable[Kind], derived_of: Callable[[Kind], Derived]) -> Mapping[str, Mapping[str, Operation]]:
    """The same, not bound to what they use: which operations there are can be asked without an emulator."""
    sagemaker = dict(crud.operations(kinds, derived_of))
    for noun in (*STORED_NOUNS, *_NOUNS):
        sagemaker.update(noun)
    return {
        "sagemaker": sagemaker,
        "ecr": ecr.OPERATIONS,
        "logs": logs.OPERATIONS,
        "cloudwatch": cloudwatch_operations.OPERATIONS,
        "events": events_operations.OPERATIONS,
        "ssm": parameter_operations.OPERATIONS,
        "secretsmanager": secret_operations.OPERATIONS,
        "sts": sts.OPERATIONS,
        "iam": iam_operations.OPERATIONS,
    }
