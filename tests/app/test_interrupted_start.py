"""A start that takes over an older data folder ends when it is asked to, and the next one goes on."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from samebox.app.data_folder import DataFolder
from samebox.app.endings import Endings
from samebox.app.objects import StartInterrupted, open_objects
from samebox.settings import Settings
from tests.ports import free_port
from tests.scenarios.emulator_process import until

SECONDS = 180.0


def old_folder(folder: Path, *sizes: int) -> Path:
    (folder / "s3" / "bucket").mkdir(parents=True)
    for number, size in enumerate(sizes):
        with (folder / "s3" / "bucket" / f"{number}").open("wb") as file:
            file.truncate(size)
    return folder


def opened(folder: Path, interrupted: threading.Event) -> list[str]:
    """The keys that a start finds or takes over."""
    settings, endings = Settings(data_dir=folder, container_credentials=False), Endings()
    try:
        storage = open_objects(
            DataFolder(folder, b"secret", "id"), settings, None, lambda _: None, lambda: 1.7e9, endings, interrupted
        )
        return [one.key for one in storage.objects.list("s3://bucket/")]
    finally:
        asyncio.run(endings.run())


def test_the_next_start_takes_over_what_an_interrupted_one_left(tmp_path: Path) -> None:
    old_folder(tmp_path, 1_000_000, 2_000_000)
    interrupted = threading.Event()
    interrupted.set()
    with pytest.raises(StartInterrupted, match="The next start goes on"):
        opened(tmp_path, interrupted)
    assert len(list((tmp_path / "s3" / "bucket").iterdir())) == 2
    assert opened(tmp_path, threading.Event()) == ["0", "1"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_start_that_would_take_an_hour(tmp_path: Path, number: signal.Signals) -> None:
    # A terabyte without a block on the disk.
    old_folder(tmp_path, 1024**4)
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SAMEBOX_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "samebox.cli", "up", "--data-dir", str(tmp_path), "--port", str(free_port())],
        env={**outside, "SAMEBOX_CONTAINER_CREDENTIALS": "false"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        is_open = tmp_path / "objects" / "files" / "ff"
        until(lambda: process.poll() is not None or is_open.is_dir(), SECONDS, "the storage is open")
        process.send_signal(number)
        out, _ = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, b"Traceback" in out) == (0, False), out.decode()
    assert (tmp_path / "s3" / "bucket" / "0").stat().st_size == 1024**4
