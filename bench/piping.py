"""A channel in Pipe mode: how fast S3's objects come out of a job's pipe, against `cat` of a file into a pipe."""

from __future__ import annotations

import os
import subprocess

from bench import storage
from bench.figures import Row, alternate, median
from bench.stand import BUCKET, Stand

PIPING = "pipe"
_KEY = "piped/data"
# The same reader in the container and out of it: seconds from the opened pipe to its end.
_READ = """
import time
buffer = bytearray(1 << 20)
with open({path!r}, "rb", buffering=0) as pipe:
    began = time.monotonic()
    while pipe.readinto(buffer):
        pass
    print(time.monotonic() - began)
"""


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """One epoch of one object, read by the program of a job; the pipe is made and opened before the clock runs."""
    source = stand.folder / "piped"
    storage.make_file(source, megabytes)
    stand.s3.client().upload_file(str(source), BUCKET, _KEY)
    seen_bare, seen_ours = alternate(rounds, lambda: _bare(stand), lambda: _ours(stand), report=stand.report)
    source.unlink()
    note = "one epoch, read in a job's container; bare: `cat` of a file into a pipe, the same reader"
    ours, bare = megabytes / median(seen_ours), megabytes / median(seen_bare)
    return [Row(PIPING, f"S3 → pipe, {megabytes} MB", "MB/s", ours, bare, note=note)]


def _bare(stand: Stand) -> float:
    pipe = stand.folder / "bare-pipe"
    os.mkfifo(pipe)
    try:
        with subprocess.Popen(["/bin/sh", "-c", 'cat "$1" >"$2"', "sh", str(stand.folder / "piped"), str(pipe)]):
            read = subprocess.run(
                ["/usr/bin/env", "python3", "-c", _READ.format(path=str(pipe))],
                check=True, capture_output=True, timeout=300,
            )  # fmt: skip
    finally:
        pipe.unlink()
    return float(read.stdout)


def _ours(stand: Stand) -> float:
    emulator, name = stand.emulator, stand.name("pipe")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{_KEY}"}
    channel = {"ChannelName": "data", "InputMode": "Pipe", "DataSource": {"S3DataSource": source}}
    emulator.train(name, stand.box, _READ.format(path="/opt/ml/input/data/data_0"), InputDataConfig=[channel])
    stand.completed(name)
    (line,) = (line for line in emulator.log_lines(name) if not line.startswith("samebox: "))
    return float(line)
