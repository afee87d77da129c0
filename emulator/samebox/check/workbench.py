"""The interface through which the kit gets containers set up as the platform does; the caller implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Prepared:
    """What the platform gives a container beside its folders. `None` keeps the image's own."""

    environment: Mapping[str, str]
    entrypoint: tuple[str, ...] | None
    command: tuple[str, ...] | None


class Workbench(Protocol):
    """Sets up containers exactly as SageMaker does; `samebox check` hands over the emulator's own."""

    def training(self, root: Path, request: Mapping[str, Any], host: str) -> Prepared:
        """Make `root` the /opt/ml of `host` ("algo-1") for a CreateTrainingJob request; channels are not touched."""

    def processing(self, root: Path, request: Mapping[str, Any], host: str) -> Prepared:
        """Make `root` the /opt/ml of `host` for a CreateProcessingJob request; inputs are not touched."""

    def record(self, payload: bytes) -> bytes:
        """One object as RecordWrapperType RecordIO wraps it. Raises ValueError where it is too large for that."""
