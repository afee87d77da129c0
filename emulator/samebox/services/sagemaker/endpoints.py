"""Endpoints: each stores a snapshot of its configuration and models, so later changes of these do not affect it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.deployment import EndpointDeployment, ServedContainer, Serving, Variant, serving
from samebox.resources.kinds import ENDPOINT, ENDPOINT_CONFIG, MODEL
from samebox.resources.lifecycle import IllegalMove
from samebox.resources.store import Resource
from samebox.services import images
from samebox.services.context import Image, Operation, Services
from samebox.services.members.tables import refuse
from samebox.services.sagemaker import models
from samebox.wire.caller import Caller


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateEndpoint: stores what shall run, and answers before anything does."""
    refuse("sagemaker", "CreateEndpoint", params)
    wanted = _snapshot(services, params["EndpointConfigName"], caller)
    return {"EndpointArn": services.resources.create(ENDPOINT, caller, params, Serving(wanted)).arn}


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeEndpoint. EndpointConfigName is the one that serves; a new one is in PendingDeploymentSummary."""
    endpoint = services.resources.get(ENDPOINT, caller, params["EndpointName"])
    facts = serving(endpoint)
    current = facts.current or facts.wanted
    shown = {**services.resources.present(endpoint), "EndpointConfigName": current.endpoint_config_name}
    if endpoint.status == "Updating":
        shown["PendingDeploymentSummary"] = {"EndpointConfigName": facts.wanted.endpoint_config_name}
    return shown


def update(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateEndpoint: stores what shall run instead. The deployment in service stays until the new one is ready."""
    refuse("sagemaker", "UpdateEndpoint", params)
    endpoint = services.resources.get(ENDPOINT, caller, params["EndpointName"])
    wanted = _snapshot(services, params["EndpointConfigName"], caller)
    if params.get("RetainAllVariantProperties"):
        before = serving(endpoint)
        excluded = {one["VariantPropertyType"] for one in params.get("ExcludeRetainedVariantProperties", [])}
        wanted = _retained(wanted, before.current or before.wanted, excluded)
    return {"EndpointArn": _begin(services, endpoint, lambda _: wanted).arn}


def update_weights(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateEndpointWeightsAndCapacities: the same variants, with other weights and counts."""
    refuse("sagemaker", "UpdateEndpointWeightsAndCapacities", params)
    endpoint = services.resources.get(ENDPOINT, caller, params["EndpointName"])
    desired = {one["VariantName"]: one for one in params["DesiredWeightsAndCapacities"]}

    def rewritten(wanted: EndpointDeployment) -> EndpointDeployment:
        unknown = sorted(set(desired) - {variant.variant_name for variant in wanted.variants})
        if unknown:
            # Choice: AWS's words are not known.
            raise ValidationException(f'Could not find variant "{unknown[0]}" of endpoint "{endpoint.arn}".')
        return replace(wanted, variants=tuple(_weighed(one, desired.get(one.variant_name)) for one in wanted.variants))

    return {"EndpointArn": _begin(services, endpoint, rewritten).arn}


def delete(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeleteEndpoint. While one is being created or updated AWS refuses it (observed 2026), and so do we by default."""
    endpoint = services.resources.get(ENDPOINT, caller, params["EndpointName"])
    if endpoint.status in ("Creating", "Updating") and not services.settings.delete_in_progress:
        raise _in_progress(endpoint)
    try:
        services.resources.advance(endpoint, "Deleting")
    except IllegalMove:
        raise _in_progress(endpoint) from None


def _begin(
    services: Services, endpoint: Resource, wanted: Callable[[EndpointDeployment], EndpointDeployment]
) -> Resource:
    def facts(row: Resource) -> Serving:
        before = serving(row)
        return replace(before, wanted=wanted(before.wanted))

    try:
        return services.resources.advance(endpoint, "Updating", facts=facts, FailureReason=None)
    except IllegalMove as move:
        if move.at == "Failed":
            # "DeleteEndpoint is the only operation that can be performed on a failed endpoint", SM:DescribeEndpoint;
            # the words are ours.
            raise ValidationException(f'Cannot update failed endpoint "{endpoint.arn}".') from None
        raise _in_progress(endpoint) from None


def _in_progress(endpoint: Resource) -> ValidationException:
    return ValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _snapshot(services: Services, config_name: str, caller: Caller) -> EndpointDeployment:
    """All that must run, with images resolved now: a tag that moves later changes nothing (contract.md §7)."""
    config = services.resources.get(ENDPOINT_CONFIG, caller, config_name)
    variants = tuple(_variant(services, variant, caller) for variant in config.spec["ProductionVariants"])
    # The time tells it from an earlier deployment of the same configuration: an update always brings new containers,
    # and the model is read anew. Other weights and counts (update_weights) are the same deployment.
    return EndpointDeployment(config.name, variants, services.clock())


def _variant(services: Services, variant: Mapping[str, Any], caller: Caller) -> Variant:
    model = services.resources.get(MODEL, caller, variant["ModelName"])
    containers = images.model_containers(model.spec)
    return Variant(
        variant_name=variant["VariantName"],
        model_name=model.name,
        instance_type=variant["InstanceType"],
        initial_instance_count=variant["InitialInstanceCount"],
        initial_variant_weight=variant.get("InitialVariantWeight", 1.0),
        startup_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds"),
        containers=tuple(served_container(services, one, caller) for one in containers),
        enable_network_isolation=model.spec.get("EnableNetworkIsolation", False),
        execution_role_arn=model.spec.get("ExecutionRoleArn"),
    )


def served_container(services: Services, container: Mapping[str, Any], caller: Caller) -> ServedContainer:
    """A ContainerDefinition with its image resolved now."""
    try:
        found = services.images.resolve(container["Image"], caller)
    except images.Unresolved:
        # Deleted since CreateModel. AWS finds out while it deploys: the pull will fail, with the words for it (§2.14).
        found = Image(images.in_our_registry(container["Image"], services.settings))
    return ServedContainer(
        image=container["Image"],
        resolved_image=found.reference,
        environment=container.get("Environment", {}),
        model_data_url=models.model_data(container),
        container_hostname=container.get("ContainerHostname"),
        stand_in=found.stand_in,
    )


def _retained(wanted: EndpointDeployment, current: EndpointDeployment, excluded: set[str]) -> EndpointDeployment:
    before = {variant.variant_name: variant for variant in current.variants}

    def retained(variant: Variant) -> Variant:
        old = before.get(variant.variant_name, variant)
        if "DesiredInstanceCount" not in excluded:
            variant = replace(variant, initial_instance_count=old.initial_instance_count)
        if "DesiredWeight" not in excluded:
            variant = replace(variant, initial_variant_weight=old.initial_variant_weight)
        return variant

    return replace(wanted, variants=tuple(retained(variant) for variant in wanted.variants))


def _weighed(variant: Variant, desired: Mapping[str, Any] | None) -> Variant:
    if desired is None:
        return variant
    return replace(
        variant,
        initial_variant_weight=desired.get("DesiredWeight", variant.initial_variant_weight),
        initial_instance_count=desired.get("DesiredInstanceCount", variant.initial_instance_count),
    )


OPERATIONS: dict[str, Operation] = {
    "CreateEndpoint": create,
    "DescribeEndpoint": describe,
    "UpdateEndpoint": update,
    "UpdateEndpointWeightsAndCapacities": update_weights,
    "DeleteEndpoint": delete,
}
