"""Which containers and emulators have lost their data folder, and which have not."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.commands import orphans, where
from samebox.commands.outcome import Stop
from samebox.containers import home
from samebox.containers.engine import INSTANCE_LABEL, ContainerSpec
from samebox.containers.fake import FakeEngine

URL = "http://127.0.0.1:9"  # nothing listens there
IMAGE = f"localhost:9/box@sha256:{'1' * 64}"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    engine = FakeEngine(tmp_path / "engine")
    engine.add_image(IMAGE, {"work": lambda process: 0})
    yield engine
    engine.close()


def folder(tmp_path: Path, instance: str) -> Path:
    made = tmp_path / instance
    made.mkdir()
    (made / "id").write_text(instance)
    return made


def container(engine: FakeEngine, instance: str, labels: dict[str, str]) -> str:
    return engine.create(ContainerSpec(IMAGE, command=("work",), labels={INSTANCE_LABEL: instance, **labels}))


def test_what_belongs_to_a_folder_that_is_gone_is_found(engine: FakeEngine, tmp_path: Path) -> None:
    here, gone = folder(tmp_path, "here"), folder(tmp_path, "gone")
    container(engine, "here", home.label(here, URL))
    stray = container(engine, "gone", home.label(gone, URL))
    engine.create_network("net", {INSTANCE_LABEL: "gone", **home.label(gone, URL)})
    assert orphans.find(engine) == orphans.Orphans()
    shutil.rmtree(gone)
    found = orphans.find(engine)
    assert [one.id for one in found.containers] == [stray]
    assert [one.name for one in found.networks] == ["net"]
    assert found.images == (IMAGE,)
    assert orphans.find(engine, gone) == found
    assert orphans.find(engine, tmp_path / "another") == orphans.Orphans()


def test_another_folder_in_its_place_does_not_claim_it(engine: FakeEngine, tmp_path: Path) -> None:
    place = folder(tmp_path, "first")
    stray = container(engine, "first", home.label(place, URL))
    (place / "id").write_text("second")
    assert [one.id for one in orphans.find(engine).containers] == [stray]


def test_what_another_machine_made_or_is_of_unknown_origin_is_left_alone(engine: FakeEngine, tmp_path: Path) -> None:
    elsewhere = {home.HOME_LABEL: json.dumps({"host": "elsewhere", "folder": str(tmp_path / "gone"), "url": URL})}
    container(engine, "gone", elsewhere)
    container(engine, "older", {})
    container(engine, "broken", {home.HOME_LABEL: "{"})
    assert orphans.find(engine).containers == ()


@pytest.mark.parametrize("answer", [{"id": "gone"}, None, Stop("another token")])
def test_what_an_emulator_that_answers_may_need_is_left_alone(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    # Its folder cannot be seen from here, as where it runs in a container of the same engine.
    container(engine, "gone", home.label(tmp_path / "gone", URL))

    def ask(*_: object) -> object:
        if isinstance(answer, Stop):
            raise answer
        return answer

    monkeypatch.setattr(where, "ask", ask)
    monkeypatch.setattr(where, "is_emulator", lambda *_: True)
    assert orphans.find(engine).containers == ()


def test_an_emulator_that_lost_its_folder_is_found_with_its_containers(engine: FakeEngine, tmp_path: Path) -> None:
    place = folder(tmp_path, "lost")
    own = container(engine, "lost", home.label(place, URL))
    with where.recorded(place, URL) as running:
        assert orphans.find(engine) == orphans.Orphans()
        shutil.rmtree(place)
        found = orphans.find(engine)
        assert [one.record for one in found.emulators] == [running]
        assert [one.id for one in found.containers] == [own]


def test_the_network_of_credentials_stays_while_any_emulator_runs(engine: FakeEngine, tmp_path: Path) -> None:
    engine.create_network("samebox", {INSTANCE_LABEL: "gone", **home.label(tmp_path / "gone", URL)})
    assert [one.name for one in orphans.find(engine).networks] == ["samebox"]
    with where.recorded(tmp_path / "other", URL):
        assert orphans.find(engine).networks == ()
