"""Uploads a local folder to S3: the files that belong to it, without those that are already there."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebox.commands.outcome import Stop

# Files of tools, which are not training code.
NEVER_CODE = frozenset(
    {
        ".git", ".hg", ".svn", ".venv", "venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache",
        ".ipynb_checkpoints", ".idea", ".vscode", ".tox", ".nox", ".eggs", "node_modules", ".DS_Store",
    }
)  # fmt: skip

# A script in the home folder must not upload everything there.
MOST_CODE_FILES = 2_000
MOST_CODE_BYTES = 200_000_000


@dataclass(frozen=True)
class Pack:
    """Files to upload: (relative name, path), the names with slashes."""

    files: tuple[tuple[str, Path], ...]

    @classmethod
    def of_code(cls, script: Path, unwanted: Sequence[Path] = ()) -> "Pack":
        """A script's folder, without what is not code. Raises Stop when it is too much to be meant."""
        folder, files, size = script.parent, [], 0
        for path in _walk(folder, unwanted):
            files.append((path.relative_to(folder).as_posix(), path))
            size += path.stat().st_size
            if len(files) > MOST_CODE_FILES or size > MOST_CODE_BYTES:
                raise Stop(
                    f"{folder} holds over {MOST_CODE_FILES} files or {MOST_CODE_BYTES // 1_000_000} MB. All of it "
                    "would be uploaded as code: put the script in its own folder and pass data by --data NAME=PATH.",
                    status=2,
                )
        return cls(tuple(files))

    @classmethod
    def of_data(cls, path: Path, *, allow_empty: bool = False) -> "Pack":
        """A file, or everything in a folder. Raises Stop when the folder is empty, as a channel may not be."""
        if path.is_file():
            return cls(((path.name, path),))
        files = tuple((one.relative_to(path).as_posix(), one) for one in _walk(path, (), everything=True))
        if not files and not allow_empty:
            raise Stop(f"{path} is empty; a channel needs at least one file.", status=2)
        return cls(files)

    @staticmethod
    def name_of(path: Path) -> str:
        """A short name of its own for each place of this machine."""
        return f"{path.name or 'root'}-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"


class Folder:
    """A prefix in S3 that is made to hold exactly what a Pack holds, or whose objects become a local folder's files."""

    def __init__(self, s3: Any, uri: str) -> None:
        self._s3 = s3
        self._bucket, _, self._prefix = uri.removeprefix("s3://").partition("/")

    def upload(self, pack: Pack) -> int:
        """Upload what is new or newer, delete what is gone; the number of files sent."""
        held = self._held()
        sent = 0
        for name, path in pack.files:
            size, modified = held.pop(name, (-1, 0.0))
            found = path.stat()
            if size != found.st_size or modified < found.st_mtime:
                self._s3.upload_file(str(path), self._bucket, self._prefix + name)
                sent += 1
        for name in held:
            self._s3.delete_object(Bucket=self._bucket, Key=self._prefix + name)
        return sent

    def download(self, folder: Path, sent: Pack) -> int:
        """Bring the objects into a local folder, and remove the files of `sent` that are no objects any more.

        The number of objects; other files of the folder stay.
        """
        folder.mkdir(parents=True, exist_ok=True)
        held = {name for name in self._held() if _is_inside(name)}
        for name in held:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._s3.download_file(self._bucket, self._prefix + name, str(path))
        for name, path in sent.files:
            if name not in held:
                path.unlink(missing_ok=True)
        return len(held)

    def _held(self) -> dict[str, tuple[int, float]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        return {
            one["Key"].removeprefix(self._prefix): (one["Size"], one["LastModified"].timestamp())
            for page in pages
            for one in page.get("Contents", ())
        }


def _is_inside(name: str) -> bool:
    """Whether the rest of a key is the path of a file below a folder: a key may be any text."""
    return bool(name) and not name.endswith("/") and ".." not in name.split("/") and not name.startswith("/")


def _walk(folder: Path, unwanted: Sequence[Path], everything: bool = False) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if (everything or name not in NEVER_CODE) and (here / name) not in unwanted
        )
        for name in sorted(files):
            path = here / name
            if (everything or name not in NEVER_CODE) and path not in unwanted and path.is_file():
                yield path
