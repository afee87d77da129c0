"""The operations of SageMaker."""

from collections.abc import Callable, Iterable, Mapping

from samebox.resources.derived import Derived
from samebox.resources.kind import Kind
from samebox.services.context import Operation
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


def operations(kinds: Iterable[Kind], derived_of: Callable[[Kind], Derived]) -> dict[str, Operation]:
    """Those of every noun by the model, and those that a noun has of its own."""
    found = dict(crud.operations(kinds, derived_of))
    for noun in (*STORED_NOUNS, *_NOUNS):
        found.update(noun)
    return found
