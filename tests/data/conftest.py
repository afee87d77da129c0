"""Our own S3 server, real, over a folder of the test's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.data.objects import Objects
from samebox.data.rclone import S3Server


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    started = S3Server(tmp_path_factory.mktemp("data"))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def store(server: S3Server) -> Iterator[Objects]:
    keys = server.credentials
    objects = Objects(server.url, keys.access_key, keys.secret_key, read_timeout=20, attempts=2)
    yield objects
    objects.close()


@pytest.fixture
def folder(server: S3Server) -> Path:
    """Where the server keeps its objects."""
    return server.root
