"""Warm pools: what a training job's hosts leave to the next one that matches, and when they end."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import Capacity
from samebox.jobs import job_networks, warm_pools
from samebox.jobs.processing import PROCESSING
from samebox.jobs.training import TRAINING
from samebox.platform.background import Background
from samebox.resources.kinds import CONTAINER_JOBS
from samebox.resources.query import Query
from samebox.resources.run_facts import job_facts
from samebox.resources.store import Store
from tests.jobs.crashing import RecordedSteps
from tests.jobs.harness import LABEL

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness

CONFIG = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
CACHE = "SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"


def train(process: "Process") -> int:
    """Puts a file aside, and shows those of the jobs before."""
    folder = process.path(process.environment[CACHE])
    process.print(f"found {len(list(folder.iterdir()))}")
    (folder / process.environment["TRAINING_JOB_NAME"]).touch()
    return 0


def create(harness: "Harness", name: str, seconds: int | None = 600, hosts: int = 1, **changes: Any) -> "Resource":
    harness.engine.add_image("digits:1", {"train": train})
    period = {} if seconds is None else {"KeepAlivePeriodInSeconds": seconds}
    return harness.create_training_job(name, ResourceConfig={**CONFIG, "InstanceCount": hosts, **period}, **changes)


def pool_of(harness: "Harness", job: "Resource") -> dict[str, Any]:
    """WarmPoolStatus, without the seconds that this machine took."""
    found = harness.reload(job).state.get("WarmPoolStatus", {})
    return {name: value for name, value in found.items() if not name.endswith("Seconds")}


def message_of(harness: "Harness", job: "Resource") -> str:
    return str(harness.reload(job).state["SecondaryStatusTransitions"][-1]["StatusMessage"])


def keep_alive(harness: "Harness", job: "Resource", seconds: int) -> None:
    """As UpdateTrainingJob does."""
    harness.resources.replace_spec(
        harness.reload(job),
        lambda row: {**row.spec, "ResourceConfig": {**row.spec["ResourceConfig"], "KeepAlivePeriodInSeconds": seconds}},
    )


def wait_until_terminated(harness: "Harness", job: "Resource") -> None:
    harness.wait_until(lambda: pool_of(harness, job) == {"Status": "Terminated"})


def nothing_is_left(harness: "Harness") -> bool:
    folder = warm_pools.folder(harness.data_dir)
    harness.poll_until(lambda: not list(folder.iterdir()) if folder.is_dir() else True)
    return harness.container_names() == [] and harness.next_start_leaves_no_network()


@pytest.mark.parametrize("hosts", [1, 2])
def test_a_matching_job_runs_on_the_hosts_of_the_one_before(harness: "Harness", hosts: int) -> None:
    harness.start()
    first = create(harness, "first", hosts=hosts)
    harness.wait_until_ended(first)
    assert pool_of(harness, first) == {"Status": "Available"}
    assert message_of(harness, first) == "Resource retained for reuse"
    harness.clock_offset = 100.0
    second = create(harness, "second", hosts=hosts)
    row = harness.wait_until_ended(second)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert pool_of(harness, first) == {"Status": "Reused", "ReusedByJob": "second"}
    assert message_of(harness, first) == "Resource reused by training job: second"
    assert harness.reload(first).state["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"] >= 100
    assert pool_of(harness, second) == {"Status": "Available"}
    runs = [job_facts(harness.reload(one)).run for one in (first, second)]
    assert runs[0].network == runs[1].network
    if hosts == 1:
        assert [harness.log_lines(one) for one in (first, second)] == [["found 0"], ["found 1"]]
    keep_alive(harness, second, 0)
    wait_until_terminated(harness, second)
    assert message_of(harness, second) == "Resource released due to keep alive period expiry"
    assert nothing_is_left(harness)


def test_a_pool_is_in_use_while_its_job_runs_and_ends_with_one_that_keeps_nothing(harness: "Harness") -> None:
    harness.start()
    first = create(harness, "first")
    harness.wait_until_ended(first)
    harness.engine.add_image("other:1", {"train": lambda process: process.wait_for_stop()})
    last = create(harness, "last", None, image="other:1")
    harness.wait_for_status(last, "Training")
    assert pool_of(harness, last) == {"Status": "InUse"}
    harness.stop_job(last)
    assert harness.wait_until_ended(last).status == "Stopped"
    assert pool_of(harness, last) == {"Status": "Terminated"}
    assert nothing_is_left(harness)


def test_a_pool_ends_with_its_period(harness: "Harness") -> None:
    harness.start()
    job = create(harness, "first")
    harness.wait_until_ended(job)
    harness.clock_offset = 599.0 - 120.0
    harness.touch(job)
    assert pool_of(harness, job) == {"Status": "Available"}
    harness.clock_offset = 601.0
    harness.engine.add_image("late:1", {"train": lambda process: process.print("done")})
    late = create(harness, "late", None, image="late:1")
    harness.touch(job)
    wait_until_terminated(harness, job)
    assert harness.reload(job).state["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"] >= 600
    assert "WarmPoolStatus" not in harness.wait_until_ended(late).state
    assert nothing_is_left(harness)


def test_a_chain_of_jobs_keeps_its_hosts_for_28_days_at_most(harness: "Harness") -> None:
    harness.start()
    first = create(harness, "first", 21_600)
    harness.wait_until_ended(first)
    began = job_facts(harness.reload(first)).run
    assert began.pool is not None
    old = replace(began, pool=replace(began.pool, began_at=began.pool.began_at - warm_pools.MOST_SECONDS))
    harness.resources.change(harness.reload(first), facts=lambda row: replace(job_facts(row), run=old))
    wait_until_terminated(harness, first)


def test_what_an_algorithm_does_wrong_does_not_cost_the_hosts(harness: "Harness") -> None:
    harness.engine.add_image("wrong:1", {"train": lambda _: 3})
    harness.start()
    job = create(harness, "wrong", image="wrong:1")
    row = harness.wait_until_ended(job)
    assert (row.status, pool_of(harness, job)) == ("Failed", {"Status": "Available"})
    assert message_of(harness, job) == "Training job failed"


def test_hosts_that_were_lost_or_never_there_are_not_kept(harness: "Harness") -> None:
    harness.engine.add_image("lost:1", {"train": lambda process: process.wait_for_stop()})
    harness.start()
    lost = create(harness, "lost", image="lost:1")
    harness.wait_for_status(lost, "Training")
    (name,) = harness.container_names()
    harness.engine.remove(name)
    assert harness.wait_until_ended(lost).state["FailureReason"].startswith("InternalServerError")
    assert pool_of(harness, lost) == {"Status": "Terminated"}
    without = {**CONFIG, "InstanceType": "ml.p3.2xlarge", "KeepAlivePeriodInSeconds": 600}
    never = harness.create_training_job("never", ResourceConfig=without)
    assert harness.wait_until_ended(never).state["FailureReason"].startswith("CapacityError")
    assert pool_of(harness, never) == {"Status": "Terminated"}
    assert nothing_is_left(harness)


def test_another_job_gets_the_room_that_it_needs(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=64, memory_bytes=8 << 30))
    harness.start()
    pooled = create(harness, "pooled")
    harness.wait_until_ended(pooled)
    other = create(harness, "other", None, RoleArn="arn:aws:iam::123456789012:role/other", image="other:1")
    harness.engine.add_image("other:1", {"train": lambda process: process.print("done")})
    assert harness.wait_until_ended(other).status == "Completed"
    assert pool_of(harness, pooled) == {"Status": "Terminated"}
    assert "Insufficient capacity" not in str(harness.reload(other).state)
    assert nothing_is_left(harness)


def test_a_restart_goes_on_with_the_rest_of_the_period(harness: "Harness") -> None:
    harness.types = (TRAINING, PROCESSING)  # each type sweeps what it knows
    supervisor = harness.start()
    first, second = (create(harness, name, RoleArn=f"arn:aws:iam::1:role/{name}") for name in ("first", "second"))
    for job in (first, second):
        harness.wait_until_ended(job)
    supervisor.close()
    keep_alive(harness, second, 1)
    harness.clock_offset = 100.0
    harness.start()
    wait_until_terminated(harness, second)
    third = create(harness, "third", RoleArn="arn:aws:iam::1:role/first")
    harness.wait_until_ended(third)
    assert pool_of(harness, first) == {"Status": "Reused", "ReusedByJob": "third"}
    assert harness.log_lines(third) == ["found 1"]
    harness.crash()
    harness.start()
    keep_alive(harness, third, 0)
    wait_until_terminated(harness, third)
    assert nothing_is_left(harness)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_job_that_is_stopped_while_it_takes_hosts_over_has_them_or_has_not(harness: "Harness", number: int) -> None:
    second = begin(harness)
    harness.crash_at(("resources.change", number), after=True)
    harness.crash()
    harness.stop_job(second)
    harness.start()
    assert harness.wait_until_ended(second).status == "Stopped"
    first = harness.resources.by_arn(second.arn.replace("second", "first"))
    assert first is not None
    assert pool_of(harness, first) == {"Status": "Reused", "ReusedByJob": "second"}
    keep_alive(harness, second, 0)
    wait_until_terminated(harness, second)
    assert nothing_is_left(harness)


REQUEST: dict[str, Any] = {"RoleArn": "a", "ResourceConfig": CONFIG}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"RoleArn": "b"}, False),
        ({"ResourceConfig": {**CONFIG, "InstanceCount": 2}}, False),
        ({"ResourceConfig": {**CONFIG, "InstanceType": "ml.m5.xlarge"}}, False),
        ({"ResourceConfig": {**CONFIG, "VolumeSizeInGB": 2}}, False),
        ({"ResourceConfig": {**CONFIG, "VolumeKmsKeyId": "key"}}, False),
        ({"VpcConfig": {"SecurityGroupIds": ["a"], "Subnets": ["b"]}}, False),
        ({"EnableNetworkIsolation": True}, False),
        ({"EnableInterContainerTrafficEncryption": True}, False),
        ({"EnableManagedSpotTraining": True}, False),
        ({"EnableNetworkIsolation": False, "HyperParameters": {"epochs": "2"}}, True),
        ({"ResourceConfig": {**CONFIG, "KeepAlivePeriodInSeconds": 1}}, True),
    ],
)
def test_hosts_match_by_these_members_and_no_others(change: dict[str, Any], expected: bool) -> None:
    assert warm_pools.matches(REQUEST, {**REQUEST, **change}) is expected


def test_a_pool_that_passes_to_a_job_during_a_sweep_is_not_swept(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = harness.start()
    first = create(harness, "first")
    harness.wait_until_ended(first)
    supervisor.close()
    second = create(harness, "second")
    pool = job_facts(harness.reload(first)).run.pool
    assert pool is not None
    folder = warm_pools.folder(harness.data_dir) / pool.identity
    assert folder.is_dir()
    find = Store.find
    passed: list[Query] = []

    def passing(store: Store, query: Query) -> list["Resource"]:
        """What is found; after the first look the second job has the pool."""
        found = find(store, query)
        if not passed:
            passed.append(query)
            run = replace(job_facts(harness.reload(second)).run, pool=replace(pool, source=first.arn))
            harness.resources.change(harness.reload(second), None, lambda row: replace(job_facts(row), run=run))
            status = {"WarmPoolStatus": {"Status": "Reused", "ReusedByJob": "second"}}
            harness.resources.change(harness.reload(first), lambda _: status)
        return found

    monkeypatch.setattr(Store, "find", passing)
    networks = job_networks.of_jobs(harness.engine, LABEL, harness.resources, CONTAINER_JOBS)
    pools = warm_pools.WarmPools(
        TRAINING.kind, harness.resources, harness.engine, networks, harness.data_dir, Background(), lambda _: None
    )
    pools.sweep()
    assert passed
    assert folder.is_dir()


# kill -9


def begin(harness: "Harness") -> "Resource":
    supervisor = harness.start()
    harness.wait_until_ended(create(harness, "first", hosts=2))
    supervisor.close()
    return create(harness, "second", hosts=2)


def check(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    first = harness.resources.by_arn(job.arn.replace("second", "first"))
    assert first is not None
    assert pool_of(harness, first) == {"Status": "Reused", "ReusedByJob": "second"}
    assert pool_of(harness, job) == {"Status": "Available"}
    run, before = job_facts(row).run, job_facts(first).run
    assert run.network == before.network
    assert run.pool is not None
    assert before.pool is not None
    assert run.pool.identity == before.pool.identity
    keep_alive(harness, job, 0)
    wait_until_terminated(harness, job)
    assert nothing_is_left(harness)


CALLS = {
    "resources.retained": 1,
    "resources.unended": 3,
    "resources.change": 4,
    "resources.advance": 4,
    "engine.create": 2,
    "engine.start": 2,
    "engine.remove": 2,
    "engine.sweep_path": 1,
}
STEPS = RecordedSteps(begin, check, CALLS, is_complete=False, settle=lambda harness, job: harness.wait_until_ended(job))


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_step_gives_the_hosts_to_one_job(harness: "Harness", step: "Step", after: bool) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_steps_above_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)
