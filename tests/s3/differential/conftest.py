"""The two servers, one of each for a test process; each behaviour has a bucket of its own name on both."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.s3.differential.calls import S3Side
from tests.s3_server import serving

_START_SECONDS = 120


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Side]:
    """Our server."""
    with serving(tmp_path_factory.mktemp("objects"), gateway=True) as server:
        side = S3Side(server.url)
        yield side
        side.close()


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Side]:
    """moto's server, in a process of its own."""
    port = free_port()
    log = tmp_path_factory.mktemp("reference") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, server, log)
        side = S3Side(url)
        yield side
        side.close()
    finally:
        server.terminate()
        server.wait(_START_SECONDS)


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=_START_SECONDS).close()
        except urllib.error.URLError:
            time.sleep(0.05)  # until it listens; there is nothing to wait on
        else:
            return
    pytest.fail(f"moto's server did not start: {log.read_text()}")
