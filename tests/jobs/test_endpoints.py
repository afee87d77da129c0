"""Endpoints from the row to the routes, on the fake engine (whose servers are real), and real pings."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.fake_process import FakeRequest, FakeResponse
from samebox.resources.deployment import serving
from samebox.settings import Settings
from tests.jobs.endpoint_samples import PING_FAILED, SETTINGS, archive, ask, logs, server, variant, wanted

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


def test_an_endpoint_is_in_service_with_its_routes_its_images_and_its_log(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(variant())), "InService")
    (route,) = serving(row).routes
    assert (route.variant_name, route.weight, route.container_name) == ("AllTraffic", 1.0, "primary")
    assert route.log_group == "/aws/sagemaker/Endpoints/digits"
    assert ask(row) == "one"
    assert serving(row).current == serving(row).wanted
    (summary,) = row.state["ProductionVariants"]
    assert summary["DeployedImages"][0]["SpecifiedImage"] == "serve:1"
    assert (summary["CurrentInstanceCount"], summary["CurrentWeight"]) == (1, 1.0)
    harness.poll_until(lambda: list(logs(harness).values()) == [["one serves"]])
    (stream,) = logs(harness)
    assert stream.startswith("AllTraffic/i-")


def test_the_model_is_unpacked_before_the_server_starts_and_mounted_read_only(harness: "Harness") -> None:
    seen: dict[str, Any] = {}

    def serve(process: "Process") -> int:
        seen["weights"] = (process.path("/opt/ml/model") / "weights").read_bytes()
        seen["spec"] = process.spec
        return process.serve(lambda _: FakeResponse())

    harness.engine.add_image("serve:1", {"serve": serve})
    url = harness.put_object("models/model.tar.gz", archive(weights=b"w"))
    harness.start()
    harness.wait_for_status(harness.create_endpoint(wanted(variant(url=url))), "InService")
    assert seen["weights"] == b"w"
    (mount,) = seen["spec"].mounts
    assert (mount.target, mount.read_only) == ("/opt/ml/model", True)
    assert (seen["spec"].command, seen["spec"].memory_bytes) == (("serve",), 8 << 30)


def test_two_variants_with_two_instances_each_give_four_servers_and_two_routes(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.engine.add_image("serve:2", {"serve": server("two")})
    harness.start()
    both = wanted(
        variant("a", count=2, weight=3.0),
        variant("b", "serve:2", count=2, weight=0.0),
    )
    row = harness.wait_for_status(harness.create_endpoint(both), "InService")
    assert [(one.variant_name, one.weight, len(one.addresses)) for one in serving(row).routes] == [
        ("a", 3.0, 2),
        ("b", 0.0, 2),
    ]
    assert [ask(row, number, which) for number in (0, 1) for which in (0, 1)] == ["one", "one", "two", "two"]


def test_a_deleted_endpoint_leaves_no_container_no_model_and_no_row(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    url = harness.put_object("models/model.tar.gz", archive(weights=b"w"))
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant(url=url)))
    harness.wait_for_status(endpoint, "InService")
    harness.resources.advance(harness.reload(endpoint), "Deleting")
    harness.wait_until(lambda: harness.resources.by_arn(endpoint.arn) is None)
    assert harness.container_names() == []
    harness.poll_until(lambda: not list((harness.data_dir / "models").iterdir()))


def test_an_endpoint_can_be_deleted_while_its_server_never_gets_ready(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": lambda process: process.wait_for_stop()})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant()))
    harness.poll_until(harness.container_names)
    harness.resources.advance(harness.reload(endpoint), "Deleting")
    harness.wait_until(lambda: harness.resources.by_arn(endpoint.arn) is None)
    assert harness.container_names() == []


def test_an_update_serves_the_old_until_the_new_is_ready_then_switches_and_drains(harness: "Harness") -> None:
    may_serve: list[str] = []

    def late(process: "Process") -> int:
        return process.serve(lambda request: FakeResponse(200 if may_serve else 503, b"two"))

    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.engine.add_image("serve:2", {"serve": late})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant()))
    before = harness.wait_for_status(endpoint, "InService")
    second = wanted(variant(image="serve:2"), config="config-2")
    harness.update_endpoint(endpoint, second)
    harness.poll_until(lambda: len(harness.container_names()) == 2)
    assert serving(harness.reload(endpoint)).routes == serving(before).routes
    assert ask(harness.reload(endpoint)) == "one"
    may_serve.append("now")
    row = harness.wait_for_status(endpoint, "InService")
    assert ask(row) == "two"
    assert (row.state["EndpointConfigName"], serving(row).current) == ("config-2", second)
    harness.poll_until(lambda: len(harness.container_names()) == 1)


def test_an_update_to_the_same_configuration_reads_the_model_anew(harness: "Harness") -> None:
    def serve(process: "Process") -> int:
        weights = (process.path("/opt/ml/model") / "weights").read_bytes()
        return process.serve(lambda _: FakeResponse(200, weights))

    harness.engine.add_image("serve:1", {"serve": serve})
    url = harness.put_object("models/model.tar.gz", archive(weights=b"first"))
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant(url=url), at=1.0))
    assert ask(harness.wait_for_status(endpoint, "InService")) == "first"
    harness.put_object("models/model.tar.gz", archive(weights=b"second"))
    harness.update_endpoint(endpoint, wanted(variant(url=url), at=2.0))
    assert ask(harness.wait_for_status(endpoint, "InService")) == "second"


def test_an_update_that_fails_leaves_the_old_in_service_with_the_reason(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.engine.add_image("serve:2", {"serve": lambda process: process.serve(lambda _: FakeResponse(500))})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant()))
    before = harness.wait_for_status(endpoint, "InService")
    harness.update_endpoint(endpoint, wanted(variant(image="serve:2", startup_seconds=0.2), config="config-2"))
    row = harness.wait_for_status(endpoint, "InService")
    assert row.state["FailureReason"] == PING_FAILED
    assert serving(row).wanted == serving(row).current == serving(before).current
    assert (row.state["EndpointConfigName"], ask(row)) == ("config-1", "one")
    harness.poll_until(lambda: len(harness.container_names()) == 1)


def test_an_update_that_succeeds_forgets_why_the_last_one_failed(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.engine.add_image("serve:2", {"serve": lambda process: process.serve(lambda _: FakeResponse(500))})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant()))
    harness.wait_for_status(endpoint, "InService")
    harness.update_endpoint(endpoint, wanted(variant(image="serve:2", startup_seconds=0.2), config="config-2"))
    harness.wait_for_status(endpoint, "InService")
    harness.update_endpoint(endpoint, wanted(variant(), config="config-3"))
    row = harness.wait_for_status(endpoint, "InService")
    assert row.state["FailureReason"] is None
    assert row.state["EndpointConfigName"] == "config-3"


def test_other_weights_and_counts_keep_the_containers_that_serve(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant()))
    (before,) = serving(harness.wait_for_status(endpoint, "InService")).routes[0].addresses
    harness.update_endpoint(endpoint, wanted(variant(count=2, weight=0.5)))
    row = harness.wait_for_status(endpoint, "InService")
    (route,) = serving(row).routes
    assert (route.weight, len(route.addresses), before in route.addresses) == (0.5, 2, True)
    harness.update_endpoint(endpoint, wanted(variant()))
    assert serving(harness.wait_for_status(endpoint, "InService")).routes[0].addresses == (before,)
    harness.poll_until(lambda: len(harness.container_names()) == 1)


def test_a_server_that_dies_in_service_is_replaced_by_another_instance(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant()))
    before = serving(harness.wait_for_status(endpoint, "InService")).routes
    (name,) = harness.container_names()
    harness.engine.kill(name)

    def replaced() -> bool:
        routes = serving(harness.reload(endpoint)).routes
        return bool(routes != before and routes[0].addresses)

    harness.wait_until(replaced)
    assert ask(harness.reload(endpoint)) == "one"
    assert harness.reload(endpoint).status == "InService"
    harness.poll_until(lambda: len(harness.container_names()) == 1 and name not in harness.container_names())
    assert len(logs(harness)) == 2


@pytest.mark.parametrize("settings", [replace(Settings(), ping_interval_seconds=3600.0, serving_stop_seconds=2.0)])
def test_pings_in_service_keep_their_distance(harness: "Harness", settings: Settings) -> None:
    pings: list[str] = []

    def answer(request: FakeRequest) -> FakeResponse:
        if request.path == "/ping":
            pings.append(request.path)
        return FakeResponse(200, b"one")

    harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(answer)})
    harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(variant())), "InService")
    for _ in range(50):
        assert ask(row) == "one"
    # One more than coming into service took may be on its way; before, they came without a pause.
    assert len(pings) <= settings.ping_successes + 1


def test_a_server_that_becomes_unhealthy_in_service_is_replaced(harness: "Harness") -> None:
    ill: list[str] = []

    def serve(process: "Process") -> int:
        name = process.spec.name or ""
        return process.serve(lambda _: FakeResponse(500 if name in ill else 200))

    harness.engine.add_image("serve:1", {"serve": serve})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant()))
    harness.wait_for_status(endpoint, "InService")
    ill += harness.container_names()
    harness.poll_until(lambda: len(harness.container_names()) == 1 and harness.container_names() != ill)
    assert any("unhealthy: GET /ping answered 500" in line for lines in logs(harness).values() for line in lines)


def test_a_network_isolated_model_gets_a_network_of_its_own_that_goes_with_it(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant(isolated=True)))
    harness.wait_for_status(endpoint, "InService")
    (network,) = harness.engine.networks({})
    (name,) = harness.container_names()
    assert harness.engine.spec_of(name).network == network.name
    assert harness.engine.spec_of(name).pids_limit == harness.settings.pids_limit
    assert harness.engine.spec_of(name).log_bytes == harness.settings.log_bytes
    harness.resources.advance(harness.reload(endpoint), "Deleting")
    harness.wait_until(lambda: harness.resources.by_arn(endpoint.arn) is None)
    assert harness.engine.networks({}) == []
