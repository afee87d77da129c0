"""Model folders, and the server program around them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SERVE = Path(__file__).resolve().parents[2] / "serve" / "serve"


@dataclass(frozen=True)
class HttpReply:
    """What an HTTP request got."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def error(self) -> str:
        """The sentence in an error's body."""
        return str(json.loads(self.body)["error"])


def send(
    url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str | None = None
) -> HttpReply:
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
    if body is not None and "Content-Type" not in (headers or {}):
        request.add_header("Content-Type", "")  # urllib would make it a form
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return HttpReply(answer.status, answer.read(), dict(answer.headers))
    except urllib.error.HTTPError as answer:
        with answer:
            return HttpReply(answer.code, answer.read(), dict(answer.headers))


def wait_until_ready(url: str, seconds: float = 120, check_alive: Callable[[], object] = lambda: None) -> None:
    """Ask /ping until it is 200. `check_alive` raises where asking has no point any more."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = send(f"{url}/ping")
            if last.status == 200:
                return
        except (OSError, http.client.HTTPException) as error:
            last = error
            check_alive()
        pause.wait(0.05)
    raise AssertionError(f"/ping was not 200 within {seconds} s, last: {last}")


class ServeProcess:
    """The `serve` program running on this host, with the model's own handlers and without TensorFlow."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log

    def invoke(self, body: bytes, content_type: str = "text/plain", **headers: str) -> HttpReply:
        return send(f"{self.url}/invocations", body, {"Content-Type": content_type, **headers})

    def entries(self) -> list[dict[str, object]]:
        """The log, every line of which must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


class StartServer(Protocol):
    def __call__(self, handlers: str, *, wait: bool = True, **environment: str) -> ServeProcess: ...


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    started: list[subprocess.Popen[bytes]] = []

    def start(handlers: str, *, wait: bool = True, **environment: str) -> ServeProcess:
        code = tmp_path / "model" / "code"
        code.mkdir(parents=True, exist_ok=True)
        (code / "inference.py").write_text(handlers)
        port = free_port()
        log = tmp_path / "serve.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, str(SERVE), "serve"],
                env={
                    **os.environ,
                    "SAGEMAKER_BASE_DIR": str(tmp_path),
                    "SAGEMAKER_BIND_TO_PORT": str(port),
                    "SAGEMAKER_MODEL_SERVER_WORKERS": "2",
                    **environment,
                },
                stdout=output,
                stderr=output,
            )
        started.append(process)
        server = ServeProcess(process, f"http://127.0.0.1:{port}", log)
        if wait:
            wait_until_ready(server.url)
        return server

    yield start
    for process in started:
        process.kill()
        process.wait()
