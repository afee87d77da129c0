"""Endpoints over restarts and crashes of the emulator: what serves goes on, what was asked for meanwhile is done."""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from samebox.containers.fake_process import FakeRequest, FakeResponse
from samebox.resources.deployment import serving
from samebox.settings import Settings
from tests.jobs.crashing import RecordedSteps
from tests.jobs.endpoint_samples import PING_FAILED, SETTINGS, archive, ask, ids, logs, server, variant, wanted

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


# Recorded of a deployment that nothing disturbed; the last test below records it again.
CALLS = {
    "resources.unfinished": 8,
    "resources.unended": 2,
    "resources.by_arn": 4,
    "engine.find": 4,
    "engine.capacity": 1,
    "logbook.create": 1,
    "logbook.last": 1,
    "objects.read": 1,
    "artifacts.unpack": 1,
    "engine.networks": 3,
    "engine.volumes": 1,
    "engine.create": 2,
    "engine.pull": 1,
    "engine.start": 1,
    "engine.follow": 1,
    "logbook.append": 1,
    "engine.address": 1,
    "resources.advance": 1,
}


def test_containers_in_service_are_adopted_and_their_log_goes_on(harness: "Harness") -> None:
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


def test_the_start_window_goes_on_while_the_emulator_is_away(harness: "Harness") -> None:
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


def test_what_became_ready_while_the_emulator_was_away_comes_into_service_although_its_window_is_over(
    harness: "Harness",
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


def test_what_is_in_service_has_a_window_of_its_own_to_be_found_again(harness: "Harness") -> None:
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


def test_a_shorter_window_in_the_settings_reaches_an_endpoint_that_is_being_created(harness: "Harness") -> None:
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


def test_what_died_while_the_emulator_was_away_is_replaced_and_the_routes_follow(harness: "Harness") -> None:
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


def test_a_delete_that_came_while_the_emulator_was_away_is_obeyed(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.start()
    endpoint = harness.create_endpoint(wanted(variant()))
    harness.wait_for_status(endpoint, "InService")
    harness.crash()
    harness.resources.advance(harness.reload(endpoint), "Deleting")
    harness.start()
    harness.wait_until(lambda: harness.resources.by_arn(endpoint.arn) is None)
    assert harness.container_names() == []


def test_closing_leaves_servers_running(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    supervisor = harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(variant())), "InService")
    supervisor.close()
    assert ask(row) == "one"


def test_strays_of_endpoints_that_are_gone_are_swept(harness: "Harness") -> None:
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


def begin(harness: "Harness") -> "Resource":
    harness.engine.add_image("serve:1", {"serve": server("one")}, remote=True)
    url = harness.put_object("models/model.tar.gz", archive(weights=b"w"))
    return harness.create_endpoint(wanted(variant(url=url)))


def check(harness: "Harness", endpoint: "Resource") -> None:
    row = harness.wait_for_status(endpoint, "InService")
    harness.poll_until(lambda: _answers(harness, endpoint))
    assert len(harness.container_names()) == 1
    assert serving(row).current == serving(row).wanted
    harness.resources.advance(harness.reload(endpoint), "Deleting")
    harness.wait_until(lambda: harness.resources.by_arn(endpoint.arn) is None)
    assert harness.container_names() == []
    assert sorted(logs(harness).values()) == [["one serves"]]


STEPS = RecordedSteps(
    begin,
    check,
    CALLS,
    repeated=("resources.by_arn", "logbook.append"),
    settle=lambda harness, endpoint: harness.wait_for_status(endpoint, "InService"),
)


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_step_of_a_deployment_changes_nothing(harness: "Harness", step: "Step", after: bool) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_steps_above_are_those_of_a_deployment_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)


def _answers(harness: "Harness", endpoint: "Resource") -> bool:
    try:
        return ask(harness.reload(endpoint)) == "one"
    except (OSError, IndexError):
        return False
