"""The test stand: one emulator, the box image and a bucket; and everything of a run put away, however it ends."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tests.scenarios.emulator_process import ACCOUNT, EmulatorProcess, docker

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
BOX = ROOT / "tests" / "scenarios" / "box"
BUCKET = "samebox-test"  # where EmulatorProcess.train sends artifacts
LABEL = "samebox.bench"
PRINT_THE_TIME = "print(repr(time.time()))"
POLL_SECONDS = 0.005
# Jobs say themselves when they printed, began and ended. To look at one as often as above would take from two cores
# what is measured on them.
JOB_POLL_SECONDS = 0.25
REMOVE_SECONDS = 120.0
JOB_SECONDS = 300.0
MB = 1_000_000


class NotMeasured(Exception):
    """A row cannot be measured here; the message says why."""


@dataclass(frozen=True)
class S3Place:
    """Where S3 is spoken, and the keys it accepts."""

    host: str
    port: int
    access_key: str
    secret_key: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def listens(self) -> bool:
        """Whether connections are taken."""
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def client(self) -> Any:
        """A boto3 S3 client for it."""
        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )  # fmt: skip


class Stand:
    """What every measurement uses, made when it is first asked for. `close` leaves nothing behind.

    The box image of a run carries the run's label, which every container of it inherits, whether started by us, the
    emulator, or the peer.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self.report = report
        self.id = secrets.token_hex(4)
        self.folder = Path(tempfile.mkdtemp(prefix="samebox-bench-"))
        self.networks: list[str] = []  # made by others on our behalf, without a label
        self._emulators: list[EmulatorProcess] = []
        self._count = 0

    def name(self, what: str) -> str:
        """A name that nothing else of this run has."""
        self._count += 1
        return f"bench-{what}-{self._count}"

    @property
    def tag(self) -> str:
        """Ends the tag of every image that this run bakes."""
        return f"bench-{self.id}"

    @cached_property
    def image(self) -> str:
        """The box image's local name."""
        look = ["docker", "image", "inspect", "samebox/base:cpu"]
        if subprocess.run(look, capture_output=True, check=False).returncode:
            raise NotMeasured("there is no image samebox/base:cpu: docker buildx bake makes it")
        name = f"samebox-bench/box:{self.id}"
        docker("build", "--quiet", "--label", f"{LABEL}={self.id}", "--tag", name, str(BOX))
        return name

    @cached_property
    def emulator(self) -> EmulatorProcess:
        """A running emulator with the bucket."""
        one = self.new_emulator()
        one.up()
        one.s3.create_bucket(Bucket=BUCKET)
        return one

    @cached_property
    def box(self) -> str:
        """The box image's name in the emulator's ECR."""
        return self.emulator.push(self.image, "box")

    def new_emulator(self) -> EmulatorProcess:
        """An emulator with a folder of its own, not started; `close` ends it."""
        one = EmulatorProcess(self.folder / f"emulator-{len(self._emulators)}", serving_stop_seconds="2")
        self._emulators.append(one)
        return one

    @property
    def s3(self) -> S3Place:
        """The emulator's S3."""
        return S3Place("127.0.0.1", self.emulator.port, ACCOUNT, "test")

    def completed(self, name: str) -> dict[str, Any]:
        """The training job of this name, once it has ended. Raises RuntimeError if it failed."""

        def ended() -> dict[str, Any] | None:
            found = self.emulator.job(name)
            return found if found["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        job: dict[str, Any] = wait_for(ended, JOB_SECONDS, f"{name} has ended", JOB_POLL_SECONDS)
        if job["TrainingJobStatus"] != "Completed":
            raise RuntimeError(f"{name} is {job['TrainingJobStatus']}: {job.get('FailureReason')}")
        return job

    # Bare containers

    def bare_run(self, script: str, *options: str) -> str:
        """`docker run` of the box's `train`, until it has printed a line; that line."""
        folder = self.folder / "bare" / "config"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hyperparameters.json").write_text(json.dumps({"script": json.dumps(script)}))
        return docker("run", "--rm", *options, "--volume", f"{folder}:/opt/ml/input/config:ro", self.image, "train")

    def bare_server(self, script: str, port: int) -> str:
        """`docker run` of the box's `serve`, detached; the container."""
        place = f"127.0.0.1:{port}:8080"
        return docker("run", "--detach", "--publish", place, "--env", f"SCRIPT={script}", self.image, "serve").strip()

    def remove(self, container: str) -> None:
        """Remove a container now."""
        docker("rm", "--force", container)

    # Putting away

    def close(self) -> None:
        """End the emulators; remove every container, network and image of this run, and its folder."""
        for one in self._emulators:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired, ProcessLookupError):
                one.down()
        labels = [f"{LABEL}={self.id}"]
        for one in self._emulators:
            with contextlib.suppress(OSError):
                labels.append(f"samebox={(one.data_dir / 'id').read_text().strip()}")
        for label in labels:
            _remove_all(["ps", "--all"], label, ["rm", "--force", "--volumes"])
            _remove_all(["network", "ls"], label, ["network", "rm"])
        for network in self.networks:
            _quietly(["network", "rm", network])
        _remove_all(["images", "--all"], labels[0], ["rmi", "--force"])
        # Bake tags what an image is made of, too; these are the person's own images under one more name.
        form = "{{.Repository}}:{{.Tag}}"
        tags = _found(["images", "--format", form, "--filter", f"reference=*/*:*-{self.tag}"])
        if tags:
            _quietly(["rmi", "--no-prune", *tags])
        # What containers wrote may be root's; the engine is then the one who can remove it.
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.exists():
            print(f"{self.folder} could not be removed: some of it belongs to another user.", file=sys.stderr)


def ping(port: int) -> bool:
    """True when GET /ping answers 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_for(look: Callable[[], Any], seconds: float, what: str, every: float = POLL_SECONDS) -> Any:
    """Look again and again until there is something to see. Raises NotMeasured after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(every)
    raise NotMeasured(f"not within {seconds:g} s: {what}")


def _remove_all(find: list[str], label: str, remove: list[str]) -> None:
    found = _found([*find, "--quiet", "--filter", f"label={label}"])
    if found:
        _quietly([*remove, *dict.fromkeys(found)])


def _found(words: list[str]) -> list[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False).stdout.split()


def _quietly(words: list[str]) -> None:
    subprocess.run(["docker", *words], capture_output=True, check=False, timeout=REMOVE_SECONDS)
