"""A channel's first time: how fast objects become files of a job, against reading them over HTTP into files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import jobs, storage
from bench.figures import Bar, Row, median
from bench.stand import BUCKET, PRINT_THE_TIME, NotMeasured, Stand

if TYPE_CHECKING:
    from pathlib import Path

CHANNEL = "channel"
BAR = Bar("ratio", 1.5, at_least=True)
OBJECTS = 4


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """The phase Downloading of jobs with a channel, against GETs one after the other into files of the same disk."""
    source, target = stand.folder / "part", stand.folder / "target"
    total = OBJECTS * megabytes
    client = stand.s3.client()
    seen_bare, seen_ours = [], []
    jobs.ours(stand)
    for number in range(rounds):
        # New objects each time: the first time is what is measured, and no cache may hold them.
        prefix = f"channel/{number}"
        storage.make_file(source, megabytes)
        for part in range(OBJECTS):
            client.upload_file(str(source), BUCKET, f"{prefix}/{part}")
        keys = [f"{prefix}/{part}" for part in range(OBJECTS)]
        if number % 2:
            seen_bare.append(_read(stand, keys, target))
        seen_ours.append(_downloading(stand, prefix))
        if number % 2 == 0:
            seen_bare.append(_read(stand, keys, target))
        for key in keys:
            client.delete_object(Bucket=BUCKET, Key=key)
        stand.report(f"{number + 1} of {rounds}")
    source.unlink()
    note = "the job's phase Downloading, to files on the disk; bare: the same objects over HTTP, to files of this disk"
    what = f"S3 → channel, first time, {OBJECTS} times {megabytes} MB"
    ours, bare = total / median(seen_ours), total / median(seen_bare)
    return [Row(CHANNEL, what, "MB/s", ours, bare, bar=BAR, note=note)]


def _read(stand: Stand, keys: list[str], target: Path) -> float:
    seconds = sum(storage.get(stand.s3, key, target) for key in keys)
    target.unlink()
    return seconds


def _downloading(stand: Stand, prefix: str) -> float:
    """Seconds that a job with a channel of these objects is in its phase Downloading."""
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{BUCKET}/{prefix}/",
        "S3DataDistributionType": "FullyReplicated",
    }
    channel = {"ChannelName": "data", "DataSource": {"S3DataSource": source}}
    emulator, name = stand.emulator, stand.name("job")
    emulator.train(name, stand.box, PRINT_THE_TIME, InputDataConfig=[channel])
    job = stand.completed(name)
    for phase in job["SecondaryStatusTransitions"]:
        if phase["Status"] == "Downloading":
            return float((phase["EndTime"] - phase["StartTime"]).total_seconds())
    raise NotMeasured(f"{name} had no phase Downloading")
