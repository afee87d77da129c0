"""Endpoints of models with several containers, on the fake engine: their servers, routes, logs and failures."""

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from samebox.containers.fake_process import FakeRequest, FakeResponse
from samebox.platform.serving import BIND_LABEL
from samebox.resources.deployment import ServedContainer, Variant, serving
from samebox.settings import Settings
from tests.jobs.endpoint_samples import SETTINGS, archive, ids, logs, variant, wanted

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process, Program
    from tests.jobs.harness import Harness


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


def stage(word: str, ping: int = 200) -> "Program":
    """A server on the port that it is given, which says a word."""

    def answer(request: FakeRequest) -> FakeResponse:
        return FakeResponse(ping) if request.path == "/ping" else FakeResponse(200, word.encode())

    def serve(process: "Process") -> int:
        weights = process.path("/opt/ml/model") / "weights"
        process.print(f"{word} has {weights.read_text() if weights.exists() else 'no model'}")
        return process.serve(answer, int(process.environment["SAGEMAKER_BIND_TO_PORT"]))

    return serve


def pipeline(*urls: str, count: int = 1, startup_seconds: float = 20) -> Variant:
    containers = tuple(
        ServedContainer(f"serve:{number}", f"serve:{number}", model_data_url=url or None, container_hostname=name)
        for number, (name, url) in enumerate(zip(("clean", "predict"), urls or ("", ""), strict=True), 1)
    )
    return replace(variant(count=count, startup_seconds=startup_seconds), containers=containers)


def add_images(harness: "Harness", ping: int = 200, label: str = "true") -> None:
    harness.engine.add_image("serve:1", {"serve": stage("one")}, labels={BIND_LABEL: "true"})
    harness.engine.add_image("serve:2", {"serve": stage("two", ping)}, labels={BIND_LABEL: label})


def test_each_container_of_each_instance_is_routed_and_has_a_model_and_a_log(harness: "Harness") -> None:
    add_images(harness)
    urls = [harness.put_object(f"models/{name}.tar.gz", archive(weights=name.encode())) for name in ("a", "b")]
    harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(pipeline(*urls, count=2))), "InService")
    (route,) = serving(row).routes
    assert (route.container_name, len(route.addresses)) == ("clean", 2)
    assert [(one.container_name, len(one.addresses)) for one in route.further] == [("predict", 2)]
    harness.poll_until(
        lambda: sorted(chain.from_iterable(logs(harness).values())) == 2 * ["one has a"] + 2 * ["two has b"]
    )
    assert sorted(name.split("/")[2] for name in logs(harness)) == ["clean", "clean", "predict", "predict"]
    harness.resources.advance(harness.reload(row), "Deleting")
    harness.poll_until(lambda: not ids(harness) and harness.resources.by_arn(row.arn) is None)


def test_a_restart_keeps_the_containers_of_a_pipeline(harness: "Harness") -> None:
    add_images(harness)
    harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(pipeline())), "InService")
    before = ids(harness)
    harness.crash()
    harness.start()
    harness.poll_until(lambda: serving(harness.reload(row)).routes == serving(row).routes)
    assert ids(harness) == before


def test_a_container_of_a_pipeline_that_is_not_ready_is_named(harness: "Harness") -> None:
    add_images(harness, ping=500)
    harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(pipeline(startup_seconds=0.5))), "Failed")
    assert row.state["FailureReason"] == (
        "The predict for production variant AllTraffic did not pass the ping health check. Please check CloudWatch "
        "logs for this endpoint."
    )


def test_an_image_that_is_not_made_for_pipelines_fails_the_endpoint(harness: "Harness") -> None:
    add_images(harness, label="false")
    harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(pipeline())), "Failed")
    assert row.state["FailureReason"].startswith("The image of predict has no label com.amazonaws.sagemaker.")
    harness.poll_until(lambda: not ids(harness))
