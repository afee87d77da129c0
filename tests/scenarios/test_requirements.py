"""A job's requirements.txt where the package index is this network's own, and so are the certificates it shows."""

import hashlib
import http.server
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, docker

pytestmark = pytest.mark.docker

IMAGE = "samebox/train:cpu"
WHEEL = "answer_for_samebox-1.0-py3-none-any.whl"


class PackageIndex(http.server.ThreadingHTTPServer):
    """A package index with one package, over TLS; `asked` has the paths of all requests."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        # Where containers reach this machine.
        host = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").strip()
        super().__init__((host, 0), IndexHandler)
        self.certificate = folder / "ca.pem"
        key = folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests of samebox",
             "-addext", f"subjectAltName=IP:{host}", "-keyout", str(key), "-out", str(self.certificate)],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        # The handshake is the connection's own thread's: a client that will not trust us must not hold up the others.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://{host}:{self.server_address[1]}/simple"
        self.wheel = wheel(folder / WHEEL)
        self.asked: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up for our certificate is what the test is about."""


class IndexHandler(http.server.BaseHTTPRequestHandler):
    """A page of the index, or the wheel."""

    server: PackageIndex
    timeout = 30

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        digest = hashlib.sha256(self.server.wheel).hexdigest()
        found = {
            "/simple/answer-for-samebox/": ("text/html", f'<a href="/{WHEEL}#sha256={digest}">{WHEEL}</a>'.encode()),
            f"/{WHEEL}": ("application/octet-stream", self.server.wheel),
        }.get(self.path)
        self.send_response(200 if found else 404)
        kind, body = found or ("text/plain", b"not here")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.path.endswith(".whl"):  # as PyPI says of files; pip keeps nothing without leave
            self.send_header("Cache-Control", "max-age=365000000, immutable, public")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def wheel(path: Path) -> bytes:
    """A package that knows the answer."""
    about = "answer_for_samebox-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("answer_for_samebox.py", "ANSWER = 42\n")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: answer-for-samebox\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", f"answer_for_samebox.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n")
    return path.read_bytes()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    with PackageIndex(tmp_path) as index:
        thread = threading.Thread(target=index.serve_forever)
        thread.start()
        yield index
        index.shutdown()
        thread.join()


@contextmanager
def emulator(folder: Path, **settings: str) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(folder, **settings)
    process.up()
    try:
        yield process
    finally:
        process.remove()


def train(emulator: EmulatorProcess, folder: Path) -> "subprocess.CompletedProcess[str]":
    folder.mkdir(exist_ok=True)
    (folder / "requirements.txt").write_text("answer-for-samebox\n")
    (folder / "train.py").write_text("import answer_for_samebox\nprint('the answer is', answer_for_samebox.ANSWER)\n")
    return subprocess.run(
        [sys.executable, "-m", "samebox.cli", "train", "--image", IMAGE, "train.py"],
        env={**emulator.environment, "COLUMNS": "200"}, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=400,
    )  # fmt: skip


def test_requirements_are_installed_by_the_index_and_certificates_of_the_settings_and_fetched_once(
    index: PackageIndex, tmp_path: Path
) -> None:
    settings = {"package_index": index.url, "ca_bundle": str(index.certificate)}
    with emulator(tmp_path / "samebox", **settings) as process:
        told = train(process, tmp_path / "code")
        assert told.returncode == 0, told.stdout + told.stderr
        assert "the answer is 42" in told.stdout
        assert f"/{WHEEL}" in index.asked

        index.asked.clear()
        again = train(process, tmp_path / "code")
        assert again.returncode == 0, again.stdout + again.stderr
        assert "the answer is 42" in again.stdout
        assert f"/{WHEEL}" not in index.asked  # it came from the cache


def test_without_the_certificates_the_job_fails_with_the_message_of_pip_and_a_hint(
    index: PackageIndex, tmp_path: Path
) -> None:
    with emulator(tmp_path / "samebox", package_index=index.url) as process:
        told = train(process, tmp_path / "code")
    assert told.returncode == 1
    assert "InstallRequirementsError" in told.stderr
    assert "certificate" in told.stderr.partition("InstallRequirementsError")[2].partition("Hint")[0]
    assert "Hint: pip in the container does not trust the certificates of this network." in told.stderr
    assert "SAMEBOX_CA_BUNDLE=" in told.stderr
