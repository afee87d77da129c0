"""The supervisor: who works on what, how many at once, and what an error of our own costs."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from samebox.jobs import supervisor as supervisors
from samebox.jobs.supervisor import Supervisor, Work
from samebox.jobs.wake import Wake
from samebox.resources.kinds import ENDPOINT, KINDS, MODEL, TRAINING_JOB
from samebox.resources.resources import Resources
from samebox.resources.store import Resource, Store
from samebox.wire.caller import Caller
from samebox.wire.models import Models

CALLER = Caller("123456789012", "us-east-1", "123456789012")


class Recorder:
    """A runner that ends a job when its event is set."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.changed = threading.Condition()
        self.running: list[str] = []
        self.most = 0
        self.runs: list[str] = []
        self.failed: list[str] = []
        self.swept = 0
        self.may_end = threading.Event()
        self.work: Callable[[Resource, Wake], None] = self.end_when_allowed
        self.fails = True

    def wants(self, resource: Resource) -> bool:
        return resource.status == "InProgress"

    def run(self, resource: Resource, wake: Wake) -> None:
        with self.changed:
            self.runs.append(resource.name)
            self.running.append(resource.name)
            self.most = max(self.most, len(self.running))
            self.changed.notify_all()
        try:
            self.work(resource, wake)
        finally:
            with self.changed:
                self.running.remove(resource.name)
                self.changed.notify_all()

    def end_when_allowed(self, resource: Resource, wake: Wake) -> None:
        while not self.may_end.is_set() and not wake.closing.is_set():
            wake.wait(None)
        if not wake.closing.is_set():
            self.resources.advance(resource, "Failed")

    def fail(self, resource: Resource) -> bool:
        with self.changed:
            self.failed.append(resource.name)
            self.changed.notify_all()
        if self.fails:
            self.resources.advance(resource, "Failed")
        return self.fails

    def sweep(self) -> None:
        with self.changed:
            self.swept += 1
            self.changed.notify_all()

    def until(self, claim: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(claim, 60)


@pytest.fixture(scope="module")
def models() -> Models:
    return Models()


@pytest.fixture
def resources(tmp_path: Path, models: Models) -> Iterator[Resources]:
    store = Store(tmp_path / "state.db")
    yield Resources(store, models, KINDS, time.time)
    store.close()


@pytest.fixture
def recorder(resources: Resources) -> Recorder:
    return Recorder(resources)


@pytest.fixture
def supervisor(resources: Resources, recorder: Recorder) -> Iterator[Supervisor]:
    one = Supervisor(resources, [Work(TRAINING_JOB, recorder, limit=2)])
    yield one
    one.close()


def create(resources: Resources, name: str) -> Resource:
    return resources.create(TRAINING_JOB, CALLER, {"TrainingJobName": name})


def test_what_is_unfinished_at_the_start_is_claimed_and_what_is_finished_is_not(
    resources: Resources, recorder: Recorder, supervisor: Supervisor
) -> None:
    resources.advance(create(resources, "ended"), "Failed")
    create(resources, "open")
    supervisor.start()
    recorder.until(lambda: bool(recorder.runs) and recorder.swept == 1)
    supervisor.close()
    assert recorder.runs == ["open"]


def test_what_is_created_later_is_claimed_at_once_and_only_once(
    resources: Resources, recorder: Recorder, supervisor: Supervisor
) -> None:
    supervisor.start()
    row = create(resources, "job")
    recorder.until(lambda: recorder.running == ["job"])
    resources.annotate(row, "again")
    resources.annotate(row, "and again")
    recorder.may_end.set()
    resources.annotate(row, "now")
    recorder.until(lambda: not recorder.running)
    assert recorder.runs == ["job"]


def test_no_more_than_the_limit_are_active_and_the_others_have_their_turn(
    resources: Resources, recorder: Recorder, supervisor: Supervisor
) -> None:
    rows = [create(resources, f"job-{number}") for number in range(6)]
    supervisor.start()
    recorder.until(lambda: len(recorder.running) == 2)
    recorder.may_end.set()
    for row in rows:
        resources.annotate(row, "go on")
    recorder.until(lambda: len(recorder.runs) == 6 and not recorder.running)
    assert (recorder.most, sorted(recorder.runs)) == (2, sorted(row.name for row in rows))


def test_a_kind_without_a_limit_is_active_in_any_number(resources: Resources, recorder: Recorder) -> None:
    rows = [create(resources, f"job-{number}") for number in range(80)]
    supervisor = Supervisor(resources, [Work(TRAINING_JOB, recorder, limit=None)])
    try:
        supervisor.start()
        recorder.until(lambda: len(recorder.running) == len(rows))
    finally:
        supervisor.close()


def test_an_unexpected_error_fails_its_own_resource_and_no_other(
    resources: Resources, recorder: Recorder, supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    def work(resource: Resource, wake: Wake) -> None:
        if resource.name == "bad":
            raise ZeroDivisionError("our own")
        recorder.end_when_allowed(resource, wake)

    recorder.work = work
    supervisor.start()
    create(resources, "bad")
    create(resources, "good")
    recorder.until(lambda: recorder.failed == ["bad"] and recorder.running == ["good"])
    assert "ZeroDivisionError: our own" in caplog.text


def test_a_failure_that_cannot_be_written_down_is_tried_again_later(
    resources: Resources, recorder: Recorder, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisors, "AGAIN_SECONDS", 0.01)

    def work(resource: Resource, wake: Wake) -> None:
        if len(recorder.runs) < 3:
            raise ZeroDivisionError
        recorder.end_when_allowed(resource, wake)

    recorder.work, recorder.fails = work, False
    supervisor.start()
    create(resources, "job")
    recorder.until(lambda: recorder.runs == ["job"] * 3 and recorder.running == ["job"])


def test_closing_ends_every_thread_and_changes_no_row(
    resources: Resources, recorder: Recorder, supervisor: Supervisor
) -> None:
    row = create(resources, "job")
    supervisor.start()
    recorder.until(lambda: recorder.running == ["job"])
    supervisor.close()
    assert recorder.running == []
    found = resources.by_arn(row.arn)
    assert found is not None
    assert found.status == "InProgress"


def test_a_wish_to_stop_cancels_what_is_under_way(
    resources: Resources, recorder: Recorder, supervisor: Supervisor
) -> None:
    cancelled = []

    def work(resource: Resource, wake: Wake) -> None:
        cancelled.append(wake.cancelled.wait(60))
        if not wake.closing.is_set():
            resources.advance(resource, "Failed")

    recorder.work = work
    supervisor.start()
    row = create(resources, "job")
    recorder.until(lambda: recorder.running == ["job"])
    resources.advance(row, "Stopping")
    recorder.until(lambda: not recorder.running)
    assert cancelled == [True]


def part_of(parent: Resource) -> Caller:
    """The work on a resource, when it calls the API."""
    return Caller(parent.account, parent.region, parent=parent.arn)


def test_a_change_of_a_part_wakes_the_work_on_the_whole(
    resources: Resources, recorder: Recorder, supervisor: Supervisor
) -> None:
    seen: list[list[str]] = []

    def work(resource: Resource, wake: Wake) -> None:
        while not wake.closing.is_set():
            parts = resources.store.children(resource.arn, ("Endpoint", "Model"))
            with recorder.changed:
                seen.append([f"{part.name} {part.status}" for part in parts])
                recorder.changed.notify_all()
            wake.wait(None)

    recorder.work = work
    supervisor.start()
    whole = create(resources, "job")
    recorder.until(lambda: bool(seen))
    # No runner works on these kinds here: the work on the parent is woken all the same.
    model = resources.create(MODEL, part_of(whole), {"ModelName": "model"})
    recorder.until(lambda: seen[-1] == ["model "])
    endpoint = resources.create(ENDPOINT, part_of(whole), {"EndpointName": "endpoint"})
    recorder.until(lambda: seen[-1] == ["model ", "endpoint Creating"])
    resources.advance(endpoint, "InService")
    recorder.until(lambda: seen[-1] == ["model ", "endpoint InService"])
    resources.delete(model)
    recorder.until(lambda: seen[-1] == ["endpoint InService"])


def test_a_change_of_a_child_wakes_its_parent_when_no_thread_works_on_it(
    resources: Resources, recorder: Recorder, supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    ended = resources.advance(create(resources, "ended"), "Failed")
    supervisor.start()
    model = resources.create(MODEL, CALLER, {"ModelName": "whole"})
    resources.create(MODEL, part_of(model), {"ModelName": "part"})
    resources.create(MODEL, part_of(ended), {"ModelName": "late"})
    create(resources, "next")
    recorder.until(lambda: recorder.running == ["next"])
    assert recorder.runs == ["next"]
    assert "unexpected error" not in caplog.text
