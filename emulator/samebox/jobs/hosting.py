"""The plan of an endpoint: its slots, each a container to run, and AWS's error text for each that cannot.

Pure, like plan.py: the same row gives the same slots, after a restart too.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerSpec, ContainerSummary
from samebox.containers.instances import Limits
from samebox.data import opt_ml
from samebox.jobs.plan import EmulatorInfo, host_limits, keys_of, surroundings_of
from samebox.platform import serving
from samebox.platform.pipelines import ALONE, PipelinePlace
from samebox.resources.deployment import EndpointDeployment, PipelineStage, StandIn, Variant, VariantRoute
from samebox.resources.facts import to_json
from samebox.resources.store import Resource
from samebox.resources.unique_id import credentials_id, unique_id

# By these labels a container is recognised after a restart.
VARIANT_LABEL = "samebox.variant"
GENERATION_LABEL = "samebox.generation"
NUMBER_LABEL = "samebox.number"
PLACE_LABEL = "samebox.place"  # in a pipeline
INSTANCE_ID_LABEL = "samebox.instance-id"


# Members of a variant that change how many and how often, and those that came after containers had been labelled.
_NOT_HASHED = ("InitialVariantWeight", "InitialInstanceCount", "ExecutionRoleArn", "StandIn")


@dataclass(frozen=True)
class Slot:
    """A place that one container fills. Two configurations of an endpoint share no generation: that is blue/green.

    `number` is that of the instance, `place` that of the container in its model; both count from 0.
    """

    variant: str
    generation: str
    number: int
    place: int = 0


@dataclass(frozen=True)
class ServerPlan:
    """One container that serves. `network` is to be made first, where there is one."""

    arn: str
    slot: Slot
    container: ContainerSpec
    model_url: str | None
    model_folder: Path
    network: str | None
    startup_seconds: float
    log_group: str
    log_stream: str
    warning: str | None
    stand_in: StandIn | None = None
    place: PipelinePlace = ALONE  # in its model

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.place.port or serving.PORT


def models_folder(data_dir: Path) -> Path:
    """Where all endpoints' unpacked models are."""
    return data_dir / "models"


def endpoint_folder(resource: Resource, data_dir: Path) -> Path:
    """Where one endpoint's models are, a folder for each generation."""
    return models_folder(data_dir) / unique_id(resource)[:16]


def network_name(resource: Resource) -> str:
    """The network of an endpoint whose containers are isolated."""
    return f"samebox-{unique_id(resource)[:16]}"


def log_group(resource: Resource) -> str:
    """contract.md §2.13."""
    return f"/aws/sagemaker/Endpoints/{resource.name}"


def slots(resource: Resource, deployment: EndpointDeployment | None) -> dict[Slot, Variant]:
    """The slots of a deployment, each with its variant."""
    return dict(_slots(resource, deployment)) if deployment else {}


def _slots(resource: Resource, deployment: EndpointDeployment) -> Iterator[tuple[Slot, Variant]]:
    for variant in deployment.variants:
        generation = _generation(resource, deployment, variant)
        for number in range(variant.initial_instance_count):
            for place in range(len(variant.containers)):
                yield Slot(variant.variant_name, generation, number, place), variant


def _generation(resource: Resource, deployment: EndpointDeployment, variant: Variant) -> str:
    # Containers bear this as a label: it must not change from one version of samebox to the next.
    what = {key: value for key, value in to_json(variant).items() if key not in _NOT_HASHED}
    what["Containers"] = [{key: one[key] for key in one if key not in _NOT_HASHED} for one in what["Containers"]]
    deployed = [unique_id(resource), deployment.endpoint_config_name, deployment.deployed_at]
    text = json.dumps([*deployed, what], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def slot_of(state: ContainerSummary) -> Slot | None:
    """The slot that a container was made for."""
    labels = state.labels
    try:
        place = int(labels.get(PLACE_LABEL, "0"))
        return Slot(labels[VARIANT_LABEL], labels[GENERATION_LABEL], int(labels[NUMBER_LABEL]), place)
    except (KeyError, ValueError):
        return None


def first_instance_id(slot: Slot) -> str:
    """The instance id of the first container of a slot; its replacements have random ones."""
    return instance_id(f"{slot.generation} {slot.number}")


def instance_id(text: str) -> str:
    """An EC2 instance id, from a text that is its own."""
    return "i-" + hashlib.sha256(text.encode()).hexdigest()[:17]


def server(
    resource: Resource, slot: Slot, variant: Variant, instance: str, limits: Limits, emulator: EmulatorInfo
) -> ServerPlan:
    """The plan of one container. Pure."""
    container, place = variant.containers[slot.place], places(variant)[slot.place]
    isolated = variant.enable_network_isolation
    facts = opt_ml.ModelFacts(
        region=resource.region,
        has_gpu=limits.gpus > 0,
        credentials_path=_credentials_path(resource, variant, emulator),
        endpoint_url=emulator.endpoint_url,
        port=place.port,
        safe_ports=place.safe_ports,
    )
    url = container.model_data_url
    folder = endpoint_folder(resource, emulator.data_dir) / _model_name(slot)
    return ServerPlan(
        arn=resource.arn,
        slot=slot,
        container=serving.container(
            {"ContainerHostname": container.container_hostname, "Environment": container.environment},
            container.resolved_image,
            facts,
            host_limits(limits, emulator.settings),
            # "none" would leave us no way in; a network of its own leaves it no way out.
            network_name(resource) if isolated else emulator.network,
            {
                INSTANCE_LABEL: emulator.label,
                ARN_LABEL: resource.arn,
                VARIANT_LABEL: slot.variant,
                GENERATION_LABEL: slot.generation,
                NUMBER_LABEL: str(slot.number),
                INSTANCE_ID_LABEL: instance,
                **({PLACE_LABEL: str(slot.place)} if slot.place else {}),
            },
            f"samebox-{resource.name}-{slot.variant}-{instance}" + (f"-{place.number}" if slot.place else ""),
            folder if url else None,
            isolated,
            surroundings_of(
                emulator,
                isolated,
                keys=keys_of(
                    emulator, resource, variant.execution_role_arn, container.environment, variant.variant_name
                ),
            ),
        ),
        model_url=url,
        model_folder=folder,
        network=network_name(resource) if isolated else None,
        startup_seconds=float(variant.startup_seconds or emulator.settings.startup_seconds),
        log_group=log_group(resource),
        log_stream=log_stream(slot, variant, instance),
        warning=limits.warning,
        stand_in=container.stand_in,
        place=place,
    )


def places(variant: Variant) -> tuple[PipelinePlace, ...]:
    """The places of a variant's containers in its model."""
    return PipelinePlace.all([one.container_hostname for one in variant.containers])


def log_stream(slot: Slot, variant: Variant, instance: str) -> str:
    """contract.md §2.13."""
    name = places(variant)[slot.place].name
    return f"{slot.variant}/{instance}/{name}" if name else f"{slot.variant}/{instance}"


def _model_name(slot: Slot) -> str:
    return f"{slot.generation}-{slot.place + 1}" if slot.place else slot.generation


def generation_of(folder: Path) -> str:
    """The generation whose model is in a folder."""
    return folder.name.partition("-")[0]


def _credentials_path(resource: Resource, variant: Variant, emulator: EmulatorInfo) -> str | None:
    if not emulator.credentials or variant.enable_network_isolation or not variant.execution_role_arn:
        return None
    return f"/v2/credentials/{credentials_id(resource, emulator.secret, variant.variant_name)}"


def summaries(deployment: EndpointDeployment, now: float) -> list[dict[str, Any]]:
    """ProductionVariants of DescribeEndpoint, for a deployment that is in service."""
    return [
        {
            "VariantName": variant.variant_name,
            "DeployedImages": [
                {"SpecifiedImage": one.image, "ResolvedImage": one.resolved_image, "ResolutionTime": now}
                for one in variant.containers
            ],
            "CurrentWeight": variant.initial_variant_weight,
            "DesiredWeight": variant.initial_variant_weight,
            "CurrentInstanceCount": variant.initial_instance_count,
            "DesiredInstanceCount": variant.initial_instance_count,
        }
        for variant in deployment.variants
    ]


def routes(
    resource: Resource, deployment: EndpointDeployment, addresses: Mapping[Slot, tuple[str, int]]
) -> tuple[VariantRoute, ...]:
    """The routes of a deployment, given where its ready containers are."""
    found: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for slot in slots(resource, deployment):
        if slot in addresses:
            found.setdefault((slot.variant, slot.place), []).append(addresses[slot])

    def route(variant: Variant) -> VariantRoute:
        first, *further = (
            PipelineStage(place.name or "primary", tuple(found.get((variant.variant_name, place.number - 1), ())))
            for place in places(variant)
        )
        is_whole = all(stage.addresses for stage in further)
        return VariantRoute(
            variant_name=variant.variant_name,
            weight=float(variant.initial_variant_weight),
            addresses=first.addresses if is_whole else (),  # a pipeline without one of its containers serves nothing
            log_group=log_group(resource),
            container_name=first.container_name,
            further=tuple(further),
        )

    return tuple(map(route, deployment.variants))


# FailureReason: contract.md §2.4 and §2.14.


def ping_failed(variant: str, name: str = "") -> str:
    """It did not answer /ping in time; `name`: of a container of a pipeline."""
    return (
        f"The {name or 'primary container'} for production variant {variant} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )


def cannot_start(variant: str) -> str:
    """It could not be started at all."""
    return (
        f"CannotStartContainerError. Please ensure the model container for variant {variant} starts correctly when "
        "invoked with 'docker run <image> serve'"
    )


def image_missing(variant: str) -> str:
    """Its image cannot be pulled."""
    return (
        f"Please make sure all images included in the model for the production variant {variant} exist, and that the "
        "execution role used to create the model has permissions to access them."
    )


def model_missing(url: str, name: str = "") -> str:
    """Its model.tar.gz cannot be read."""
    return (
        f'Failed to download model data for container "{name or "container_1"}" from URL: "{url}". Please ensure that '
        "there is an object located at the URL and that the role passed to CreateModel has permissions to download the "
        "object."
    )


def model_refused(url: str, why: str) -> str:
    """Its model.tar.gz is none, or holds what may not be there. AWS's words for this are not in contract.md."""
    return (
        f'Failed to extract model data archive for container "container_1" from URL: "{url}". Please ensure that the '
        f"object located at the URL is a valid tar.gz archive. {why}"
    )


def not_for_pipelines(name: str) -> str:
    """Its image is not made to be one of several; the words are ours (contract.md §2.7)."""
    return f"The image of {name} has no label {serving.BIND_LABEL}=true. A pipeline needs it."


MODEL_TOO_LARGE = (
    "The model data archive is too large. Please reduce the size of the model data archive or move to an instance type "
    "with more memory."
)


def no_capacity(why: str) -> str:
    """This host cannot be the instance that was asked for."""
    return f"Unable to provision requested ML compute capacity. {why}"


# Observed for failures inside SageMaker; where we err ourselves.
INTERNAL = "Request to service failed. If failure persists after retry, contact customer support."
