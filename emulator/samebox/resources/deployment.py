"""Deployments: what an endpoint runs, written down whole when it is asked for, and where it is served.

CreateEndpoint and UpdateEndpoint write what is `wanted`; its runner writes what is `current` and the `routes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from samebox.resources.facts import from_json
from samebox.resources.store import Resource


@dataclass(frozen=True)
class StandIn:
    """A local image that runs in place of `given`, the name of one that AWS owns.

    `build` is the command that makes it, `has` its contents.
    """

    given: str
    image: str
    build: str
    has: str = ""

    @property
    def label(self) -> str:
        """What the log of its container begins with."""
        contents = f" ({self.has})" if self.has else ""
        return f"{self.image}{contents} stands in for {self.given}, which AWS owns"

    @property
    def why_absent(self) -> str:
        """Why no container of it can be made, and what to do."""
        return (
            f"{self.given} is owned by AWS, and {self.image}, which stands in for it, is not on this machine. Make it, "
            f"in a clone of samebox: {self.build}"
        )


@dataclass(frozen=True)
class ServedContainer:
    """A ContainerDefinition with its image resolved: `image` is the name as it was given."""

    image: str
    resolved_image: str
    environment: Mapping[str, str] = field(default_factory=dict)
    model_data_url: str | None = None
    container_hostname: str | None = None
    stand_in: StandIn | None = None


@dataclass(frozen=True)
class Variant:
    """A production variant with its model. `startup_seconds` None: by the settings, when its containers start."""

    variant_name: str
    model_name: str
    instance_type: str
    containers: tuple[ServedContainer, ...]
    initial_instance_count: int = 1
    initial_variant_weight: float = 1.0
    startup_seconds: float | None = None
    enable_network_isolation: bool = False
    execution_role_arn: str | None = None


@dataclass(frozen=True)
class EndpointDeployment:
    """An endpoint configuration with its models, as they were when it was deployed: later changes do not affect it.

    `deployed_at`, epoch seconds, distinguishes two deployments of one configuration: an update brings new containers.
    """

    endpoint_config_name: str
    variants: tuple[Variant, ...]
    deployed_at: float | None = None


@dataclass(frozen=True)
class PipelineStage:
    """Where a further container of a pipeline is served, on each instance."""

    container_name: str
    addresses: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class VariantRoute:
    """Where a variant is served: its share of requests is its weight, its ready containers are at `addresses`.

    Of a pipeline these are its first containers, and `further` are the others in their order.
    """

    variant_name: str
    weight: float
    addresses: tuple[tuple[str, int], ...]
    log_group: str
    container_name: str = "primary"  # what messages call a container that failed
    further: tuple[PipelineStage, ...] = ()


@dataclass(frozen=True)
class Serving:
    """The facts of an endpoint: the desired deployment, the one in service if there is one, and its routes."""

    wanted: EndpointDeployment
    current: EndpointDeployment | None = None
    routes: tuple[VariantRoute, ...] = ()


def serving(endpoint: Resource) -> Serving:
    """The facts of an endpoint's row."""
    return from_json(Serving, endpoint.facts)
