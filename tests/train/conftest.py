"""Training jobs in the train image, laid out as SageMaker lays them out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.train import docker_cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IMAGE = "samebox/train:cpu"
GOLDEN = Path(__file__).resolve().parent.parent / "contract" / "opt_ml"


class Job:
    """One training container and its /opt/ml."""

    def __init__(self, opt_ml: Path, container: docker_cli.RunningContainer) -> None:
        self.opt_ml = opt_ml
        self.container = container

    @property
    def failure(self) -> str | None:
        path = self.opt_ml / "output" / "failure"
        return path.read_text() if path.exists() else None


class StartJob(Protocol):
    def __call__(
        self,
        program: str | None = None,
        *,
        hyperparameters: Mapping[str, str] | None = None,
        case: str = "minimal",
        options: tuple[str, ...] = (),
        code: Mapping[str, str] | None = None,
    ) -> Job: ...


@pytest.fixture
def start_job(tmp_path: Path) -> Iterator[StartJob]:
    """Start a job on a golden tree. `program` is the text of the user's train.py; None runs the sample."""
    started: list[docker_cli.RunningContainer] = []

    def start(
        program: str | None = None,
        *,
        hyperparameters: Mapping[str, str] | None = None,
        case: str = "minimal",
        options: tuple[str, ...] = (),
        code: Mapping[str, str] | None = None,
    ) -> Job:
        opt_ml = tmp_path / f"job-{len(started)}"
        shutil.copytree(GOLDEN / case / "opt_ml", opt_ml)
        for name in ("model", "output/data", "code", "checkpoints"):
            (opt_ml / name).mkdir(parents=True, exist_ok=True)
        if hyperparameters is not None:
            (opt_ml / "input/config/hyperparameters.json").write_text(json.dumps(dict(hyperparameters)))
        for name, text in {**(code or {}), **({"train.py": program} if program is not None else {})}.items():
            (opt_ml / "code" / name).write_text(text)
        mounts = [f"-v={opt_ml / name}:/opt/ml/{name}" for name in ("input", "model", "output", "code", "checkpoints")]
        # What the emulator does on one host (resourceconfig.json names it algo-1).
        hosts = ("--add-host=algo-1:127.0.0.1",)
        container = docker_cli.start(IMAGE, "train", options=(*mounts, *hosts, *options))
        started.append(container)
        return Job(opt_ml, container)

    yield start
    for container in started:
        docker_cli.remove(container)
