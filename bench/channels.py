"""A channel's first time: how fast objects become files of a job, against reading them over HTTP."""

from __future__ import annotations

from bench import jobs, storage
from bench.figures import Bar, Row, median
from bench.stand import BUCKET, Stand

CHANNEL = "channel"
BAR = Bar("ratio", 1.5, at_least=True)
OBJECTS = 4


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """Jobs with a channel, less jobs without one, against GETs one after the other whose bytes are thrown away."""
    source = stand.folder / "part"
    total = OBJECTS * megabytes
    client = stand.s3.client()
    seen_bare, seen_ours, empty = [], [], []
    jobs.ours(stand)
    for number in range(rounds):
        # New objects each time: the first time is what is measured, and no cache may hold them.
        prefix = f"channel/{number}"
        storage.make_file(source, megabytes)
        for part in range(OBJECTS):
            client.upload_file(str(source), BUCKET, f"{prefix}/{part}")
        channel = {
            "ChannelName": "data",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"s3://{BUCKET}/{prefix}/",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
        keys = [f"{prefix}/{part}" for part in range(OBJECTS)]
        if number % 2:
            seen_bare.append(_read(stand, keys))
        seen_ours.append(jobs.ours(stand, InputDataConfig=[channel]))
        empty.append(jobs.ours(stand))
        if number % 2 == 0:
            seen_bare.append(_read(stand, keys))
        for part in range(OBJECTS):
            client.delete_object(Bucket=BUCKET, Key=f"{prefix}/{part}")
        stand.report(f"{number + 1} of {rounds}")
    source.unlink()
    ours = total / (median(seen_ours) - median(empty))
    note = "a job with the channel less a job without, files on the disk; bare: the same read over HTTP"
    what = f"S3 → channel, first time, {OBJECTS} times {megabytes} MB"
    return [Row(CHANNEL, what, "MB/s", ours, total / median(seen_bare), bar=BAR, note=note)]


def _read(stand: Stand, keys: list[str]) -> float:
    return sum(storage.get(stand.s3, key) for key in keys)
