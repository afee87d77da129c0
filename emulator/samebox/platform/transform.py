"""A transform job as a plan: the model's container on each instance, and how it is asked (contract §3). Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from samebox.data.tree import Tree
from samebox.platform import job, serving
from samebox.platform.job import HostPlan, JobPlan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from samebox.data.opt_ml import ModelFacts
    from samebox.platform.job import HostLimits, Placement, Surroundings
    from samebox.platform.pipelines import PipelinePlace

MEGABYTE = 1024 * 1024
# What counts where neither the request nor /execution-parameters says otherwise (contract §3.1).
CONCURRENT, PAYLOAD_MB, STRATEGY = 1, 6, "MULTI_RECORD"
STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
PRODUCT_MB = 100  # MaxConcurrentTransforms times MaxPayloadInMB


@dataclass(frozen=True)
class ModelContainer:
    """A container of a model as it is run: its definition, its image, and the folder of its unpacked model, if any."""

    place: PipelinePlace
    definition: Mapping[str, Any]
    image: str
    model: Path | None
    surroundings: Surroundings


@dataclass(frozen=True)
class TransformRules:
    """How an object becomes requests. `payload_mb` 0: each object is one request of any length."""

    concurrent: int = CONCURRENT
    payload_mb: int = PAYLOAD_MB
    strategy: str = STRATEGY

    @property
    def in_words(self) -> str:
        """As the data log shows them (observed 2020)."""
        return (
            f"MaxConcurrentTransforms={self.concurrent}, MaxPayloadInMB={self.payload_mb}, "
            f"BatchStrategy={self.strategy}"
        )


def rules(request: Mapping[str, Any], answered: Mapping[str, Any]) -> TransformRules:
    """The request's members before those that the container answered, before the defaults (contract §3.1).

    What a container answers counts only in the form that is documented.
    """
    strategy = answered.get("BatchStrategy")
    strategy = str(strategy) if strategy in STRATEGIES.values() else STRATEGY
    return TransformRules(
        request.get("MaxConcurrentTransforms") or _count(answered, "MaxConcurrentTransforms") or CONCURRENT,
        request.get("MaxPayloadInMB", _count(answered, "MaxPayloadInMB", PAYLOAD_MB)),
        STRATEGIES[request["BatchStrategy"]] if "BatchStrategy" in request else strategy,
    )


def environment(request: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, str]:
    """The model's Environment, that of the job, and what the platform adds: of the request only what it sets."""
    found = {**(definition.get("Environment") or {}), **request.get("Environment", {}), "SAGEMAKER_BATCH": "true"}
    if "MaxPayloadInMB" in request:
        found["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(request["MaxPayloadInMB"])
    if "BatchStrategy" in request:
        found["SAGEMAKER_BATCH_STRATEGY"] = STRATEGIES[request["BatchStrategy"]]
    if request.get("MaxConcurrentTransforms"):
        found["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(request["MaxConcurrentTransforms"])
    return found


def instances(request: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a job's instances."""
    return tuple(f"algo-{number}" for number in range(1, request["TransformResources"]["InstanceCount"] + 1))


def plan(
    request: Mapping[str, Any],
    containers: Sequence[ModelContainer],
    known: ModelFacts,
    placement: Placement,
    limits: HostLimits,
    isolated: bool,
) -> JobPlan:
    """A host for each container of the model on each instance. Those of one instance share what it has."""
    network = job.network(placement, isolated)
    hosts = []
    for number, instance in enumerate(instances(request), 1):
        for one in containers:
            name = one.place.host(instance)
            container = serving.container(
                {**one.definition, "Environment": environment(request, one.definition)},
                one.image,
                replace(known, port=one.place.port, safe_ports=one.place.safe_ports),
                limits,
                network.name,
                placement.labels,
                placement.container_name(name),
                one.model,
                isolated,
                one.surroundings,
            )
            container = replace(container, hostname=job.ec2_name(placement.identity, number), aliases=(name,))
            hosts.append(HostPlan(name, placement.root / name, Tree((), {}), container))
    return JobPlan(tuple(hosts), network)


def _count(answered: Mapping[str, Any], member: str, otherwise: int = 0) -> int:
    value = answered.get(member)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= PRODUCT_MB else otherwise
