"""Channels that are mounted: FastFile's first byte and throughput against the files themselves, and one seen before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from boto3.s3.transfer import TransferConfig

from bench import jobs, storage
from bench.figures import Bar, Row, alternate, median
from bench.stand import BUCKET, MB, Stand

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FAST, CACHED = "fastfile", "cached-channel"
FIRST_BYTE_BAR = Bar("ours", 1.0)
CACHED_BAR = Bar("added", 1.0)
# The same reader in a job and without one: seconds to the first byte, and to the end.
_READ = """
import time
began = time.monotonic()
buffer = bytearray(1 << 20)
with open({path!r}, "rb", buffering=0) as file:
    file.readinto(memoryview(buffer)[:1])
    print(time.monotonic() - began)
    while file.readinto(buffer):
        pass
print(time.monotonic() - began)
"""


def measure(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """An object that is one file, which is linked, and one of several files, which a mount shows as one."""
    source = stand.folder / "whole"
    storage.make_file(source, megabytes)
    rows = []
    for form, upload in (("one file", _upload), ("parts of two sizes", _upload_unevenly)):
        key = f"fast/{form}/data"
        upload(stand, source, key)
        seen_bare, seen_ours = alternate(rounds, lambda: _bare(stand), partial(_ours, stand, key), report=stand.report)
        rows += _rows(f"FastFile, {megabytes} MB in {form}", megabytes, seen_ours, seen_bare)
    source.unlink()
    return rows


def measure_cached(stand: Stand, rounds: int, megabytes: int) -> list[Row]:
    """Jobs with a channel in File mode that an earlier job had, and jobs without a channel."""
    source = stand.folder / "seen"
    storage.make_file(source, megabytes)
    stand.s3.client().upload_file(str(source), BUCKET, "seen/data")
    source.unlink()
    host = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": megabytes // 500 + 1}
    with_channel = partial(jobs.ours, stand, ResourceConfig=host, InputDataConfig=[_channel("seen/", "File")])
    with_channel()
    without, having = alternate(
        rounds, partial(jobs.ours, stand, ResourceConfig=host), with_channel, report=stand.report
    )
    note = "CreateTrainingJob to the container's line; bare: a job without a channel"
    what = f"a channel seen before, {megabytes} MB"
    return [Row(CACHED, what, "s", median(having), median(without), bar=CACHED_BAR, note=note)]


def _upload(stand: Stand, source: Path, key: str) -> None:
    stand.s3.client().upload_file(str(source), BUCKET, key, Config=TransferConfig(multipart_threshold=1 << 40))


def _upload_unevenly(stand: Stand, source: Path, key: str) -> None:
    """In parts of 8 and of 9 MB by turns: only parts of one size become one file."""
    client, place = stand.s3.client(), {"Bucket": BUCKET, "Key": key}
    parts: list[Any] = []
    upload = client.create_multipart_upload(**place)["UploadId"]
    with source.open("rb") as file:
        while body := file.read((8 + len(parts) % 2) * MB):
            number = len(parts) + 1
            sent = client.upload_part(**place, UploadId=upload, PartNumber=number, Body=body)
            parts.append({"ETag": sent["ETag"], "PartNumber": number})
    client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})


def _rows(
    what: str, megabytes: int, ours: Sequence[tuple[float, float]], bare: Sequence[tuple[float, float]]
) -> list[Row]:
    note = "read in a job's container; bare: the same reader in a container that has the file mounted"
    first, to_end = ([median(seen[place] for seen in side) for side in (ours, bare)] for place in (0, 1))
    return [
        Row(FAST, f"{what}: first byte", "s", first[0], first[1], bar=FIRST_BYTE_BAR, note=note),
        Row(FAST, what, "MB/s", megabytes / to_end[0], megabytes / to_end[1], note=note),
    ]


def _bare(stand: Stand) -> tuple[float, float]:
    options = ("--volume", f"{stand.folder / 'whole'}:/data:ro")
    return _seconds(stand.bare_run(_READ.format(path="/data"), *options).splitlines())


def _ours(stand: Stand, key: str) -> tuple[float, float]:
    emulator, name = stand.emulator, stand.name("fast")
    folder, _, file = key.rpartition("/")
    script = _READ.format(path=f"/opt/ml/input/data/data/{file}")
    emulator.train(name, stand.box, script, InputDataConfig=[_channel(f"{folder}/", "FastFile")])
    stand.completed(name)
    return _seconds(line for line in emulator.log_lines(name) if not line.startswith("samebox: "))


def _seconds(lines: Iterable[str]) -> tuple[float, float]:
    first, to_end = lines
    return float(first), float(to_end)


def _channel(prefix: str, mode: str) -> dict[str, object]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}"}
    return {"ChannelName": "data", "InputMode": mode, "DataSource": {"S3DataSource": source}}
