"""Checks that a path can be written, before the work whose result goes there."""

import errno
import os
import tempfile
from pathlib import Path


def why_no_folder(path: Path) -> str | None:
    """Make a folder where there is none. Why that is refused, or why nothing can be written in it; None when it can."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        # By trial: permissions alone do not show whether a file system can be written.
        with tempfile.TemporaryDirectory(prefix=".samebox-", dir=path):
            return None
    except OSError as error:
        # Where a file is in the way, mkdir reports that it exists.
        return os.strerror(errno.ENOTDIR) if error.errno == errno.EEXIST else error.strerror


def why_no_file(path: Path) -> str | None:
    """Why no file can be written at a path; None when it can be. Nothing is made; its folder must be there."""
    try:
        if path.is_dir():
            return os.strerror(errno.EISDIR)
        if path.exists():
            return _why_not(path, os.W_OK)
        if not path.parent.exists():
            return os.strerror(errno.ENOENT)
        if not path.parent.is_dir():
            return os.strerror(errno.ENOTDIR)
        return _why_not(path.parent, os.W_OK | os.X_OK)
    except OSError as error:
        return error.strerror


def _why_not(path: Path, mode: int) -> str | None:
    if os.access(path, mode):
        return None
    return os.strerror(errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES)
