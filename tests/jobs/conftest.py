"""Fixtures of the tests of jobs: `harness`, and the one S3 server that all of them share."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.data import artifacts
from samebox.data.objects import Objects
from samebox.data.rclone import S3Server
from samebox.settings import Settings
from samebox.wire.models import Models
from tests.jobs.crashing import EmulatorKilled
from tests.jobs.harness import Harness


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def objects(s3: S3Server) -> Iterator[Objects]:
    # One client for all: making one costs more than most tests.
    objects = Objects(s3.url, s3.credentials.access_key, s3.credentials.secret_key, attempts=1)
    yield objects
    objects.close()


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
    harness = Harness(tmp_path, models, objects, settings)
    unpack = artifacts.unpack
    monkeypatch.setattr(artifacts, "unpack", lambda *rest: harness.process.call("artifacts.unpack", unpack, *rest))
    yield harness
    harness.close()
    harness.store.close()
    # What Describe shows is made of it; what only we know of a row is in its facts.
    assert harness.foreign == set()
