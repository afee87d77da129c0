"""Starts that were interrupted: what a lost request or a process that crashed left with the engine costs nothing."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import (
    ARN_LABEL,
    ContainerMissing,
    ContainerSpec,
    ContainerState,
    EngineUnavailable,
    StartFailed,
)
from samebox.containers.fake_process import FakeResponse
from samebox.platform import retrying
from samebox.resources.deployment import EndpointDeployment, ServedContainer, Variant

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from samebox.settings import Settings
    from tests.jobs.harness import Harness


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "RETRY_SECONDS", 0.01)


@pytest.fixture
def settings(settings: "Settings") -> "Settings":
    return replace(settings, ping_interval_seconds=0.02, serving_stop_seconds=2.0)


def job(harness: "Harness", **changes: Any) -> "Resource":
    """A job that writes down how often it was run."""

    def train(process: "Process") -> int:
        with (process.path("/opt/ml/model") / "runs").open("a") as file:
            file.write("run\n")
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    return harness.create_training_job(**changes)


def endpoint(harness: "Harness", **changes: Any) -> "Resource":
    harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(lambda _: FakeResponse(200))})
    variant = Variant("main", "model", "ml.m5.large", (ServedContainer("serve:1", "serve:1"),), **changes)
    return harness.create_endpoint(EndpointDeployment("config", (variant,), 1.0))


def it_ran_once(harness: "Harness", row: "Resource") -> bool:
    ended = harness.wait_until_ended(row)
    assert ended.status == "Completed", ended.state.get("FailureReason")
    return harness.files_of_tar(f"s3://{harness.bucket}/out/digits/output/model.tar.gz") == {"runs": b"run\n"}


def killed_at_its_start(harness: "Harness") -> str:
    """Kills a process when it asks the engine for a start; gives the container, which is made and not started."""
    harness.crash_at(("engine.start", 1), after=False)
    harness.crash()
    (name,) = harness.container_names()
    return name


def test_a_start_of_a_job_that_the_engine_gave_up_is_made_again(harness: "Harness") -> None:
    row = job(harness)
    harness.engine.give_up_start(killed_at_its_start(harness))
    harness.start()
    assert it_ran_once(harness, row)
    assert harness.container_names() == []


def test_a_start_of_an_endpoint_that_the_engine_gave_up_is_made_again(harness: "Harness") -> None:
    row = endpoint(harness)
    harness.engine.give_up_start(killed_at_its_start(harness))
    harness.start()
    harness.wait_for_status(row, "InService")
    assert len(harness.container_names()) == 1


def test_an_image_that_cannot_be_started_fails_after_a_crash_with_the_message_it_fails_with_without(
    harness: "Harness",
) -> None:
    row = job(harness)
    harness.engine.programs_of("digits:1").clear()
    harness.crash_at(("engine.start", 1), after=True)
    harness.crash()
    harness.start()
    assert 'exec: "train": executable file not found' in harness.wait_until_ended(row).state["FailureReason"]
    assert harness.log_lines(row) == ['exec: "train": executable file not found in $PATH']


def test_a_job_that_was_stopped_before_it_ran_is_not_started_again(harness: "Harness") -> None:
    row = job(harness)
    ran = list["Process"]()
    harness.engine.programs_of("digits:1")["train"] = ran.append
    harness.engine.give_up_start(killed_at_its_start(harness))
    harness.stop_job(row)
    harness.start()
    assert harness.wait_until_ended(row).status == "Stopped"
    assert ran == []


def test_a_container_that_ran_and_is_new_again_as_after_a_power_cut_is_not_run_twice(harness: "Harness") -> None:
    ran = list["Process"]()

    def train(process: "Process") -> None:
        ran.append(process)
        process.wait_for_stop()

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    row = harness.create_training_job()
    harness.wait_for_status(row, "Training")
    harness.crash()
    (name,) = harness.container_names()
    spec = harness.engine.spec_of(name)
    harness.engine.remove(name)
    harness.engine.create(spec)
    harness.start()
    assert harness.wait_until_ended(row).state["FailureReason"].startswith("InternalServerError")
    assert len(ran) == 1
    assert "has disappeared" in harness.log_lines(row)[-1]


def test_a_start_whose_answer_is_lost_is_not_repeated_when_the_container_has_ended(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    start, lost = harness.engine.start, list[str]()

    def start_and_lose_the_answer(container: str) -> None:
        start(container)
        if not lost:
            lost.append(container)
            harness.engine.wait(container, 10)
            raise EngineUnavailable("the connection broke")

    monkeypatch.setattr(harness.engine, "start", start_and_lose_the_answer)
    row = job(harness)
    harness.start()
    assert it_ran_once(harness, row)
    assert lost


def test_a_container_that_the_engine_is_still_making_for_an_earlier_life_is_waited_for(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    create, inspect, asked = harness.engine.create, harness.engine.inspect, list[str]()

    def create_only_once(spec: ContainerSpec) -> str:
        if not asked:
            create(spec)
        return create(spec)  # its name is taken

    def inspect_later(container: str) -> ContainerState:
        asked.append(container)
        if len(asked) < 5:
            raise ContainerMissing(f"No such container: {container}")
        return inspect(container)

    monkeypatch.setattr(harness.engine, "create", create_only_once)
    monkeypatch.setattr(harness.engine, "inspect", inspect_later)
    row = job(harness)
    harness.start()
    assert it_ran_once(harness, row)


def test_a_container_that_was_left_half_made_is_made_anew(harness: "Harness", monkeypatch: pytest.MonkeyPatch) -> None:
    row = job(harness)
    left = harness.engine.inspect(killed_at_its_start(harness)).id
    start = harness.engine.start

    def refuse_the_first(container: str) -> None:
        if container == left:
            raise StartFailed("container is marked for removal and cannot be started")
        start(container)

    monkeypatch.setattr(harness.engine, "start", refuse_the_first)
    harness.start()
    assert it_ran_once(harness, row)


def test_another_container_with_the_name_is_left_alone(harness: "Harness") -> None:
    row = job(harness)
    name = killed_at_its_start(harness)
    spec = harness.engine.spec_of(name)
    harness.engine.remove(name)
    theirs = harness.engine.create(replace(spec, labels={ARN_LABEL: "theirs"}))
    harness.start()
    assert f'The name "{name}" is in use' in harness.wait_until_ended(row).state["FailureReason"]
    assert harness.engine.inspect(name).id == theirs
