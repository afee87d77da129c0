"""The files of a folder that a container writes to, read without trusting it: no link leads out of the folder."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a key of S3 can be; it bounds how deep a folder is looked at, too.
PATH_BYTES = 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Opening a pipe would block.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class FileVersion:
    """What distinguishes one content of a file from an earlier one. `modified` is in nanoseconds since 1970."""

    size: int
    modified: int
    inode: int = 0


def scan(root: Path, folder: str) -> dict[str, FileVersion]:
    """Every regular file below `root/folder`, by its path from there; symbolic links are left out, and so are names
    that are not UTF-8 or longer than 1,024 bytes. Empty where the folder is gone or is none. Raises OSError.

    `root` is ours; a container may have replaced anything below it.
    """
    found: dict[str, FileVersion] = {}
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), _open_folder(root, folder) as descriptor:
        _scan(descriptor, "", found)
    return found


@contextlib.contextmanager
def opened(root: Path, folder: str, name: str) -> Iterator[BinaryIO]:
    """A file that `scan` has found. Raises OSError: FileNotFoundError where it is gone or no longer regular."""
    above, _, last = f"{folder}/{name}".rpartition("/")
    with _open_folder(root, above) as descriptor:
        file = os.open(last, _FILE, dir_fd=descriptor)
        with os.fdopen(file, "rb", buffering=0) as opened_file:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise FileNotFoundError(name)
            yield opened_file


def version(file: BinaryIO) -> FileVersion:
    """That of an open file, at this moment."""
    return _version(os.fstat(file.fileno()))


@contextlib.contextmanager
def _open_folder(root: Path, folder: str) -> Iterator[int]:
    # Part by part: where a part has become a link, it is not a directory.
    with contextlib.ExitStack() as opened_folders:
        descriptor = os.open(root, _FOLDER)
        opened_folders.callback(os.close, descriptor)
        for part in folder.split("/"):
            if part:
                descriptor = _open_in(part, descriptor)
                opened_folders.callback(os.close, descriptor)
        yield descriptor


def _open_in(name: str, folder: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise NotADirectoryError(name) from error


def _scan(folder: int, above: str, found: dict[str, FileVersion]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = above + entry.name
            if not _is_key(path):
                continue
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # it went meanwhile
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(facts.st_mode):
                    found[path] = _version(facts)
                elif stat.S_ISDIR(facts.st_mode):
                    inner = _open_in(entry.name, folder)
                    try:
                        _scan(inner, f"{path}/", found)
                    finally:
                        os.close(inner)


def _is_key(path: str) -> bool:
    try:
        return len(path.encode()) <= PATH_BYTES
    except UnicodeEncodeError:
        return False


def _version(facts: os.stat_result) -> FileVersion:
    return FileVersion(facts.st_size, facts.st_mtime_ns, facts.st_ino)
