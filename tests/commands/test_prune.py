"""What is a stray, and what is not."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from samebox.commands import prune, strays
from samebox.commands.outcome import Stop
from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerSpec
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import Process
from samebox.containers.kept_images import KeptImages, name_of
from samebox.containers.registry_server import REGISTRY_OWNER
from samebox.resources.kinds import ENDPOINT, KINDS, MODEL, TRAINING_JOB
from samebox.resources.resources import Resources
from samebox.resources.run_facts import JobFacts, RunFacts
from samebox.resources.store import Store
from samebox.services import images
from samebox.wire.models import Models
from tests import samples
from tests.conftest import CALLER

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    engine = FakeEngine(tmp_path / "engine")

    def work(process: Process) -> int:
        return 0

    engine.add_image("box", {"work": work})
    yield engine
    engine.close()


def container(engine: FakeEngine, instance: str, arn: str | None) -> str:
    labels = {INSTANCE_LABEL: instance, **({ARN_LABEL: arn} if arn else {})}
    return engine.create(ContainerSpec("box", command=("work",), labels=labels))


def test_what_belongs_to_something_that_runs_is_kept(engine: FakeEngine) -> None:
    kept, stray = container(engine, "mine", "arn:kept"), container(engine, "mine", "arn:gone")
    found = strays.find(engine, "mine", frozenset({"arn:kept"}))
    assert [one.id for one in found.containers] == [stray]
    strays.remove(engine, found)
    assert [one.id for one in engine.find({INSTANCE_LABEL: "mine"})] == [kept]


def test_another_data_folders_things_are_never_touched(engine: FakeEngine) -> None:
    other = container(engine, "other", "arn:gone")
    engine.create_network("theirs", {INSTANCE_LABEL: "other"})
    strays.remove(engine, strays.find(engine, "mine", frozenset()))
    assert [one.id for one in engine.find({INSTANCE_LABEL: "other"})] == [other]
    assert [one.name for one in engine.networks({INSTANCE_LABEL: "other"})] == ["theirs"]


def test_the_emulators_own_helpers_stay_while_it_runs(engine: FakeEngine) -> None:
    helper = container(engine, "mine", REGISTRY_OWNER)
    assert not strays.find(engine, "mine", strays.HELPERS)
    assert [one.id for one in strays.find(engine, "mine", frozenset()).containers] == [helper]


def test_a_network_goes_with_its_container(engine: FakeEngine) -> None:
    container(engine, "mine", "arn:gone")
    engine.create_network("ours", {INSTANCE_LABEL: "mine", ARN_LABEL: "arn:gone"})
    found = strays.find(engine, "mine", frozenset())
    assert any("network ours, of arn:gone" in line for line in found.lines())
    strays.remove(engine, found)
    assert engine.networks({INSTANCE_LABEL: "mine"}) == []


def test_the_network_of_a_job_that_goes_on_without_an_emulator_stays(
    engine: FakeEngine, tmp_path: Path, models: Models
) -> None:
    store = Store(tmp_path / "state.sqlite")
    resources = Resources(store, models, KINDS, lambda: 1_700_000_000.0)
    facts = JobFacts("train:1", RunFacts(network="in use"))
    resources.create(TRAINING_JOB, CALLER, samples.OF_KIND["TrainingJob"], facts)
    store.close()
    for name in ("in use", "kept for the next job"):
        engine.create_network(name, {INSTANCE_LABEL: "mine"})
    found = strays.find(engine, "mine", strays.wanted(tmp_path), networks_in_use=strays.networks_in_use(tmp_path))
    assert [one.name for one in found.networks] == ["kept for the next job"]


def test_jobs_that_have_not_ended_and_endpoints_are_needed(tmp_path: Path, models: Models) -> None:
    store = Store(tmp_path / "state.sqlite")
    resources = Resources(store, models, KINDS, lambda: 1_700_000_000.0)
    running = resources.create(TRAINING_JOB, CALLER, samples.OF_KIND["TrainingJob"])
    ended = resources.create(TRAINING_JOB, CALLER, {**samples.OF_KIND["TrainingJob"], "TrainingJobName": "ended"})
    resources.advance(ended, "Failed")
    endpoint = resources.create(ENDPOINT, CALLER, samples.OF_KIND["Endpoint"])
    store.close()
    assert strays.wanted(tmp_path) == {running.arn, endpoint.arn}


def test_an_image_is_kept_for_a_model_and_not_for_a_job_that_has_ended(
    engine: FakeEngine, tmp_path: Path, models: Models
) -> None:
    store = Store(tmp_path / "state.sqlite")
    resources = Resources(store, models, KINDS, lambda: 1_700_000_000.0)
    served, trained = engine.add_image("serve:1", {}).id, engine.add_image("train:1", {}).id
    keeper = KeptImages(engine, "mine", lambda: images.needed_ids(store))
    assert keeper.keep(served)
    assert keeper.keep(trained)
    resources.create(MODEL, CALLER, {**samples.OF_KIND["Model"], "PrimaryContainer": {"Image": f"serve:1@{served}"}})
    job = resources.create(TRAINING_JOB, CALLER, samples.OF_KIND["TrainingJob"], JobFacts(trained))
    resources.advance(job, "Failed")
    store.close()
    needed = strays.images_needed(tmp_path)
    assert strays.find(engine, "mine", frozenset(), needed).lines() == [f"image {name_of('mine', trained)}"]
    strays.remove(engine, strays.find(engine, "mine", frozenset(), needed))
    assert engine.tags("samebox/kept") == [name_of("mine", served)]


def test_a_folder_on_which_no_emulator_ever_ran_has_nothing_to_prune(tmp_path: Path) -> None:
    assert strays.identity(tmp_path) is None
    assert strays.wanted(tmp_path) == frozenset()
    assert prune.clear(tmp_path) == 0


def test_a_state_file_of_another_version_is_read_and_not_changed(tmp_path: Path) -> None:
    # An emulator of that version may run on it, in another environment of this machine.
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((ROOT / "tests" / "resources" / "schemas" / "0001.sql").read_text())
        connection.commit()
    before = path.read_bytes()
    assert strays.wanted(tmp_path) == {
        f"arn:aws:sagemaker:us-east-1:123456789012:{name}" for name in ("training-job/Mixed-Case", "endpoint/digits")
    }
    assert path.read_bytes() == before
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(Stop, match="a newer samebox"):
        strays.wanted(tmp_path)
