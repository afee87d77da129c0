"""Endpoints: what one shall run is written down whole, so that it needs nobody's configuration any more."""

from collections.abc import Callable, Mapping
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.kinds import ENDPOINT, ENDPOINT_CONFIG, MODEL
from samebox.resources.lifecycle import IllegalMove
from samebox.resources.store import Resource
from samebox.services import images
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.services.sagemaker import models
from samebox.wire.caller import Caller


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateEndpoint: writes the wish, and answers before anything runs."""
    refuse("sagemaker", "CreateEndpoint", params)
    wanted = _snapshot(services, params["EndpointConfigName"], caller)
    return {"EndpointArn": services.resources.create(ENDPOINT, caller, params, {"Wanted": wanted}).arn}


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeEndpoint. EndpointConfigName is the one that serves; a new one is in PendingDeploymentSummary."""
    endpoint = services.resources.get(ENDPOINT, caller, params["EndpointName"])
    wanted = endpoint.state["Wanted"]
    current = endpoint.state.get("Current") or wanted
    shown = {**services.resources.present(endpoint), "EndpointConfigName": current["EndpointConfigName"]}
    if endpoint.status == "Updating":
        shown["PendingDeploymentSummary"] = {"EndpointConfigName": wanted["EndpointConfigName"]}
    return shown


def update(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateEndpoint: a new wish. What serves goes on serving until the new is ready."""
    refuse("sagemaker", "UpdateEndpoint", params)
    endpoint = services.resources.get(ENDPOINT, caller, params["EndpointName"])
    wanted = _snapshot(services, params["EndpointConfigName"], caller)
    if params.get("RetainAllVariantProperties"):
        excluded = {one["VariantPropertyType"] for one in params.get("ExcludeRetainedVariantProperties", [])}
        wanted = _retained(wanted, endpoint.state.get("Current") or endpoint.state["Wanted"], excluded)
    return {"EndpointArn": _begin(services, endpoint, lambda _: wanted).arn}


def update_weights(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateEndpointWeightsAndCapacities: the same variants, with other weights and counts."""
    refuse("sagemaker", "UpdateEndpointWeightsAndCapacities", params)
    endpoint = services.resources.get(ENDPOINT, caller, params["EndpointName"])
    desired = {one["VariantName"]: one for one in params["DesiredWeightsAndCapacities"]}

    def rewritten(wanted: Mapping[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(desired) - {variant["VariantName"] for variant in wanted["Variants"]})
        if unknown:
            # Choice: AWS's words are not known.
            raise ValidationException(f'Could not find variant "{unknown[0]}" of endpoint "{endpoint.arn}".')
        return {**wanted, "Variants": [_weighed(one, desired.get(one["VariantName"])) for one in wanted["Variants"]]}

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


def _begin(services: Services, endpoint: Resource, wanted: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Resource:
    try:
        fresh = wanted(endpoint.state["Wanted"])
        return services.resources.advance(endpoint, "Updating", Wanted=fresh, FailureReason=None)
    except IllegalMove as move:
        if move.at == "Failed":
            # "DeleteEndpoint is the only operation that can be performed on a failed endpoint", SM:DescribeEndpoint;
            # the words are ours.
            raise ValidationException(f'Cannot update failed endpoint "{endpoint.arn}".') from None
        raise _in_progress(endpoint) from None


def _in_progress(endpoint: Resource) -> ValidationException:
    return ValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _snapshot(services: Services, config_name: str, caller: Caller) -> dict[str, Any]:
    """All that must run, with images resolved now: a tag that moves later changes nothing (contract.md §7)."""
    config = services.resources.get(ENDPOINT_CONFIG, caller, config_name)
    variants = [_variant(services, variant, caller) for variant in config.spec["ProductionVariants"]]
    # A deployment is told from an earlier one of the same configuration: an update always brings new containers, and
    # the model is read anew. Other weights and counts (update_weights) are the same deployment.
    return {"EndpointConfigName": config.name, "DeployedAt": services.clock(), "Variants": variants}


def _variant(services: Services, variant: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    model = services.resources.get(MODEL, caller, variant["ModelName"])
    return {
        "VariantName": variant["VariantName"],
        "ModelName": model.name,
        "InstanceType": variant["InstanceType"],
        "InitialInstanceCount": variant["InitialInstanceCount"],
        "InitialVariantWeight": variant.get("InitialVariantWeight", 1.0),
        # None: by the settings, as they are when its containers start.
        "StartupSeconds": variant.get("ContainerStartupHealthCheckTimeoutInSeconds"),
        "Containers": [_container(services, one, caller) for one in models.containers(model.spec)],
        "EnableNetworkIsolation": model.spec.get("EnableNetworkIsolation", False),
    }


def _container(services: Services, container: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    try:
        resolved = services.images.resolve(container["Image"], caller).reference
    except images.Unresolved:
        # Deleted since CreateModel. AWS finds out while it deploys: the pull will fail, with the words for it (§2.14).
        resolved = images.in_our_registry(container["Image"], services.settings)
    return {
        "Image": container["Image"],
        "ResolvedImage": resolved,
        "Environment": container.get("Environment", {}),
        "ModelDataUrl": models.model_data(container),
        "ContainerHostname": container.get("ContainerHostname"),
    }


def _retained(wanted: Mapping[str, Any], current: Mapping[str, Any], excluded: set[str]) -> dict[str, Any]:
    kept = {
        member
        for member, kind in (
            ("InitialInstanceCount", "DesiredInstanceCount"),
            ("InitialVariantWeight", "DesiredWeight"),
        )
        if kind not in excluded
    }
    before = {variant["VariantName"]: variant for variant in current["Variants"]}
    variants = [
        {**variant, **{member: before.get(variant["VariantName"], variant)[member] for member in kept}}
        for variant in wanted["Variants"]
    ]
    return {**wanted, "Variants": variants}


def _weighed(variant: Mapping[str, Any], desired: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if desired is None:
        return variant
    return {
        **variant,
        "InitialVariantWeight": desired.get("DesiredWeight", variant["InitialVariantWeight"]),
        "InitialInstanceCount": desired.get("DesiredInstanceCount", variant["InitialInstanceCount"]),
    }


OPERATIONS: dict[str, Operation] = {
    "CreateEndpoint": create,
    "DescribeEndpoint": describe,
    "UpdateEndpoint": update,
    "UpdateEndpointWeightsAndCapacities": update_weights,
    "DeleteEndpoint": delete,
}
