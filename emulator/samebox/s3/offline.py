"""A storage as it lies on the disk, read only: what `samebox s3` shows while no emulator runs."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.s3 import buckets, versions
from samebox.s3.files import Files
from samebox.s3.index import Index
from samebox.s3.listing import Lists
from samebox.s3.reading import OpenObject, opened
from samebox.s3.store import INDEX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from samebox.s3.records import Bucket, Listed


@dataclass(frozen=True)
class ExportResult:
    """What an export wrote, and the keys that are no path of a file."""

    files: int
    size: int
    left_out: tuple[str, ...]


class Archive:
    """The newest objects of a storage. A running emulator may write to it meanwhile.

    Raises FileNotFoundError where there is no storage.
    """

    def __init__(self, folder: Path) -> None:
        self._index = Index(folder / INDEX, read_only=True)
        self._files = Files(folder)
        self._lists = Lists(self._index)

    def buckets(self) -> tuple[Bucket, ...]:
        """All buckets, by name."""
        with self._index.read() as t:
            return buckets.every(t)

    def list(self, bucket: str, prefix: str = "") -> Iterator[Listed]:
        """The objects whose keys have the prefix. Raises NoSuchBucket."""
        after = ""
        while True:
            page = self._lists.objects(bucket, prefix=prefix, after=after)
            yield from page.items
            if not page.truncated:
                return
            after = page.next_key

    def open(self, bucket: str, key: str, version: str | None = None) -> OpenObject:
        """Open an object for reading; close it. Raises NoSuchBucket, NoSuchKey, NoSuchVersion."""
        return opened(
            self._index, self._files, lambda t: versions.required(t, buckets.row(t, bucket), key.encode(), version)
        )

    def export(self, bucket: str, prefix: str, target: Path) -> ExportResult:
        """Write objects below a folder, a file for each, its path the key; files that are there are replaced.

        A key that is not a path of a file (`a/` beside `a/b` is a folder; `a//b`, `..`) is left out, and named. Raises
        NoSuchBucket, OSError.
        """
        left_out, files, size = [], 0, 0
        for item in self.list(bucket, prefix):
            path = _path(target, item.key)
            if path is None or not _write(path, self.open(bucket, item.key)):
                left_out.append(item.key)
                continue
            files += 1
            size += item.size
        return ExportResult(files, size, tuple(left_out))

    def close(self) -> None:
        """Close the index."""
        self._index.close()


def _path(target: Path, key: str) -> Path | None:
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in key:
        return None
    return target.joinpath(*parts)


def _write(path: Path, reading: OpenObject) -> bool:
    # False where the key is another key's folder, or too long for a file's name.
    with reading:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                path.unlink()
            with path.open("wb") as file:
                for chunk in reading.chunks():
                    file.write(chunk)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            return False
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return False
            raise
    os.utime(path, (reading.version.modified, reading.version.modified))
    return True
