"""What a large upload costs: the emulator's memory, and what invocations and a push wait for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench import load, memory, pushes
from bench.figures import Bar, Row, median, percentile
from bench.invocations import signed
from bench.servers import SCRIPT
from bench.stand import BUCKET, MB, NotMeasured
from bench.upload import LargeUpload

if TYPE_CHECKING:
    from bench.stand import Stand

LARGE = "s3-large"
MEMORY = Bar("added", 64)
TOGETHER = Bar("ratio", 1.25)
# Of the upload that is under way during the load: more than it can send meanwhile.
UNDER_WAY_MEGABYTES = 10_000
UPLOAD_SECONDS = 3600


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """The memory that one upload of so many megabytes takes, and p99 of invocations during an upload and a push."""
    return [_memory(stand, megabytes), *_together(stand, rounds)]


def _memory(stand: Stand, megabytes: int) -> Row:
    emulator = stand.emulator
    if shutil.disk_usage(stand.folder).free < 2 * megabytes * MB:
        raise NotMeasured(f"the disk has no room for two times {megabytes} MB")
    words = [sys.executable, "-m", "bench.upload", str(emulator.port), "memory"]
    _run([*words, "64"])  # the threads and buffers that every upload needs
    before = memory.now(emulator)
    memory.begin_peak(emulator)
    _run([*words, str(megabytes)])
    peak = memory.peak(emulator)
    emulator.s3.delete_object(Bucket=BUCKET, Key="memory")
    note = "the emulator's memory at its peak; bare: before the upload"
    return Row(LARGE, f"S3 upload of {megabytes:,} MB in parts", "MB", peak, before, bar=MEMORY, note=note)


def _run(words: list[str]) -> None:
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        if process.wait(UPLOAD_SECONDS):
            raise NotMeasured(f"the upload ended with {process.returncode}")


def _together(stand: Stand, rounds: int) -> list[Row]:
    here, there = stand.emulator, stand.new_emulator()
    there.up()
    there.s3.create_bucket(Bucket=BUCKET)
    name = stand.name("large")
    here.serve(name, stand.box, SCRIPT)
    alone: list[list[float]] = []
    elsewhere: list[list[float]] = []
    ours: list[list[float]] = []
    try:
        request = load.encoded(signed(here.url, name))
        target = load.LoadTarget("ours", "127.0.0.1", here.port, (request,))
        measured = load.Load((target,), pushes.CLIENTS, pushes.BLOCKS, pushes.BLOCK, pushes.WARM_UP)
        for number in range(rounds):
            alone.append(load.run(measured)["ours"])
            images = list(pushes.images(stand, f"large-{number}"))
            turns = ((there, elsewhere), (here, ours))
            for emulator, found in turns if number % 2 else reversed(turns):
                with ExitStack() as under_way:
                    under_way.enter_context(pushes.Pushes(emulator, images))
                    under_way.enter_context(LargeUpload(emulator, UNDER_WAY_MEGABYTES))
                    found.append(load.run(measured)["ours"])
            stand.report(f"{number + 1} of {rounds}")
    finally:
        here.sagemaker.delete_endpoint(EndpointName=name)
    what = "InvokeEndpoint, 1 KB, 8 clients, {}, during an upload of 10 GB and a docker push"
    note = "bare: the upload and the push go to another emulator"
    rows = []
    for part, called, bar in ((0.5, "p50", None), (0.99, "p99", TOGETHER)):
        figure, bare, nothing = (
            1000 * median(percentile(seconds, part) for seconds in found) for found in (ours, elsewhere, alone)
        )
        rows.append(Row(LARGE, what.format(called), "ms", figure, bare, bar=bar, note=note))
        rows.append(Row(LARGE, f"the same {called}, against neither of them", "ms", figure, nothing))
    return rows
