"""Nothing blocks the event loop: a whole emulator serves a request at every door while its loop's thread is watched."""

import asyncio
import hashlib
import http.client
import inspect
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from urllib3 import encode_multipart_formdata

from samebox import server
from samebox.app.emulator import Emulator
from samebox.asgi import Message
from samebox.containers import metadata_network
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import FakeResponse
from samebox.settings import Settings
from samebox.traffic.routes import Key
from tests import samples
from tests.conftest import ACCOUNT, REGION
from tests.laws.whole_emulator import ARCHIVE, MANIFEST, registry_process
from tests.ports import free_port
from tests.scenarios.emulator_process import until

SECONDS = 60
TOKEN = "secret"
LARGE = 1024 * 1024  # bytes that are too many to hash on the loop
# Python's own names for what waits for a disk, another process or the network. uvloop's sockets are none of these.
BLOCKING = ("open", "os.", "shutil.", "tempfile.", "sqlite3.", "subprocess.", "socket.connect", "socket.getaddrinfo")
HARMLESS = ("os.putenv", "os.unsetenv")


class LoopWatch:
    """Notes what blocks in one thread, while there is one to watch."""

    def __init__(self) -> None:
        self.thread: int | None = None
        self.seen: list[str] = []

    def note(self, what: str) -> None:
        """Something that blocks is done; it counts where it is in the thread that is watched."""
        if threading.get_ident() != self.thread:
            return
        places = []
        frame = inspect.currentframe()
        while frame is not None:
            places.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        # A module is read once, and no request after the first waits for it. A traceback that is logged shows source.
        if any("importlib" in file or file.endswith("linecache.py") for file, _ in places):
            return
        ours = [f"{file.rpartition('/samebox/')[2]}:{line}" for file, line in places if "/samebox/" in file]
        self.seen.append(f"{what} in {' < '.join(ours[:6])}")

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """A hook of sys.addaudithook, which cannot be taken away again."""
        if self.thread is not None and event.startswith(BLOCKING) and event not in HARMLESS:
            self.note(f"{event}{arguments!r:.200}")


WATCH = LoopWatch()
sys.addaudithook(WATCH.audit)


class WatchedConnection(sqlite3.Connection):
    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        WATCH.note(f"sqlite3: {arguments[0]}")
        return super().execute(*arguments)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> LoopWatch:
    """What Python announces to no hook is announced: `stat`, statements of SQLite, and long hashes."""

    def announced(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def announcing(*arguments: Any, **more: Any) -> Any:
            WATCH.note(f"{name}({arguments[0]!r:.200})")
            return call(*arguments, **more)

        return announcing

    def connect(*arguments: Any, **more: Any) -> sqlite3.Connection:
        found: sqlite3.Connection = plain_connect(*arguments, **{**more, "factory": WatchedConnection})
        return found

    def sha256(data: bytes = b"", **more: Any) -> Any:
        if len(data) >= LARGE:
            WATCH.note(f"sha256 of {len(data)} bytes")
        return plain_sha256(data, **more)

    plain_connect, plain_sha256 = sqlite3.connect, hashlib.sha256
    monkeypatch.setattr(os, "stat", announced("os.stat", os.stat))
    monkeypatch.setattr(os, "lstat", announced("os.lstat", os.lstat))
    monkeypatch.setattr(sqlite3, "connect", connect)
    monkeypatch.setattr(hashlib, "sha256", sha256)
    return WATCH


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    settings = Settings(data_dir=folder / "data", port=free_port(), token=TOKEN, container_credentials=False)
    engine = FakeEngine(folder / "engine")
    engine.add_image(settings.registry_image, {"docker-registry": registry_process}, entrypoint=("docker-registry",))
    image = f"localhost:{settings.port}/digits@sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"
    engine.add_image(image, {"serve": lambda process: process.serve(lambda _: FakeResponse())})
    with server.running(settings, engine) as running:
        yield running


class Tour:
    """Requests as SDKs, docker, browsers and containers send them."""

    def __init__(self, running: Emulator) -> None:
        self._emulator = running
        self._port = running.settings.port
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        self._session: Any = boto3.session.Session(ACCOUNT, TOKEN, region_name=REGION)
        self._config = config

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=f"http://127.0.0.1:{self._port}", config=self._config)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def resources(self) -> None:
        """Everything that an endpoint needs, and the endpoint."""
        s3, ecr, sagemaker = (self.client(name) for name in ("s3", "ecr", "sagemaker"))
        s3.create_bucket(Bucket="samples")
        s3.put_object(Bucket="samples", Key=samples.MODEL_DATA.removeprefix("s3://samples/"), Body=ARCHIVE)
        ecr.create_repository(repositoryName="digits")
        ecr.put_image(repositoryName="digits", imageManifest=MANIFEST, imageTag="latest")
        for noun in ("Model", "EndpointConfig", "Endpoint"):
            getattr(sagemaker, {"Model": "create_model", "EndpointConfig": "create_endpoint_config"}.get(
                noun, "create_endpoint"))(**{**samples.OF_KIND[noun], f"{noun}Name": "digits"})  # fmt: skip
        found = lambda: self._emulator.table.find(Key(ACCOUNT, REGION, "digits"))  # noqa: E731
        until(found, SECONDS, "the endpoint is in service")

    def pages_and_probes(self) -> None:
        """A browser, a probe, and what is refused at the edge."""
        assert self.ask("GET", "/", accept="text/html")[0] == 200
        assert self.ask("GET", "/_samebox/ready")[0] == 200
        assert self.ask("GET", "/_samebox/status")[0] == 403
        assert self.ask("GET", "/", origin="http://attacker.example")[0] == 403
        assert self.ask("GET", "/", x_long="a" * 70_000)[0] == 431
        assert self.ask("POST", "/anything", b"{}")[0] == 403

    def operations(self) -> None:
        """Each protocol of the gateway."""
        assert self.client("sagemaker").list_models()["Models"]
        assert self.client("sts").get_caller_identity()["Account"] == ACCOUNT
        assert self.client("logs").describe_log_groups()
        assert self.client("ecr").describe_images(repositoryName="digits")["imageDetails"]

    def objects(self) -> None:
        """Objects, in one part and in several, and an upload form."""
        s3 = self.client("s3")
        s3.put_object(Bucket="samples", Key="a/b/c", Body=b"x" * LARGE)
        assert len(s3.get_object(Bucket="samples", Key="a/b/c")["Body"].read()) == LARGE
        upload = s3.create_multipart_upload(Bucket="samples", Key="parts")["UploadId"]
        part = s3.upload_part(Bucket="samples", Key="parts", UploadId=upload, PartNumber=1, Body=b"x")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(Bucket="samples", Key="parts", UploadId=upload, MultipartUpload=parts)
        assert s3.list_objects_v2(Bucket="samples")["Contents"]
        form = s3.generate_presigned_post("samples", "formed")
        body, kind = encode_multipart_formdata([*form["fields"].items(), ("file", ("x", b"x" * LARGE, "text/csv"))])
        assert self.ask("POST", "/samples", body, content_type=kind)[0] == 204
        s3.delete_object(Bucket="samples", Key="formed")

    def invocations(self) -> None:
        """A small request, a large one, and one to no endpoint."""
        runtime = self.client("sagemaker-runtime")
        for body in (b"1,2", b"x" * 2 * LARGE):
            assert runtime.invoke_endpoint(EndpointName="digits", Body=body)["InvokedProductionVariant"]
        with pytest.raises(runtime.exceptions.ClientError, match="not found"):
            runtime.invoke_endpoint(EndpointName="none", Body=b"1,2")
        latency = {"Namespace": "AWS/SageMaker", "MetricName": "ModelLatency"}
        find = partial(self.client("cloudwatch").list_metrics, **latency)
        until(lambda: find()["Metrics"], SECONDS, "the invocations are in CloudWatch's metrics")

    def pushes(self) -> None:
        """`docker login`, a manifest that is pushed, pulled and listed, and layers that are asked for."""
        (login,) = self.client("ecr").get_authorization_token()["authorizationData"]
        basic = f"Basic {login['authorizationToken']}"
        assert self.ask("GET", "/v2/")[0] == 401
        assert self.ask("GET", "/v2/", authorization=basic)[0] == 200
        manifest = MANIFEST.encode()
        assert self.ask("PUT", "/v2/digits/manifests/one", manifest, authorization=basic)[0] == 201
        assert self.ask("GET", "/v2/digits/manifests/one", authorization=basic)[1] == manifest
        assert self.ask("GET", "/v2/digits/tags/list", authorization=basic)[0] == 200
        assert self.ask("GET", f"/v2/digits/blobs/sha256:{'0' * 64}", authorization=basic)[0] == 404
        mount = f"from=digits&mount=sha256:{'0' * 64}"
        assert self.ask("POST", f"/v2/digits/blobs/uploads/?{mount}", authorization=basic)[0] == 404

    def credentials(self) -> None:
        """A container that asks for its role's credentials, at the address that containers alone reach."""
        # From a loop of our own: the address is another emulator's, if this machine has one.
        WATCH.thread = threading.get_ident()
        assert asyncio.run(self._ask_for_credentials()) == 404

    async def _ask_for_credentials(self) -> int:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "GET", "path": "/v2/credentials/none", "query_string": b"", "headers": [],
            "server": (metadata_network.ADDRESS, 80), "client": ("169.254.170.3", 40000),
        }  # fmt: skip
        await self._emulator.edge(scope, receive, send)
        return int(sent[0]["status"])


def test_nothing_blocks_the_event_loop(watched: LoopWatch, tmp_path: Path) -> None:
    with emulator(tmp_path) as running:
        watched.seen.clear()
        (watched.thread,) = (one.ident for one in threading.enumerate() if one.name == server.LOOP_THREAD)
        try:
            tour = Tour(running)
            tour.resources()
            for part in (
                tour.pages_and_probes, tour.operations, tour.objects, tour.invocations, tour.pushes, tour.credentials,
            ):  # fmt: skip
                part()
        finally:
            watched.thread = None
    assert watched.seen == [], "\n".join(dict.fromkeys(watched.seen))


def test_the_watch_sees_what_blocks(watched: LoopWatch, tmp_path: Path) -> None:
    watched.seen.clear()
    watched.thread = threading.get_ident()
    try:
        (tmp_path / "file").write_bytes(b"x")
        assert (tmp_path / "file").exists()
        with closing(sqlite3.connect(tmp_path / "rows")) as connection:
            connection.execute("SELECT 1")
        hashlib.sha256(b"x" * LARGE)
    finally:
        watched.thread = None
    seen = " ".join(one.partition("(")[0].partition(" in ")[0] for one in watched.seen)
    assert seen == "open os.stat sqlite3.connect sqlite3.connect/handle sqlite3: SELECT 1 sha256 of 1048576 bytes"
