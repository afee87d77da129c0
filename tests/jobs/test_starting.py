"""Starts that were interrupted: what a lost request or an earlier life left with the engine costs nothing."""

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
from samebox.containers.fake_process import Response
from samebox.jobs import retrying

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from samebox.settings import Settings
    from tests.jobs.conftest import House


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "RETRY_SECONDS", 0.01)


@pytest.fixture
def settings(settings: "Settings") -> "Settings":
    return replace(settings, ping_interval_seconds=0.02, serving_stop_seconds=2.0)


def job(house: "House", **changes: Any) -> "Resource":
    """A job that writes down how often it was run."""

    def train(process: "Process") -> int:
        with (process.path("/opt/ml/model") / "runs").open("a") as file:
            file.write("run\n")
        return 0

    house.engine.add_image("digits:1", {"train": train})
    return house.train(**changes)


def endpoint(house: "House", **changes: Any) -> "Resource":
    house.engine.add_image("serve:1", {"serve": lambda process: process.serve(lambda _: Response(200))})
    container: dict[str, Any] = {
        "Image": "serve:1",
        "ResolvedImage": "serve:1",
        "Environment": {},
        "ModelDataUrl": None,
    }
    variant = {"VariantName": "main", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1, **changes}
    return house.serve(
        {"EndpointConfigName": "config", "DeployedAt": 1.0, "Variants": [{**variant, "Containers": [container]}]}
    )


def it_ran_once(house: "House", row: "Resource") -> bool:
    ended = house.ends(row)
    assert ended.status == "Completed", ended.state.get("FailureReason")
    return house.members(f"s3://{house.bucket}/out/digits/output/model.tar.gz") == {"runs": b"run\n"}


def killed_at_its_start(house: "House") -> str:
    """A life that dies when it asks the engine for a start; the container that it leaves, made and not started."""
    house.up_until(("engine.start", 1), after=False)
    house.crash()
    (name,) = house.containers()
    return name


def test_a_start_of_a_job_that_the_engine_gave_up_is_made_again(house: "House") -> None:
    row = job(house)
    house.engine.give_up_start(killed_at_its_start(house))
    house.up()
    assert it_ran_once(house, row)
    assert house.containers() == []


def test_a_start_of_an_endpoint_that_the_engine_gave_up_is_made_again(house: "House") -> None:
    row = endpoint(house)
    house.engine.give_up_start(killed_at_its_start(house))
    house.up()
    house.reaches(row, "InService")
    assert len(house.containers()) == 1


def test_an_image_that_cannot_be_started_fails_after_a_crash_in_the_words_it_fails_in_without(house: "House") -> None:
    row = job(house)
    house.engine.programs_of("digits:1").clear()
    house.up_until(("engine.start", 1), after=True)
    house.crash()
    house.up()
    assert 'exec: "train": executable file not found' in house.ends(row).state["FailureReason"]
    assert house.lines(row) == ['exec: "train": executable file not found in $PATH']


def test_a_job_that_was_stopped_before_it_ran_is_not_started_again(house: "House") -> None:
    row = job(house)
    ran = list["Process"]()
    house.engine.programs_of("digits:1")["train"] = ran.append
    house.engine.give_up_start(killed_at_its_start(house))
    house.stop(row)
    house.up()
    assert house.ends(row).status == "Stopped"
    assert ran == []


def test_a_container_that_ran_and_is_new_again_as_after_a_power_cut_is_not_run_twice(house: "House") -> None:
    ran = list["Process"]()

    def train(process: "Process") -> None:
        ran.append(process)
        process.wait_for_stop()

    house.engine.add_image("digits:1", {"train": train})
    house.up()
    row = house.train()
    house.reaches(row, "Training")
    house.crash()
    (name,) = house.containers()
    spec = house.engine.spec_of(name)
    house.engine.remove(name)
    house.engine.create(spec)
    house.up()
    assert house.ends(row).state["FailureReason"].startswith("InternalServerError")
    assert len(ran) == 1
    assert "has disappeared" in house.lines(row)[-1]


def test_a_start_whose_answer_is_lost_is_not_repeated_when_the_container_has_ended(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    start, lost = house.engine.start, list[str]()

    def start_and_lose_the_answer(container: str) -> None:
        start(container)
        if not lost:
            lost.append(container)
            house.engine.wait(container, 10)
            raise EngineUnavailable("the connection broke")

    monkeypatch.setattr(house.engine, "start", start_and_lose_the_answer)
    row = job(house)
    house.up()
    assert it_ran_once(house, row)
    assert lost


def test_a_container_that_the_engine_is_still_making_for_an_earlier_life_is_waited_for(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    create, inspect, asked = house.engine.create, house.engine.inspect, list[str]()

    def create_only_once(spec: ContainerSpec) -> str:
        if not asked:
            create(spec)
        return create(spec)  # its name is taken

    def inspect_later(container: str) -> ContainerState:
        asked.append(container)
        if len(asked) < 5:
            raise ContainerMissing(f"No such container: {container}")
        return inspect(container)

    monkeypatch.setattr(house.engine, "create", create_only_once)
    monkeypatch.setattr(house.engine, "inspect", inspect_later)
    row = job(house)
    house.up()
    assert it_ran_once(house, row)


def test_a_container_that_was_left_half_made_is_made_anew(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    row = job(house)
    left = house.engine.inspect(killed_at_its_start(house)).id
    start = house.engine.start

    def refuse_the_first(container: str) -> None:
        if container == left:
            raise StartFailed("container is marked for removal and cannot be started")
        start(container)

    monkeypatch.setattr(house.engine, "start", refuse_the_first)
    house.up()
    assert it_ran_once(house, row)


def test_a_container_of_somebody_else_that_has_the_name_is_left_alone(house: "House") -> None:
    row = job(house)
    name = killed_at_its_start(house)
    spec = house.engine.spec_of(name)
    house.engine.remove(name)
    theirs = house.engine.create(replace(spec, labels={ARN_LABEL: "theirs"}))
    house.up()
    assert f'The name "{name}" is in use' in house.ends(row).state["FailureReason"]
    assert house.engine.inspect(name).id == theirs
