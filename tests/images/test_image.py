"""The images as SageMaker and their users meet them: what runs, what they say of themselves, what they weigh.

What holds inside them (versions, no compiler, no cache, MPI over ssh) is checked inside them: images/check, which
`docker buildx bake validate` runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .conftest import SERVE, TRAIN, labels, run_in

if TYPE_CHECKING:
    from docker.client import DockerClient

pytestmark = pytest.mark.docker

BIND_TO_PORT = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"
MULTI_MODELS = "com.amazonaws.sagemaker.capabilities.multi-models"


def test_horovod_has_mpi_and_gloo(engine: DockerClient) -> None:
    program = "import tensorflow, horovod.tensorflow as h; h.init(); print(h.mpi_built(), h.gloo_built())"

    assert run_in(engine, TRAIN, "python", "-c", program) == "True True\n"


@pytest.mark.parametrize(("image", "program"), [(TRAIN, "train"), (SERVE, "serve")])
def test_the_program_is_found_and_nothing_stands_before_it(engine: DockerClient, image: str, program: str) -> None:
    # SageMaker runs `docker run IMAGE train`; an ENTRYPOINT would be handed that word as an argument.
    config = engine.images.get(image).attrs["Config"]

    assert not config["Entrypoint"]
    assert config["Cmd"] == [program]
    assert run_in(engine, image, "sh", "-c", f"command -v {program}") == f"/opt/samebox/{program}/{program}\n"


@pytest.mark.parametrize(("image", "program"), [(TRAIN, "train"), (SERVE, "serve")])
@pytest.mark.parametrize("folder", ["/usr/local/bin", "/usr/bin", "/bin"])
def test_a_program_of_an_image_that_is_built_on_ours_wins(
    engine: DockerClient, image: str, program: str, folder: str
) -> None:
    own = f"printf '#!/bin/sh\\necho mine\\n' >{folder}/{program} && chmod +x {folder}/{program} && exec {program}"

    assert run_in(engine, image, "sh", "-c", own) == "mine\n"


@pytest.mark.parametrize(("image", "most"), [(TRAIN, 2300), (SERVE, 2000)])
def test_an_image_keeps_its_size_budget(engine: DockerClient, image: str, most: int) -> None:
    budget = int(labels(engine, image)["samebox.size-budget-mb"])

    assert budget <= most
    assert engine.images.get(image).attrs["Size"] <= budget * 1_000_000


def test_images_have_labels_that_describe_them(engine: DockerClient) -> None:
    train, serve = labels(engine, TRAIN), labels(engine, SERVE)

    assert train["org.opencontainers.image.title"] == "samebox/train"
    assert serve["org.opencontainers.image.title"] == "samebox/serve"
    assert train["samebox.accelerator"] == serve["samebox.accelerator"] == "cpu"
    assert serve[BIND_TO_PORT] == "true"
    assert MULTI_MODELS not in serve
