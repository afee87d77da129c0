"""A model's container as a plan: what a ContainerDefinition makes of it (contract §2.1, §2.5). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from samebox.containers.engine import ContainerSpec, Mount
from samebox.data import opt_ml
from samebox.platform.job import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from samebox.platform.job import HostLimits

PORT = 8080
MODEL_DIRECTORY = "/opt/ml/model"
# Images of the containers of a pipeline have it (contract §2.7).
BIND_LABEL = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"
HOST_NAME = "container-0.local"  # observed 2024, contract §2.1


def container(
    definition: Mapping[str, Any],
    image: str,
    known: opt_ml.ModelFacts,
    limits: HostLimits,
    network: str,
    labels: Mapping[str, str],
    name: str | None = None,
    model: Path | None = None,
    isolated: bool = False,
    surroundings: Surroundings | None = None,
) -> ContainerSpec:
    """The container of a ContainerDefinition. `model`: the folder of the unpacked model; None where it has none.

    `isolated`: EnableNetworkIsolation, which also takes credentials away; the network is the caller's choice.
    """
    around = surroundings or Surroundings()
    command = opt_ml.model_command()
    model_mounts = (Mount(model, MODEL_DIRECTORY, read_only=True),) if model is not None else ()
    return ContainerSpec(
        image=image,
        name=name,
        command=command.command,
        entrypoint=command.entrypoint,
        environment={**around.environment, **opt_ml.model_environment(definition, known, isolated)},
        labels=labels,
        mounts=(*model_mounts, *around.mounts),
        hostname=definition.get("ContainerHostname") or HOST_NAME,
        network=network,
        publish={known.port or PORT: 0},
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        gpus=limits.gpus,
        shm_bytes=limits.shm_bytes,
        ulimits=limits.ulimits,
        pids_limit=limits.pids,
        log_bytes=limits.log_bytes,
    )


def facts(region: str) -> opt_ml.ModelFacts:
    """Facts of a server that no emulator runs: without credentials, and without a way to AWS's API."""
    return opt_ml.ModelFacts(region)
