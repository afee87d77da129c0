"""Endpoint configurations: the variants of models that an endpoint runs."""

from typing import Any

from samebox.errors import ValidationException
from samebox.resources.kinds import ENDPOINT_CONFIG, MODEL
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.services.sagemaker.required import missing
from samebox.wire.caller import Caller


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateEndpointConfig (contract.md §2.10). The models must exist; what they name is looked at when deployed."""
    refuse("sagemaker", "CreateEndpointConfig", params)
    names = [variant["VariantName"] for variant in params["ProductionVariants"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        # Choice: AWS's words are not known.
        raise ValidationException(f"Variant names must be unique; given more than once: {', '.join(twice)}.")
    for place, variant in enumerate(params["ProductionVariants"], 1):
        # Optional in the model, because serverless variants and those for inference components do without.
        for member in ("ModelName", "InstanceType", "InitialInstanceCount"):
            if member not in variant:
                raise missing(f"productionVariants.{place}.member.{member[0].lower()}{member[1:]}")
        services.resources.get(MODEL, caller, variant["ModelName"])
    return {"EndpointConfigArn": services.resources.create(ENDPOINT_CONFIG, caller, params).arn}


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeEndpointConfig."""
    config = services.resources.get(ENDPOINT_CONFIG, caller, params["EndpointConfigName"])
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in config.spec["ProductionVariants"]]
    shown = {"EnableNetworkIsolation": False, **services.resources.present(config)}
    return {**shown, "ProductionVariants": variants}


OPERATIONS: dict[str, Operation] = {"CreateEndpointConfig": create, "DescribeEndpointConfig": describe}
