"""Endpoints from the row to the routes, on the fake engine (whose servers are real), a real S3 and real pings."""

import http.client
import io
import tarfile
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.fake_process import FakeRequest, FakeResponse
from samebox.resources.deployment import EndpointDeployment, ServedContainer, Variant, serving
from samebox.settings import Settings
from tests.jobs.crashing import check_recorded, steps

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process, Program
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness


@pytest.fixture
def settings() -> Settings:
    return replace(Settings(), ping_interval_seconds=0.02, ping_seconds=0.5, serving_stop_seconds=2.0)


def server(word: str) -> "Program":
    """A server that says a word."""

    def answer(request: FakeRequest) -> FakeResponse:
        return FakeResponse(200, b"" if request.path == "/ping" else word.encode())

    def serve(process: "Process") -> int:
        process.print(f"{word} serves")
        return process.serve(answer)

    return serve


def archive(**files: bytes) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return spool.getvalue()


def variant(
    name: str = "AllTraffic",
    image: str = "serve:1",
    url: str | None = None,
    count: int = 1,
    weight: float = 1.0,
    startup_seconds: float | None = 20,
    instance_type: str = "ml.m5.large",
    isolated: bool = False,
) -> Variant:
    container = ServedContainer(image, image, model_data_url=url)
    return Variant(name, "model", instance_type, (container,), count, weight, startup_seconds, isolated)


def wanted(*variants: Variant, config: str = "config-1", at: float | None = None) -> EndpointDeployment:
    return EndpointDeployment(config, variants, at)


def ask(row: "Resource", number: int = 0, which: int = 0) -> str:
    """What the endpoint answers at an address of its routes."""
    host, port = serving(row).routes[number].addresses[which]
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request("POST", "/invocations", body=b"1")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def ids(harness: "Harness") -> set[str]:
    """Which containers there are: one that was made again has another id."""
    return {state.id for state in harness.engine.find({})}


def logs(harness: "Harness", name: str = "digits") -> dict[str, list[str]]:
    group = f"/aws/sagemaker/Endpoints/{name}"
    return {
        stream.name: [event.message for _, event in harness.logbook.read(group, stream.name)]
        for stream in harness.logbook.streams(group)
    }


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


PING_FAILED = (
    "The primary container for production variant AllTraffic did not pass the ping health check. Please check "
    "CloudWatch logs for this endpoint."
)


def fails(harness: "Harness", one: Variant) -> str:
    """The FailureReason of an endpoint that cannot be."""
    harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(one)), "Failed")
    harness.poll_until(lambda: harness.container_names() == [])
    return str(row.state["FailureReason"])


def test_a_ping_that_is_never_answered_fails_the_endpoint_and_the_log_says_why(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": lambda process: process.wait_for_stop()})
    assert fails(harness, variant(startup_seconds=0.2)) == PING_FAILED
    ((line,),) = logs(harness).values()
    assert line.startswith("samebox: the container did not pass the ping health check within 0.2 s: GET /ping was not")


def test_a_ping_that_answers_500_fails_the_endpoint_and_the_log_says_why(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(lambda _: FakeResponse(500))})
    harness.settings = replace(harness.settings, ping_seconds=60)  # a slow machine is no slow answer
    assert fails(harness, variant(startup_seconds=0.2)) == PING_FAILED
    assert "GET /ping answered 500, not 200" in next(iter(logs(harness).values()))[-1]


def test_a_ping_that_is_too_slow_fails_the_endpoint_and_the_log_says_why(harness: "Harness") -> None:
    over = threading.Event()

    def slow(_: FakeRequest) -> FakeResponse:
        over.wait(60)
        return FakeResponse()

    harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(slow)})
    reason = fails(harness, variant(startup_seconds=0.2))
    over.set()
    assert reason == PING_FAILED
    assert "took more than 0.5 seconds" in next(iter(logs(harness).values()))[-1]


def test_what_ping_answers_is_in_the_log_at_once_and_not_only_when_the_window_is_over(harness: "Harness") -> None:
    def serve(process: "Process") -> int:
        answer = FakeResponse(503, b'{"error": "the model could not be loaded: RuntimeError: x"}')
        return process.serve(lambda _: answer)

    harness.engine.add_image("serve:1", {"serve": serve})
    harness.start()
    row = harness.create_endpoint(wanted(variant(startup_seconds=3600)))
    said = "samebox: GET /ping answered 503, not 200: the model could not be loaded: RuntimeError: x"
    harness.poll_until(harness.container_names)
    harness.poll_until(lambda: list(logs(harness).values()) == [[said]])
    assert harness.reload(row).status == "Creating"


def test_a_server_that_crashes_is_started_again_until_its_window_is_over(harness: "Harness") -> None:
    def crash(process: "Process") -> int:
        process.print("crash")
        return 3

    harness.engine.add_image("serve:1", {"serve": crash})
    assert fails(harness, variant(startup_seconds=1.3)) == PING_FAILED
    (lines,) = logs(harness).values()
    again = "samebox: the container exited with code 3 before it answered /ping with 200; it is started again"
    assert lines[:3] == ["crash", again, "crash"]


def test_a_server_that_crashes_once_comes_into_service_all_the_same(harness: "Harness") -> None:
    starts = []

    def once(process: "Process") -> int:
        starts.append(1)
        return 1 if len(starts) == 1 else process.serve(lambda _: FakeResponse())

    harness.engine.add_image("serve:1", {"serve": once})
    harness.start()
    harness.wait_for_status(harness.create_endpoint(wanted(variant())), "InService")
    assert len(starts) == 2


def test_an_image_without_serve_on_its_path_fails_in_aws_words(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"train": server("one")})
    assert fails(harness, variant()) == (
        "CannotStartContainerError. Please ensure the model container for variant AllTraffic starts correctly when "
        "invoked with 'docker run <image> serve'"
    )
    assert logs(harness)[next(iter(logs(harness)))] == ['exec: "serve": executable file not found in $PATH']


def test_an_image_that_is_not_there_fails_in_aws_words(harness: "Harness") -> None:
    assert fails(harness, variant()) == (
        "Please make sure all images included in the model for the production variant AllTraffic exist, and that the "
        "execution role used to create the model has permissions to access them."
    )


def test_a_model_that_is_not_there_fails_in_aws_words(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    url = f"s3://{harness.bucket}/models/none.tar.gz"
    assert fails(harness, variant(url=url)) == (
        f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there is an '
        "object located at the URL and that the role passed to CreateModel has permissions to download the object."
    )


def outside() -> bytes:
    return archive(**{"../x": b"x"})


def symlink() -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as tar:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    return spool.getvalue()


def device() -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as tar:
        member = tarfile.TarInfo("null")
        member.type = tarfile.CHRTYPE
        tar.addfile(member)
    return spool.getvalue()


@pytest.mark.parametrize("body", [b"no tar at all", outside(), symlink(), device()], ids=["tar", "x", "link", "device"])
def test_a_model_archive_that_may_not_be_unpacked_fails_and_leaves_nothing(harness: "Harness", body: bytes) -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    url = harness.put_object("models/model.tar.gz", body)
    reason = fails(harness, variant(url=url))
    assert reason.startswith(f'Failed to extract model data archive for container "container_1" from URL: "{url}".')
    harness.poll_until(lambda: not list((harness.data_dir / "models").iterdir()))


def test_a_gpu_instance_on_a_host_without_a_gpu_fails_and_names_the_way_out(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    reason = fails(harness, variant(instance_type="ml.g4dn.xlarge"))
    assert reason.startswith("Unable to provision requested ML compute capacity. ml.g4dn.xlarge has 1 x NVIDIA T4")


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


def test_an_update_that_fails_leaves_the_old_in_service_and_says_why(harness: "Harness") -> None:
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


# Recorded of a deployment that nothing disturbed; the last test below records it again.
CALLS = {
    "resources.unfinished": 4,
    "resources.by_arn": 4,
    "engine.find": 3,
    "engine.capacity": 1,
    "logbook.create": 1,
    "logbook.last": 1,
    "objects.read": 1,
    "artifacts.unpack": 1,
    "engine.networks": 2,
    "engine.volumes": 1,
    "engine.create": 2,
    "engine.pull": 1,
    "engine.start": 1,
    "engine.logs": 1,
    "logbook.append": 1,
    "engine.address": 1,
    "resources.advance": 1,
}


class TestRestarts:
    def test_containers_in_service_are_adopted_and_their_log_goes_on(self, harness: "Harness") -> None:
        processes = list["Process"]()

        def serve(process: "Process") -> int:
            processes.append(process)
            return server("one")(process) or 0

        harness.engine.add_image("serve:1", {"serve": serve})
        harness.start()
        endpoint = harness.create_endpoint(wanted(variant(count=2)))
        before = harness.wait_for_status(endpoint, "InService")
        harness.poll_until(lambda: sorted(logs(harness).values()) == [["one serves"], ["one serves"]])
        containers = ids(harness)
        harness.crash()
        harness.start()
        for process in processes:
            process.print("and is followed")
        both = [["one serves", "and is followed"]] * 2
        harness.poll_until(lambda: sorted(logs(harness).values()) == both)
        assert ids(harness) == containers
        assert serving(harness.reload(endpoint)).routes == serving(before).routes
        harness.resources.advance(harness.reload(endpoint), "Deleting")
        harness.wait_until(lambda: harness.resources.by_arn(endpoint.arn) is None)
        assert sorted(logs(harness).values()) == both
        assert len(processes) == 2

    def test_the_start_window_goes_on_while_we_are_away(self, harness: "Harness") -> None:
        harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(lambda _: FakeResponse(503))})
        harness.start()
        endpoint = harness.create_endpoint(wanted(variant(startup_seconds=3600)))
        harness.poll_until(lambda: [state.status for state in harness.engine.find({})] == ["running"])
        harness.crash()
        harness.clock_offset = 3601.0
        harness.start()
        assert harness.wait_for_status(endpoint, "Failed").state["FailureReason"] == PING_FAILED
        ((*_, line),) = logs(harness).values()
        assert "did not pass the ping health check within 3600 s" in line

    def test_what_became_ready_while_we_were_away_comes_into_service_although_its_window_is_over(
        self, harness: "Harness"
    ) -> None:
        ready = threading.Event()
        answer = {True: FakeResponse(), False: FakeResponse(503)}
        harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(lambda _: answer[ready.is_set()])})
        harness.start()
        endpoint = harness.create_endpoint(wanted(variant(startup_seconds=3600)))
        harness.poll_until(lambda: [state.status for state in harness.engine.find({})] == ["running"])
        containers = ids(harness)
        harness.crash()
        ready.set()
        harness.clock_offset = 3601.0
        harness.start()
        harness.wait_for_status(endpoint, "InService")
        assert ids(harness) == containers

    def test_what_is_in_service_has_a_window_of_its_own_to_be_found_again(self, harness: "Harness") -> None:
        sick, answered = threading.Event(), list[int]()

        def answer(_: FakeRequest) -> FakeResponse:
            answered.append(503 if sick.is_set() else 200)
            return FakeResponse(answered[-1])

        harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(answer)})
        harness.start()
        endpoint = harness.create_endpoint(wanted(variant(startup_seconds=3600)))
        harness.wait_for_status(endpoint, "InService")
        containers = ids(harness)
        harness.crash()
        sick.set()
        harness.clock_offset = 3601.0
        harness.start()
        harness.poll_until(lambda: 503 in answered)
        sick.clear()
        harness.poll_until(lambda: answered[-3:] == [200, 200, 200])  # found ready, and watched since
        assert ids(harness) == containers

    def test_a_shorter_window_in_the_settings_reaches_an_endpoint_that_is_being_created(
        self, harness: "Harness"
    ) -> None:
        harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(lambda _: FakeResponse(503))})
        harness.start()
        endpoint = harness.create_endpoint(wanted(variant(startup_seconds=None)))
        harness.poll_until(lambda: [state.status for state in harness.engine.find({})] == ["running"])
        harness.crash()
        harness.settings = replace(harness.settings, startup_seconds=0.2)
        harness.start()
        assert harness.wait_for_status(endpoint, "Failed").state["FailureReason"] == PING_FAILED
        ((*_, line),) = logs(harness).values()
        assert "within 0.2 s" in line

    def test_what_died_while_nobody_looked_is_replaced_and_the_routes_follow(self, harness: "Harness") -> None:
        harness.engine.add_image("serve:1", {"serve": server("one")})
        harness.start()
        endpoint = harness.create_endpoint(wanted(variant()))
        before = serving(harness.wait_for_status(endpoint, "InService")).routes
        harness.crash()
        (name,) = harness.container_names()
        harness.engine.remove(name)
        harness.start()
        harness.wait_until(lambda: serving(harness.reload(endpoint)).routes != before and _answers(harness, endpoint))
        assert ask(harness.reload(endpoint)) == "one"

    def test_a_delete_that_came_while_we_were_away_is_obeyed(self, harness: "Harness") -> None:
        harness.engine.add_image("serve:1", {"serve": server("one")})
        harness.start()
        endpoint = harness.create_endpoint(wanted(variant()))
        harness.wait_for_status(endpoint, "InService")
        harness.crash()
        harness.resources.advance(harness.reload(endpoint), "Deleting")
        harness.start()
        harness.wait_until(lambda: harness.resources.by_arn(endpoint.arn) is None)
        assert harness.container_names() == []

    def test_closing_leaves_servers_running(self, harness: "Harness") -> None:
        harness.engine.add_image("serve:1", {"serve": server("one")})
        supervisor = harness.start()
        row = harness.wait_for_status(harness.create_endpoint(wanted(variant())), "InService")
        supervisor.close()
        assert ask(row) == "one"

    def test_strays_of_endpoints_that_are_gone_are_swept(self, harness: "Harness") -> None:
        harness.engine.add_image("serve:1", {"serve": server("one")})
        url = harness.put_object("models/model.tar.gz", archive(weights=b"w"))
        harness.start()
        endpoint = harness.create_endpoint(wanted(variant(url=url, isolated=True)))
        harness.wait_for_status(endpoint, "InService")
        harness.crash()
        harness.resources.delete(harness.reload(endpoint))
        harness.start()
        harness.poll_until(lambda: not harness.container_names() and not list((harness.data_dir / "models").iterdir()))
        assert harness.engine.networks({}) == []

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("step", steps(CALLS))
    def test_a_kill_at_any_step_of_a_deployment_changes_nothing(
        self, harness: "Harness", step: "Step", after: bool
    ) -> None:
        harness.engine.add_image("serve:1", {"serve": server("one")}, remote=True)
        url = harness.put_object("models/model.tar.gz", archive(weights=b"w"))
        endpoint = harness.create_endpoint(wanted(variant(url=url)))
        harness.crash_at(step, after)
        harness.crash()
        harness.start()
        row = harness.wait_for_status(endpoint, "InService")
        harness.poll_until(lambda: _answers(harness, endpoint))
        assert len(harness.container_names()) == 1
        assert serving(row).current == serving(row).wanted
        harness.resources.advance(harness.reload(endpoint), "Deleting")
        harness.wait_until(lambda: harness.resources.by_arn(endpoint.arn) is None)
        assert harness.container_names() == []
        assert sorted(logs(harness).values()) == [["one serves"]]

    def test_the_steps_above_are_those_of_a_deployment_that_nothing_disturbs(self, harness: "Harness") -> None:
        harness.engine.add_image("serve:1", {"serve": server("one")}, remote=True)
        url = harness.put_object("models/model.tar.gz", archive(weights=b"w"))
        harness.start()
        harness.wait_for_status(harness.create_endpoint(wanted(variant(url=url))), "InService")
        harness.wait_for_calls(CALLS)
        harness.close()
        check_recorded(harness.process.calls, CALLS, ("resources.by_arn", "logbook.append"))


def _answers(harness: "Harness", endpoint: "Resource") -> bool:
    try:
        return ask(harness.reload(endpoint)) == "one"
    except (OSError, IndexError):
        return False
