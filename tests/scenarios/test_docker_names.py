"""docker login, push and pull by ECR's own names, with a daemon that was taught them. It is one of the test's own."""

import base64
import http.client
import io
import os
import socket
import ssl
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from samebox.proxy import docker_names
from tests import second_engine
from tests.clients.conftest import shell_of
from tests.scenarios.emulator_process import ACCOUNT, EmulatorProcess

pytestmark = pytest.mark.docker
HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
HOSTS_SECONDS = 60.0  # the daemon's resolver keeps what it read of the hosts file for 5


@dataclass
class TaughtDaemon:
    """A Docker daemon, and the emulator whose names it knows."""

    emulator: EmulatorProcess
    address: str
    config: Path

    def docker(self, *words: str, given: bytes = b"") -> str:
        ended = self.ended(*words, given=given)
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout.decode().strip()

    def ended(self, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["docker", "--host", self.address, *words], input=given, capture_output=True, check=False, timeout=300,
            env={**os.environ, "DOCKER_CONFIG": str(self.config)},
        )  # fmt: skip

    def await_name(self, host: str) -> None:
        """Wait until the daemon finds the host in its hosts file."""
        until = time.monotonic() + HOSTS_SECONDS
        while b"lookup" in (ended := self.ended("pull", f"{host}/team/none")).stderr:
            assert time.monotonic() < until, ended.stderr.decode()
            time.sleep(0.5)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaughtDaemon]:
    if lacking := second_engine.missing():
        pytest.skip(f"a second engine needs {lacking}")
    folder = tmp_path_factory.mktemp("taught")
    etc = folder / "etc"
    (etc / "docker").mkdir(parents=True)
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    emulator = EmulatorProcess(folder / "data")
    with second_engine.second_engine(folder / "engine", etc) as address:
        ours = f"{address.removeprefix('tcp://').rpartition('.')[0]}.1"
        try:
            emulator.up()
            daemon = TaughtDaemon(emulator, address, folder / "docker")
            assert b"lookup" in daemon.ended("pull", f"{HOST}/team/none").stderr  # so the daemon has read the old file
            setup = ["docker-setup", "--etc", str(etc), "--address", ours, "--account", ACCOUNT, "--yes"]
            subprocess.run([sys.executable, "-m", "samebox.cli", *setup], env=emulator.environment, check=True)
            emulator.down()
            emulator.up()
            daemon.await_name(HOST)
            yield daemon
        finally:
            emulator.remove()


def image() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    return buffer.getvalue()


def test_an_image_is_pushed_and_pulled_by_the_name_that_it_has_on_aws(taught: TaughtDaemon) -> None:
    ecr = taught.emulator.client("ecr")
    repository = ecr.create_repository(repositoryName="team/app")["repository"]
    assert repository["repositoryUri"] == f"{HOST}/team/app"
    given = ecr.get_authorization_token()["authorizationData"][0]
    assert given["proxyEndpoint"] == f"https://{HOST}"
    _, _, password = base64.b64decode(given["authorizationToken"]).partition(b":")
    name = f"{HOST}/team/app:1"
    taught.docker("import", "-", name, given=image())
    taught.docker("login", "--username", "AWS", "--password-stdin", HOST, given=password)
    taught.docker("push", "--quiet", name)
    (pushed,) = ecr.describe_images(repositoryName="team/app")["imageDetails"]
    assert pushed["imageTags"] == ["1"]
    taught.docker("image", "rm", name)
    taught.docker("pull", "--quiet", f"{HOST}/team/app@{pushed['imageDigest']}")


@pytest.mark.clients
def test_a_script_that_builds_and_pushes_runs_as_it_does_on_aws(taught: TaughtDaemon, tmp_path: Path) -> None:
    variables = {"DOCKER_HOST": taught.address, "DOCKER_CONFIG": str(taught.config)}
    shell = shell_of(taught.emulator, tmp_path, "--endpoint")
    printed = shell.run("newest", "build_and_push.sh", "team/script", **variables)
    assert printed.rstrip().endswith(f"{HOST}/team/script:latest"), printed
    (pushed,) = taught.emulator.client("ecr").describe_images(repositoryName="team/script")["imageDetails"]
    assert pushed["imageTags"] == ["latest"]


def test_at_that_address_there_is_nothing_but_the_registry(taught: TaughtDaemon) -> None:
    address = docker_names.read(taught.emulator.data_dir).address
    context = ssl.create_default_context(cafile=taught.emulator.data_dir / "proxy" / "ca.pem")
    found = []
    for path in ("/v2/", "/_samebox/status", "/"):
        plain = socket.create_connection((address, docker_names.PORT), 60)
        with closing(http.client.HTTPConnection(HOST, timeout=60)) as connection:
            connection.sock = context.wrap_socket(plain, server_hostname=HOST)
            connection.request("GET", path)
            found.append(connection.getresponse().status)
    assert found == [401, 403, 403]
