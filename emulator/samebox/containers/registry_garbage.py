"""Garbage of the registry behind ECR: layers that no image has any more, removed by the registry's own program.

CNCF Distribution collects while nothing is pushed: a layer whose manifest is still to come looks like garbage.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerSpec, EngineError, Mount
from samebox.containers.registry_server import FOLDER, container_name

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.engine import Engine

# Stands where other containers have the ARN of what they serve.
OWNER = "registry-garbage"
SECONDS = 600.0
_LOG_BYTES = 256 * 1024**2  # a line for each blob, and all of them are read
_CONFIGURATION = "/etc/docker/registry/config.yml"
_ELIGIBLE = re.compile(r"blob eligible for deletion: sha256:(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True)
class Garbage:
    """Blobs that nothing refers to, and their size."""

    blobs: int = 0
    bytes: int = 0

    def __bool__(self) -> bool:
        return self.blobs > 0

    def __str__(self) -> str:
        return f"{self.blobs} blobs of ECR's registry that no image has any more ({self.bytes / 1e6:,.1f} MB)"


def find(engine: Engine, image: str, folder: Path, instance: str) -> Garbage:
    """What could be collected; nothing where there is no registry. Raises EngineError."""
    if not (folder / "docker/registry/v2/repositories").is_dir() or engine.image(image) is None:
        return Garbage()
    digests = _ELIGIBLE.findall(_run(engine, image, folder, instance, "--dry-run"))
    sizes = [size for digest in set(digests) if (size := _size(folder, digest)) is not None]
    return Garbage(len(sizes), sum(sizes))


def collect(engine: Engine, image: str, folder: Path, instance: str) -> None:
    """Remove it. Nothing may be pushed meanwhile: no registry can start, as this container bears its name.

    Raises EngineError, NameTaken when the registry runs.
    """
    _run(engine, image, folder, instance)


def _run(engine: Engine, image: str, folder: Path, instance: str, *options: str) -> str:
    spec = ContainerSpec(
        image=image,
        name=None if options else container_name(instance),
        command=("garbage-collect", *options, _CONFIGURATION),
        environment={"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": FOLDER},
        labels={INSTANCE_LABEL: instance, ARN_LABEL: OWNER},
        mounts=(Mount(folder.resolve(), FOLDER, read_only=bool(options)),),
        user=f"{os.getuid()}:{os.getgid()}",
        network="none",
        memory_bytes=512 * 1024**2,
        pids_limit=512,
        log_bytes=_LOG_BYTES,
    )
    container = engine.run(spec)
    try:
        ended = engine.wait(container, SECONDS)
        output = "\n".join(line.text for line in engine.logs(container))
    finally:
        engine.remove(container)
    if ended is None or ended.exit_code:
        last = output.strip().rpartition("\n")[2]
        raise EngineError(f"the registry's garbage collection has failed: {last or 'it did not end in time'}")
    return output


def _size(folder: Path, digest: str) -> int | None:
    try:
        return (folder / "docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data").stat().st_size
    except FileNotFoundError:
        return None
