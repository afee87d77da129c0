"""Every operation we run, by service and name, bound to what it uses: what the gateway is given."""

from collections.abc import Mapping
from functools import partial

from samebox.services import cloudwatch, ecr, iam, logs, sts
from samebox.services.context import Operation, Services
from samebox.services.sagemaker import crud, endpoint_configs, endpoints, models, monitoring, tags, training_jobs
from samebox.wire.gateway import Handlers

# What a noun does comes after what every noun can, and so takes its place.
_NOUNS: tuple[Mapping[str, Operation], ...] = (
    training_jobs.OPERATIONS,
    models.OPERATIONS,
    endpoint_configs.OPERATIONS,
    endpoints.OPERATIONS,
    tags.OPERATIONS,
    monitoring.OPERATIONS,
)


def operations(services: Services) -> Handlers:
    """Service -> operation -> handler(params, caller)."""
    sagemaker = dict(crud.operations(services.resources))
    for noun in _NOUNS:
        sagemaker.update(noun)
    known = {
        "sagemaker": sagemaker,
        "ecr": ecr.OPERATIONS,
        "logs": logs.OPERATIONS,
        "cloudwatch": cloudwatch.OPERATIONS,
        "sts": sts.OPERATIONS,
        "iam": iam.OPERATIONS,
    }
    return {
        service: {name: partial(operation, services) for name, operation in table.items()}
        for service, table in known.items()
    }
