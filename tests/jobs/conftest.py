"""Fixtures of the tests of jobs: `harness`, and the one S3 storage that all of them share."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.data import artifacts
from samebox.data.local_objects import LocalObjects
from samebox.data.objects import Objects
from samebox.jobs import running
from samebox.s3.store import S3Store
from samebox.settings import Settings
from samebox.wire.models import Models
from tests.jobs.crashing import EmulatorKilled
from tests.jobs.harness import Harness


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Objects]:
    storage = S3Store(tmp_path_factory.mktemp("objects"))
    yield LocalObjects(storage, "123456789012", "us-east-1")
    storage.close()


@pytest.fixture(scope="session")
def models() -> Models:
    return Models()


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def harness(
    tmp_path: Path, objects: Objects, models: Models, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Harness]:
    say = threading.excepthook
    monkeypatch.setattr(
        threading, "excepthook", lambda arguments: None if arguments.exc_type is EmulatorKilled else say(arguments)
    )
    monkeypatch.setattr(running, "LISTEN_SECONDS", 0.0)  # programs of a fake engine listen at once
    harness = Harness(tmp_path, models, objects, settings)
    unpack = artifacts.unpack
    monkeypatch.setattr(artifacts, "unpack", lambda *rest: harness.process.call("artifacts.unpack", unpack, *rest))
    yield harness
    harness.close()
    harness.store.close()
    # What Describe shows is made of it; what only we know of a row is in its facts.
    assert harness.foreign == set()
