"""The baked images of the cpu row. scripts/test bakes them first; here they are only looked at."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

if TYPE_CHECKING:
    from docker.client import DockerClient

ROOT = Path(__file__).resolve().parents[2]
TRAIN, SERVE, REGISTRY = "samebox/train:cpu", "samebox/serve:cpu", "samebox/registry:latest"

Bake = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    client = docker.from_env(timeout=120)
    yield client
    client.close()


@pytest.fixture(scope="session")
def bake() -> Bake:
    """Runs `docker buildx bake` in the project, with variables as keywords; what --print prints comes back parsed."""

    def run(*arguments: str, **variables: str) -> dict[str, Any]:
        command = ["docker", "buildx", "bake", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        printed: dict[str, Any] = json.loads(done.stdout) if "--print" in arguments else {}
        return printed

    return run


def layers(engine: DockerClient, image: str) -> list[str]:
    """The digests of an image's layers, lowest first."""
    digests: list[str] = engine.images.get(image).attrs["RootFS"]["Layers"]
    return digests


def labels(engine: DockerClient, image: str) -> dict[str, str]:
    found: dict[str, str] = engine.images.get(image).attrs["Config"]["Labels"]
    return found


def run_in(engine: DockerClient, image: str, *command: str, **options: Any) -> str:
    output: bytes = engine.containers.run(
        image, list(command), remove=True, labels={"samebox-test": "images"}, stderr=False, **options
    )
    return output.decode()
