"""Invocations during a `docker push` to the same emulator, and during one to another."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from bench import load
from bench.figures import Bar, Row, median, percentile
from bench.invocations import signed
from bench.servers import SCRIPT
from bench.stand import LABEL, NotMeasured, Stand
from tests.scenarios.emulator_process import docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.scenarios.emulator_process import EmulatorProcess

PUSH = "push"
CLIENTS, BLOCKS, BLOCK, WARM_UP = 8, 4, 100, 50
LAYER_BYTES = 48 * 1024 * 1024
IMAGES = 6  # whose pushes together take longer than the load
BAR = Bar("ratio", 1.1)


def measure(stand: Stand, rounds: int) -> list[Row]:
    """p99 of eight clients: nothing else under way, a push to another emulator, and one to this."""
    here, there = stand.emulator, stand.new_emulator()
    there.up()
    name = stand.name("push")
    here.serve(name, stand.box, SCRIPT)
    try:
        request = load.encoded(signed(here.url, name))
        target = load.LoadTarget("ours", "127.0.0.1", here.port, (request,))
        measured = load.Load((target,), CLIENTS, BLOCKS, BLOCK, WARM_UP)
        alone: list[float] = []
        elsewhere: list[float] = []
        ours: list[float] = []
        for number in range(rounds):
            alone.append(_p99(measured))
            layers = list(images(stand, f"{number}"))
            turns = ((there, elsewhere), (here, ours))
            for emulator, found in turns if number % 2 else reversed(turns):
                with Pushes(emulator, layers):
                    found.append(_p99(measured))
            stand.report(f"{number + 1} of {rounds}")
    finally:
        here.sagemaker.delete_endpoint(EndpointName=name)
    what = "InvokeEndpoint, 1 KB, 8 clients, p99, during a docker push"
    return [
        Row(PUSH, what, "ms", median(ours), median(elsewhere), bar=BAR, note="bare: the push goes to another emulator"),
        Row(PUSH, "the same, against no push at all", "ms", median(ours), median(alone)),
    ]


class Pushes:
    """Pushes images to an emulator, one after the other, for as long as a block lasts."""

    def __init__(self, emulator: EmulatorProcess, images: list[str]) -> None:
        self._emulator = emulator
        self._images = images
        self._ended = threading.Event()
        self._failure = ""
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        was_under_way = self._thread.is_alive()
        self._ended.set()
        self._thread.join()
        if self._failure or not was_under_way:
            raise NotMeasured(self._failure or "the pushes ended before the invocations did")

    def _run(self) -> None:
        for image in self._images:
            if self._ended.is_set():
                return
            try:
                self._emulator.push(image, image.rpartition(":")[2])
            except (AssertionError, subprocess.TimeoutExpired, ClientError) as error:
                self._failure = f"docker push: {error}"
                return


def images(stand: Stand, what: str) -> Iterator[str]:
    """Images whose layers no registry has."""
    for number in range(IMAGES):
        folder = stand.folder / "layers" / f"{what}-{number}"
        folder.mkdir(parents=True)
        (folder / "layer").write_bytes(os.urandom(LAYER_BYTES))
        yield _built(stand, folder)


def _built(stand: Stand, folder: Path) -> str:
    image = f"samebox-bench/layers:{stand.id}-{folder.name}"
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY layer /layer\n")
    docker("build", "--quiet", "--label", f"{LABEL}={stand.id}", "--tag", image, str(folder))
    (folder / "layer").unlink()
    return image


def _p99(measured: load.Load) -> float:
    return percentile(load.run(measured)["ours"], 0.99) * 1000
