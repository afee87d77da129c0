"""Labels and ports say what SageMaker reads."""

from __future__ import annotations

import pytest

from samebox.check.static.labels import PREFIX
from tests.check.static.looking import holding, look


@pytest.mark.parametrize(
    ("labels", "status"),
    [({f"{PREFIX}multi-models": "true"}, "pass"), ({}, "fail"), ({f"{PREFIX}multi-models": "True"}, "fail")],
)
def test_a_multi_model_image_has_the_label(labels: dict[str, str], status: str) -> None:
    assert look("multi-model-label", holding(Labels=labels), "multi-model").status == status


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        ({}, "pass"),
        ({f"{PREFIX}accept-bind-to-port": "true"}, "pass"),
        ({f"{PREFIX}accept-bind-to-port": "yes"}, "warn"),
        ({f"{PREFIX}multi-model": "true"}, "warn"),
        ({"com.amazonaws.sagemaker.capability.multi-models": "true"}, "warn"),
    ],
)
def test_a_label_that_sagemaker_does_not_know_is_pointed_at(labels: dict[str, str], status: str) -> None:
    assert look("image-capability-labels", holding(Labels=labels)).status == status


@pytest.mark.parametrize(
    ("ports", "status"), [({}, "pass"), ({"8080/tcp": {}, "9000/tcp": {}}, "pass"), ({"5000/tcp": {}}, "warn")]
)
def test_an_exposed_port_is_the_one_that_is_spoken_to(ports: dict[str, object], status: str) -> None:
    found = look("image-exposed-port", holding(ExposedPorts=ports), "serve", words="FROM x\nEXPOSE 5000")
    assert (found.status, found.line) == (status, 2 if status == "warn" else None)
