"""Networks that jobs have one after another."""

from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import ARN_LABEL
from samebox.containers.fake import FakeEngine
from samebox.jobs.job_networks import MOST_KEPT, JobNetworks
from samebox.platform import networks
from samebox.resources.run_facts import job_facts

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.harness import Harness


@pytest.fixture
def engine(tmp_path: "Path") -> FakeEngine:
    return FakeEngine(tmp_path / "engine")


@pytest.fixture
def in_use() -> set[str]:
    return set()


@pytest.fixture
def kept(engine: FakeEngine, in_use: set[str]) -> JobNetworks:
    return JobNetworks(engine, "mine", lambda: frozenset(in_use))


def make(engine: FakeEngine, kept: JobNetworks) -> str:
    """As a job does."""
    network = kept.take()
    networks.make(engine, network)
    return network.name


def names(engine: FakeEngine) -> set[str]:
    return {one.name for one in engine.networks({})}


def test_jobs_at_once_have_different_networks_and_a_later_one_has_that_of_an_earlier(
    engine: FakeEngine, kept: JobNetworks
) -> None:
    first, second = make(engine, kept), make(engine, kept)
    assert first != second
    kept.give_back(first)
    assert (make(engine, kept), names(engine)) == (first, {first, second})
    assert make(engine, kept) not in (first, second)


def test_only_a_few_are_kept(engine: FakeEngine, kept: JobNetworks) -> None:
    made = [make(engine, kept) for _ in range(MOST_KEPT + 2)]
    for name in made:
        kept.give_back(name)
    assert names(engine) == set(made[:MOST_KEPT])


def test_one_that_a_user_removed_is_made_again(engine: FakeEngine, kept: JobNetworks) -> None:
    name = make(engine, kept)
    kept.give_back(name)
    engine.remove_network(name)
    assert (make(engine, kept), names(engine)) == (name, {name})


def test_the_end_removes_all_but_those_of_jobs_that_go_on(
    engine: FakeEngine, kept: JobNetworks, in_use: set[str]
) -> None:
    goes_on, late, spare = (make(engine, kept) for _ in range(3))
    in_use.add(goes_on)
    kept.give_back(spare)
    kept.close()
    assert names(engine) == {goes_on}
    kept.give_back(late)  # its job ended after us
    kept.give_back(goes_on)
    assert names(engine) == set()


def test_a_start_removes_what_a_killed_process_kept_and_nothing_else(
    engine: FakeEngine, kept: JobNetworks, in_use: set[str]
) -> None:
    spare, goes_on = make(engine, kept), make(engine, kept)
    kept.give_back(spare)
    in_use.add(goes_on)
    others = make(engine, JobNetworks(engine, "another emulator", lambda: frozenset()))
    engine.create_network("an endpoint's", {"samebox": "mine", ARN_LABEL: "arn"})
    after = JobNetworks(engine, "mine", lambda: frozenset(in_use))
    own = make(engine, after)
    after.sweep()
    assert names(engine) == {goes_on, others, own, "an endpoint's"}


def test_a_job_takes_over_its_network_with_its_container(harness: "Harness") -> None:
    seen = list[Any]()

    def train(process: "Process") -> int:
        seen.append(process.spec.network)
        process.wait_for_stop()
        return 0

    def network(job: "Resource") -> str | None:
        return job_facts(harness.reload(job)).run.network

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    first = harness.create_training_job("first")
    harness.wait_for_status(first, "Training")
    harness.crash()
    harness.start()
    second = harness.create_training_job("second")
    harness.wait_for_status(second, "Training")
    assert seen == [network(first), network(second)]
    assert network(first) != network(second), "the one is still in use"
    for job in (first, second):
        harness.stop_job(job)
        harness.wait_until_ended(job)
    third = harness.create_training_job("third")
    harness.wait_for_status(third, "Training")
    assert len(names(harness.engine)) <= 3
    harness.stop_job(third)
    harness.wait_until_ended(third)
    assert harness.next_start_leaves_no_network()
