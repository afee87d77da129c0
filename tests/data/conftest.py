"""S3 as jobs see it, both ways: over the emulator's own storage, and over HTTP by its URL."""

from collections.abc import Iterator

import pytest

from samebox.data.local_objects import LocalObjects
from samebox.data.objects import Objects
from samebox.data.remote_objects import RemoteObjects
from tests.s3_server import ACCOUNT, REGION, S3Server, serving


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serving(tmp_path_factory.mktemp("objects")) as running:
        yield running


@pytest.fixture(params=["local", "remote"])
def store(request: pytest.FixtureRequest, server: S3Server) -> Iterator[Objects]:
    objects: Objects
    if request.param == "local":
        objects = LocalObjects(server.store, ACCOUNT, REGION)
    else:
        objects = RemoteObjects(server.url, ACCOUNT, "whatever", read_timeout=60, attempts=2)
    yield objects
    objects.close()
