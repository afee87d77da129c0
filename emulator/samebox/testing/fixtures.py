"""The fixtures: an image, a training job of it, a server of it.

What they run starts at its first use and is shared by the whole session. Their scope is the module, so that a module
(or a conftest.py) with a `samebox_image` of its own gets the job and server of that image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.testing import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samebox.testing.serving import Endpoint
    from samebox.testing.training import TrainRun


@pytest.fixture(scope="session")
def samebox_image(pytestconfig: pytest.Config) -> str:
    """The image that `train_run` and `endpoint` run: --samebox-image. Override it to build one, or to name another."""
    name = options.image(pytestconfig)
    if not name:
        pytest.skip("there is no image: give --samebox-image IMAGE, or override the fixture samebox_image")
    return name


@pytest.fixture(scope="module")
def train_run(pytestconfig: pytest.Config, samebox_image: str) -> TrainRun:
    """The image as a training job under SageMaker's /opt/ml: its exit code, log, model and failure.

    `train_run(hyperparameters={"epochs": "2"}, data=folder)` is another job.
    """
    from samebox.testing import kit, training

    return training.of(kit.of(pytestconfig), samebox_image)


@pytest.fixture(scope="module")
def endpoint(pytestconfig: pytest.Config, samebox_image: str) -> Iterator[Endpoint]:
    """The image as an endpoint's server: `endpoint.invoke(b"1,2", "text/csv")`.

    `endpoint(model=archive)` is another, which goes at the end of the module.
    """
    from samebox.testing import kit, serving

    found = serving.of(kit.of(pytestconfig), samebox_image)
    yield found
    found.close_others()
