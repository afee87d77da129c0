"""The /opt/ml tree, environment and command line of one training host, byte for byte (contract §1.1–1.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Host:
    """One instance of the job: `algo-1`, its instance type, its group."""

    name: str
    instance_type: str
    group: str = "homogeneousCluster"


@dataclass(frozen=True)
class TrainingFacts:
    """What the request does not say. `credentials_path` is `/v2/credentials/<uuid>` when somebody serves it."""

    arn: str
    region: str
    has_gpu: bool = False
    credentials_path: str | None = None
    metadata_id: str | None = None


@dataclass(frozen=True)
class Command:
    """Entrypoint and command as the Engine takes them; None keeps the image's own."""

    entrypoint: tuple[str, ...] | None
    command: tuple[str, ...] | None


def hosts(request: Mapping[str, Any]) -> tuple[Host, ...]:
    """`algo-1` … `algo-N` of a CreateTrainingJob request, in number order."""
    raise NotImplementedError


def config_files(
    request: Mapping[str, Any], facts: TrainingFacts, hosts: Sequence[Host], current_host: str
) -> dict[str, bytes]:
    """Paths relative to /opt/ml (`input/config/hyperparameters.json`, …) and their bytes (contract §1.3)."""
    raise NotImplementedError


def directories(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Directories that exist before the container starts, relative to /opt/ml (contract §1.2)."""
    raise NotImplementedError


def write_tree(
    root: Path, request: Mapping[str, Any], facts: TrainingFacts, hosts: Sequence[Host], current_host: str
) -> None:
    """Make `root` the /opt/ml of `current_host`; again after a crash gives the same tree. Channels are not touched."""
    raise NotImplementedError


def environment(request: Mapping[str, Any], facts: TrainingFacts) -> dict[str, str]:
    """What the platform sets (contract §1.4.1): the request's Environment under it, no SM_*, no keys."""
    raise NotImplementedError


def command(request: Mapping[str, Any]) -> Command:
    """`train`, unless ContainerEntrypoint or ContainerArguments is given (contract §1.1)."""
    raise NotImplementedError


def model_environment(container: Mapping[str, Any], facts: ModelFacts) -> dict[str, str]:
    """What a hosting container sees (contract §2.1, §2.5): the ContainerDefinition's Environment and the platform's."""
    raise NotImplementedError


def model_command() -> Command:
    """`serve`; a ContainerDefinition has no way to say otherwise (contract §2.1)."""
    raise NotImplementedError


@dataclass(frozen=True)
class ModelFacts:
    """What a ContainerDefinition does not say. `port` only where the platform binds one (several containers)."""

    region: str
    port: int | None = None
    multi_model: bool = False
    has_gpu: bool = False
    credentials_path: str | None = None
