"""One S3 server for the tests of a file, and a bucket for each test."""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.s3_server import S3Server, serving

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serving(tmp_path_factory.mktemp("objects")) as running:
        yield running


@pytest.fixture(scope="module")
def s3(server: S3Server) -> Iterator["S3Client"]:
    client = server.client()
    yield client
    client.close()


@pytest.fixture
def bucket(s3: "S3Client", request: pytest.FixtureRequest) -> str:
    name = "b" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name
