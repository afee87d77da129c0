"""`samebox s3`: lists and exports the objects of a data folder, whether an emulator runs on it or not."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from samebox.commands import where
from samebox.commands.outcome import Stop
from samebox.data.objects import Location, NotS3
from samebox.errors import AwsError
from samebox.s3.offline import Archive


def run(given: argparse.Namespace) -> int:
    """List, or export where a folder is given."""
    folder = where.settings(data_dir=given.data_dir).data_dir / "objects"
    try:
        archive = Archive(folder)
    except FileNotFoundError:
        raise Stop(f"there are no objects: {folder} does not exist. Another folder: --data-dir.") from None
    try:
        if given.export is not None:
            return _export(archive, _place(given.uri), given.export)
        return _list(archive, given.uri)
    except AwsError as error:
        raise Stop(f"{error.message}: {given.uri}") from None
    finally:
        archive.close()


def _list(archive: Archive, uri: str | None) -> int:
    if uri is None:
        for bucket in archive.buckets():
            print(f"{_time(bucket.created)}  s3://{bucket.name}  {bucket.region}")
        return 0
    place = _place(uri)
    count = size = 0
    for item in archive.list(place.bucket, place.key):
        print(f"{_time(item.modified)} {item.size:>14,}  s3://{place.bucket}/{item.key}")
        count, size = count + 1, size + item.size
    print(f"{count:,} objects, {size:,} bytes")
    return 0


def _export(archive: Archive, place: Location, target: Path) -> int:
    try:
        done = archive.export(place.bucket, place.key, target)
    except OSError as error:
        raise Stop(f"{error.filename or target} cannot be written: {error.strerror}.") from None
    print(f"{done.files:,} files, {done.size:,} bytes, in {target}")
    for key in done.left_out:
        print(f"left out: {key!r} is not a path of a file, or a folder of other keys")
    return 1 if done.left_out else 0


def _place(uri: str | None) -> Location:
    if uri is None:
        raise Stop("--export takes an address: s3://BUCKET or s3://BUCKET/PREFIX. `samebox s3` lists the buckets.", 2)
    try:
        return Location.parse(uri)
    except NotS3 as error:
        raise Stop(f"{uri}: {error.message}. An address is s3://BUCKET or s3://BUCKET/PREFIX.") from None


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
