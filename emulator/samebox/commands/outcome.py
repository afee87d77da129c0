"""How a command ends: with an exit status, or with a one-sentence error message."""

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn

UNUSABLE = 2  # exit status: what was given cannot be used, and nothing was examined
# Errors of paths and disks, but not a missing file: a command itself checks the files that a user names.
_REFUSALS = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR,
        errno.ENAMETOOLONG, errno.ELOOP, errno.EBUSY, errno.EXDEV, errno.ENOTEMPTY, errno.EFBIG, errno.EIO,
    }
)  # fmt: skip


class Stop(Exception):
    """The command cannot continue; the message has the reason and a remedy."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def of(command: Callable[[], int], program: str = "samebox") -> int:
    """Run a command. A Stop becomes a line on stderr and its status; Ctrl-C becomes 130.

    File system errors of paths do as well: a command's paths are the user's, and a traceback would show ours.
    """
    try:
        return command()
    except Stop as stop:
        sys.stderr.write(f"{program}: {stop}\n")
        return stop.status
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`samebox logs … | head`): no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        sys.stderr.write(f"{program}: {where}{error.strerror}\n")
        return 1


@contextlib.contextmanager
def cleaning_up() -> Iterator[None]:
    """For a block that removes what it started, however it ends: SIGTERM and Ctrl-C become a Stop.

    `timeout` and CI systems end a program with SIGTERM.
    """
    before = signal.signal(signal.SIGTERM, _ended)
    try:
        yield
    except KeyboardInterrupt:
        raise Stop("interrupted; what was started has been removed.", status=128 + signal.SIGINT) from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def interrupted(consequence: str) -> Iterator[None]:
    """Turns Ctrl-C in its block into a Stop with the state of the job."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stop(f"interrupted; {consequence}", status=130) from None


def _ended(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # cleaning up is short, and half of it would be none
    raise Stop("ended by SIGTERM; what was started has been removed.", status=128 + signal.SIGTERM)
