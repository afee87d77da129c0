"""Bytes from one open file to another, by the kernel where it can."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from samebox.data.objects import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READ_BYTES = 1024 * 1024
# What the kernel says where it cannot copy between two files without us.
_NOT_BETWEEN_THESE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def replacing(path: Path, modified: float) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place, with a time in seconds since 1970, when the block ends well.

    Raises DiskFull.
    """
    # Short and of our own: the object's name may already be as long as a file name can be.
    temporary = path.with_name(f".samebox-{hashlib.blake2b(path.name.encode(), digest_size=8).hexdigest()}.part")
    try:
        with disk_errors(path), temporary.open("wb") as file:
            yield file
        temporary.chmod(0o644)
        os.utime(temporary, (modified, modified))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def copy(source: int, target: int, count: int, offset: int) -> int:
    """Up to `count` bytes at `offset` of one open file to another's end of writing; how many. Raises OSError.

    On Linux the kernel copies; a file system that shares blocks between files does not even read them.
    """
    if sys.platform != "linux":
        done = os.write(target, os.pread(source, min(count, _READ_BYTES), offset))
    else:
        try:
            done = os.copy_file_range(source, target, count, offset)
        except OSError as error:
            if error.errno not in _NOT_BETWEEN_THESE:
                raise
            done = os.sendfile(target, source, offset, count)
    if not done:
        raise OSError(errno.EIO, "the file ended early")
    return done
