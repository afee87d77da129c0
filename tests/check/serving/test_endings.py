"""`samebox check` is ended while it has a server running: whichever way, nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from samebox.check.checks import LABEL
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import INSTANCE_LABEL
from tests.check.fixtures import serving
from tests.check.fixtures.recipes import Recipe, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from samebox.containers.engine import Engine

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = DockerEngine()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def image() -> str:
    """A server that never becomes ready: its check goes on for half a minute."""
    (fixture,) = [fixture for fixture in serving.BROKEN if fixture.name == "is never healthy"]
    assert isinstance(fixture.subject, Recipe)
    return build(fixture.subject)


def left(engine: Engine, folder: Path) -> list[str]:
    """What there is of runs with this temporary folder, in the engine and in it."""
    labelled = [(one.id, one.labels) for one in engine.find({INSTANCE_LABEL: "check"})]
    labelled += [(one.id, one.labels) for one in engine.networks({INSTANCE_LABEL: "check"})]
    found = [name for name, labels in labelled if str(folder) in labels.get(LABEL, "")]
    return found + [path.name for path in folder.iterdir()]


def command(image: str, folder: Path, only: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "samebox.cli", "check", image, "--serve", "--only", only]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(engine: Engine, image: str, folder: Path, number: signal.Signals) -> tuple[int, str]:
    """The exit status and the words of one that gets a signal while its server runs."""
    process = command(image, folder, "serve-ready")
    try:
        until = time.monotonic() + 60
        while len(left(engine, folder)) < 3:  # a container, a network, a folder
            assert process.poll() is None
            assert time.monotonic() < until
            threading.Event().wait(0.1)
        process.send_signal(number)
        words, _ = process.communicate(timeout=90)
        return process.returncode, words
    finally:
        process.kill()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(
    engine: Engine, image: str, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    returned, words = ended(engine, image, tmp_path, number)
    assert (returned, "what was started has been removed" in words) == (status, True)
    assert "Traceback" not in words
    assert left(engine, tmp_path) == []


def test_what_a_kill_leaves_goes_with_the_next_check(engine: Engine, image: str, tmp_path: Path) -> None:
    returned, _ = ended(engine, image, tmp_path, signal.SIGKILL)
    assert returned == -signal.SIGKILL  # with all three there; any check of this machine may sweep them from now on
    following = command(image, tmp_path, "serve-program")
    assert following.communicate(timeout=90)[0].count("1 passed") == 1
    until = time.monotonic() + 60
    while left(engine, tmp_path):  # by another check, perhaps, which is about it
        assert time.monotonic() < until, left(engine, tmp_path)
        threading.Event().wait(0.1)
