"""Transform jobs of models with several containers: what passes through them, on the fake engine and a real S3."""

from typing import TYPE_CHECKING

import pytest

from samebox.containers.fake_process import FakeResponse
from samebox.settings import Settings
from tests.jobs.transform_models import GROUP, ModelServer, data_log, run

if TYPE_CHECKING:
    from tests.jobs.harness import Harness

CSV = {"ContentType": "text/csv", "SplitType": "Line"}


@pytest.fixture
def settings() -> Settings:
    return Settings(transform_startup_seconds=20.0)


def test_each_container_gets_the_response_of_the_one_before(harness: "Harness") -> None:
    harness.put_object("in/a.csv", b"1,2\n3,4\n")
    first = ModelServer(
        lambda body: FakeResponse(200, b"[" + body.strip() + b"]", {"Content-Type": "application/json; charset=utf-8"}),
        parameters={"MaxPayloadInMB": 3},
    )
    second = ModelServer(lambda body: body.replace(b"\n", b"|"))
    last = ModelServer(lambda body: body + b"!")
    row = run(harness, [first, second, last], CSV, output={"Accept": "text/plain"})
    assert row.status == "Completed", row.state
    assert (first.bodies, second.bodies, last.bodies) == ([b"1,2\n3,4\n"], [b"[1,2\n3,4]"], [b"[1,2|3,4]"])
    assert harness.objects_under("out") == {"a.csv.out": b"[1,2|3,4]!"}
    seen = [(one.headers[0].get("content-type"), one.headers[0].get("accept")) for one in (first, second, last)]
    assert seen == [("text/csv", None), ("application/json; charset=utf-8", None), (None, "text/plain")]
    assert data_log(harness, row) == ["MaxConcurrentTransforms=1, MaxPayloadInMB=3, BatchStrategy=MULTI_RECORD"]


def test_each_container_has_ports_and_a_log_of_its_own(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    models = [ModelServer(), ModelServer()]
    row = run(harness, models, {}, TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2})
    assert row.status == "Completed", row.state
    given = [
        (one.environment["SAGEMAKER_BIND_TO_PORT"], one.environment["SAGEMAKER_SAFE_PORT_RANGE"]) for one in models
    ]
    assert given == [("8081", "9000-9999"), ("8082", "10000-10999")]
    ends = sorted(one.name.split("/", 2)[2] for one in harness.logbook.streams(GROUP))
    assert ends == sorted(2 * ["container-1", "container-2", "data-log"])
    assert harness.container_names() == []


def test_the_container_that_fails_is_named(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    row = run(harness, [ModelServer(), ModelServer(lambda _: FakeResponse(400, b"no such thing"))], {})
    assert (row.status, row.state["FailureReason"]) == ("Failed", "AlgorithmError: See job logs for more information")
    place = f"{harness.bucket}/in/a: "
    assert data_log(harness, row)[1:] == [
        f"{place}container-2: ClientError: 400", place, f"{place}Message:", f"{place}no such thing"
    ]  # fmt: skip


def test_no_container_passes_on_more_than_the_limit(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    large = ModelServer(lambda _: b"x" * ((5 << 20) + 1))
    row = run(harness, [large, ModelServer()], {})
    assert row.status == "Failed"
    assert data_log(harness, row)[1:] == [
        f"{harness.bucket}/in/a: Received response from container-1 with status code 200. However, the request payload "
        "from container-1 to container-2 is 5242881 bytes, which has exceeded the maximum limit of 5 MB."
    ]


def test_an_object_of_any_length_passes_through_a_pipeline(harness: "Harness") -> None:
    body = b"x" * (7 << 20)
    harness.put_object("in/a", body)
    models = [ModelServer(lambda given: b"%d" % len(given)), ModelServer(), ModelServer(lambda given: given * 3)]
    row = run(harness, models, {}, MaxPayloadInMB=0)
    assert row.status == "Completed", row.state
    assert harness.objects_under("out") == {"a.out": b"734003273400327340032"}


def test_containers_that_never_answer_ping_are_named(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    harness.settings = Settings(transform_startup_seconds=0.5)
    row = run(harness, [ModelServer(ping=500), ModelServer(), ModelServer(ping=404)], {})
    assert row.status == "Failed"
    assert row.state["FailureReason"] == (
        "ClientError: The container-1, container-3 did not pass the ping health check. "
        "Please check CloudWatch logs for this transform job."
    )


def test_a_container_that_ends_is_named(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    ending = ModelServer()
    ending.serve = lambda process: 7  # type: ignore[method-assign]
    row = run(harness, [ModelServer(), ending], {})
    assert (row.status, row.state["FailureReason"]) == ("Failed", "AlgorithmError: See job logs for more information")
    assert data_log(harness, row)[-1] == "container-2 has ended"


def test_an_image_that_is_not_made_for_pipelines_is_refused(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    models = [ModelServer(), ModelServer()]
    row = run(harness, models, {}, unlabelled=("model:2",))
    assert row.status == "Failed"
    assert row.state["FailureReason"] == (
        "ClientError: The image of container-2 has no label com.amazonaws.sagemaker.capabilities.accept-bind-to-port="
        "true. A pipeline needs it."
    )
