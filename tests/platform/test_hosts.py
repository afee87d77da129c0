"""The life of a job's hosts on an engine: made once, found again, started once, removed with their network."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import ARN_LABEL, EngineError, EngineUnavailable, ImageMissing, Network
from samebox.containers.fake import FakeEngine
from samebox.platform import networks, training
from samebox.platform.hosts import JobHosts, prepare
from samebox.platform.job import HostLimits, JobNetwork, JobPlan, Placement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from samebox.containers.engine import ContainerState
    from samebox.containers.fake_process import Process

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/digits"
LABELS = {"samebox": "an-id", ARN_LABEL: ARN}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    made = FakeEngine(tmp_path / "engine")
    yield made
    for state in made.find({}):
        made.remove(state.id)


def plan(root: Path, hosts: int = 2) -> JobPlan:
    request: dict[str, Any] = {
        "TrainingJobName": "digits",
        "AlgorithmSpecification": {"TrainingImage": "digits:1", "TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 2},
    }
    placement = Placement(root, "0a0b0c0d0e0f0a0b0c", "samebox-digits", LABELS)
    return training.plan(request, "digits:1", training.facts(ARN, "us-east-1"), placement, [HostLimits()])


def cannot_pull(image: str) -> None:
    raise ImageMissing(image)


def run(hosts: JobHosts) -> dict[str, str]:
    hosts.make_network()
    made = []
    for host in hosts.plan.hosts:
        prepare(host)
        made.append(hosts.create(host))
    for one in made:
        hosts.start(one)
    return {one.host.name: one.id for one in made}


def test_hosts_know_each_other_by_name_whether_they_run_or_not(engine: FakeEngine, tmp_path: Path) -> None:
    engine.add_image("digits:1", {"train": lambda _: None})
    containers = run(JobHosts(engine, plan(tmp_path / "job"), cannot_pull))
    specs = {name: engine.spec_of(container) for name, container in containers.items()}
    addresses = {name: str(spec.address) for name, spec in specs.items()}
    assert len(set(addresses.values())) == 2
    assert all(dict(spec.extra_hosts) == addresses for spec in specs.values())
    gateway = ipaddress.ip_interface(networks.gateway(specs["algo-1"].network))
    assert all(ipaddress.ip_address(one) in gateway.network for one in addresses.values())
    # Also on a network that is there already, with the addresses that it has.
    JobHosts(engine, plan(tmp_path / "job"), cannot_pull).remove_containers(engine_states(engine))
    again = run(JobHosts(engine, plan(tmp_path / "job"), cannot_pull))
    assert {name: engine.spec_of(container).address for name, container in again.items()} == addresses


def test_one_host_alone_has_the_address_that_the_engine_chooses(engine: FakeEngine, tmp_path: Path) -> None:
    engine.add_image("digits:1", {"train": lambda _: None})
    (container,) = run(JobHosts(engine, plan(tmp_path / "job", hosts=1), cannot_pull)).values()
    spec = engine.spec_of(container)
    assert (spec.address, dict(spec.extra_hosts)) == (None, {})


def engine_states(engine: FakeEngine) -> dict[str, ContainerState]:
    return {state.name: engine.inspect(state.id) for state in engine.find({})}


def test_each_host_runs_under_its_own_opt_ml(engine: FakeEngine, tmp_path: Path) -> None:
    def train(process: Process) -> int:
        config = json.loads((process.path("/opt/ml/input/config") / "resourceconfig.json").read_text())
        (process.path("/opt/ml/model") / "name").write_text(config["current_host"])
        return 0

    engine.add_image("digits:1", {"train": train})
    job = plan(tmp_path / "job")
    for container in run(JobHosts(engine, job, cannot_pull)).values():
        engine.wait(container, 30)

    assert [(host.root / "model" / "name").read_text() for host in job.hosts] == ["algo-1", "algo-2"]


def test_hosts_that_were_made_in_an_earlier_life_are_found_and_not_started_again(
    engine: FakeEngine, tmp_path: Path
) -> None:
    starts = []

    def train(process: Process) -> int:
        starts.append(process)
        process.wait_for_stop()
        return 0

    engine.add_image("digits:1", {"train": train})
    first = run(JobHosts(engine, plan(tmp_path / "job"), cannot_pull))
    again = JobHosts(engine, plan(tmp_path / "job"), cannot_pull)

    assert run(again) == first == {name: state.id for name, state in again.find().items()}
    assert len(starts) == 2


def test_an_image_that_is_missing_is_pulled_once(engine: FakeEngine, tmp_path: Path) -> None:
    pulled = []

    def pull(image: str) -> None:
        pulled.append(image)
        engine.pull(image)

    engine.add_image("digits:1", {"train": lambda _: 0}, remote=True)
    run(JobHosts(engine, plan(tmp_path / "job", hosts=3), pull))

    assert pulled == ["digits:1"]


def test_a_container_of_that_name_which_is_another_jobs_is_not_touched(engine: FakeEngine, tmp_path: Path) -> None:
    engine.add_image("digits:1", {"train": lambda process: process.wait_for_stop()})
    ours = plan(tmp_path / "job", hosts=1)
    (host,) = ours.hosts
    other = engine.create(type(host.container)(image="digits:1", name=host.container_name))
    JobHosts(engine, ours, cannot_pull).remove()

    assert [state.id for state in engine.find({})] == [other]


def test_nothing_is_left_after_remove(engine: FakeEngine, tmp_path: Path) -> None:
    engine.add_image("digits:1", {"train": lambda process: process.wait_for_stop()})
    hosts = JobHosts(engine, plan(tmp_path / "job"), cannot_pull)
    run(hosts)
    hosts.remove()
    hosts.remove()

    assert (engine.find({}), engine.networks({})) == ([], [])


def test_hosts_that_have_ended_or_are_gone_can_be_signalled(engine: FakeEngine, tmp_path: Path) -> None:
    engine.add_image("digits:1", {"train": lambda process: process.wait_for_stop()})
    hosts = JobHosts(engine, plan(tmp_path / "job"), cannot_pull)
    made = run(hosts)
    engine.remove(made["algo-2"])
    hosts.signal(made.values(), "SIGTERM")

    state = engine.wait(made["algo-1"], 30)
    assert state is not None
    assert state.has_exited


class Crowded:
    """Networks of an engine on which the first ranges are in use."""

    def __init__(self, taken: int) -> None:
        self.taken = taken
        self.asked: list[str | None] = []

    def networks(self, labels: Mapping[str, str | None]) -> list[Network]:
        raise AssertionError(labels)  # no name is taken

    def remove_network(self, network: str) -> None:
        raise AssertionError(network)

    def create_network(
        self, name: str, labels: Mapping[str, str], internal: bool = False, gateway: str | None = None
    ) -> Network:
        self.asked.append(gateway)
        if len(self.asked) <= self.taken:
            raise EngineError("Pool overlaps with other one on this address space")
        return Network("id", name, labels)


def test_a_network_takes_the_next_range_where_one_is_in_use() -> None:
    engine = Crowded(taken=2)
    networks.make(engine, JobNetwork("samebox-1", {}, internal=True))

    assert engine.asked == [networks.gateway("samebox-1", attempt) for attempt in range(3)]
    assert len(set(engine.asked)) == 3


def test_an_engine_without_any_free_range_is_an_error() -> None:
    with pytest.raises(EngineError, match="Pool overlaps"):
        networks.make(Crowded(taken=1_000), JobNetwork("samebox-1", {}, internal=True))


def test_every_range_is_within_the_one_that_is_set_aside_for_tests() -> None:
    gateways = {networks.gateway("n", attempt) for attempt in range(512)}

    assert len(gateways) == 512
    assert all(one.startswith(("198.18.", "198.19.")) and one.endswith(".1/24") for one in gateways)


def test_a_network_that_is_there_is_taken_if_it_is_the_jobs_own(engine: FakeEngine) -> None:
    network = JobNetwork("samebox-1", LABELS, internal=False)
    networks.make(engine, network)
    networks.make(engine, network)

    with pytest.raises(EngineUnavailable):
        networks.make(engine, JobNetwork("samebox-1", {"samebox": "another"}, internal=False))
    assert [one.name for one in engine.networks({})] == ["samebox-1"]
