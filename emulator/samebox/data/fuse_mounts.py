"""Mounts of FUSE: made, found in the kernel's table, and ended. No record is kept: what is mounted is in that table."""

from __future__ import annotations

import array
import contextlib
import ctypes
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_TYPE = "samebox"  # mounts of ours are fuse.samebox in the table
_DEVICE = "/dev/fuse"
_TABLE = Path("/proc/self/mountinfo")
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _DETACH = 1, 2, 4, 2
_SECONDS = 20.0
_AHEAD_KIB = 1024  # which the kernel reads ahead; by itself it would be 128
_ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True)
class FuseMount:
    """A mount of ours: its folder, the name that it was mounted by, and the number of its device."""

    folder: Path
    name: str
    device: str


class MountError(Exception):
    """A file system cannot be mounted here; the message says why."""


def why_not() -> str | None:
    """Why nothing can be mounted on this machine; None where it can be tried."""
    if sys.platform != "linux" or not Path(_DEVICE).exists():
        return "this system has no FUSE"
    if os.geteuid() and shutil.which("fusermount3") is None:
        return "it needs root, or fusermount3 and user_allow_other in /etc/fuse.conf"
    return None


def mount(target: Path, name: str, largest_read: int) -> int:
    """Mount at a folder, read-only and for all users; gives the descriptor to serve it by. Raises MountError."""
    return _mount_as_root(target, name, largest_read) if os.geteuid() == 0 else _mount_by_helper(target, name)


def read_ahead(target: Path) -> None:
    """Have the kernel read further ahead, where we may: larger requests are fewer."""
    for one in mounted():
        if one.folder == target:
            with contextlib.suppress(OSError):
                Path(f"/sys/class/bdi/{one.device}/read_ahead_kb").write_text(str(_AHEAD_KIB))


def below(folder: Path) -> list[FuseMount]:
    """What is mounted below a folder."""
    root = folder.resolve()
    return [one for one in mounted() if one.folder.is_relative_to(root)]


def mounted() -> list[FuseMount]:
    """All mounts of ours on this machine."""
    found = []
    try:
        # Names are bytes; only a line feed ends a line.
        lines = _TABLE.read_text("utf-8", "surrogateescape").split("\n")
    except FileNotFoundError:  # another system than Linux
        return []
    for line in filter(None, lines):
        words = line.split(" ")
        kind, name, *_ = words[words.index("-") + 1 :]
        if kind == f"fuse.{_TYPE}":
            found.append(FuseMount(Path(_plain(words[4])), _plain(name), words[2]))
    return found


def unmount(target: Path) -> None:
    """Take it off: no new program sees it, and its server ends when the last one closes its files.

    Raises MountError.
    """
    if os.geteuid() == 0:
        if _libc().umount2(os.fsencode(target), _DETACH) != 0:
            raise MountError(f"{target} cannot be unmounted: {os.strerror(ctypes.get_errno())}")
        return
    ended = subprocess.run(
        ["fusermount3", "-u", "-z", "--", target], capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if ended.returncode:
        raise MountError(f"{target} cannot be unmounted: {ended.stderr.strip()}")


def _mount_as_root(target: Path, name: str, largest_read: int) -> int:
    try:
        descriptor = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise MountError(f"{_DEVICE}: {error.strerror}") from None
    options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
    flags = _READ_ONLY | _NO_SETUID | _NO_DEVICES
    given = f"{options},max_read={largest_read}".encode()
    if _libc().mount(name.encode(), os.fsencode(target), f"fuse.{_TYPE}".encode(), flags, given) != 0:
        os.close(descriptor)
        raise MountError(f"{target} cannot be mounted: {os.strerror(ctypes.get_errno())}")
    return descriptor


def _mount_by_helper(target: Path, name: str) -> int:
    """fusermount3 mounts for users, and sends the descriptor over a socket."""
    options = f"ro,nosuid,nodev,allow_other,default_permissions,fsname={name},subtype={_TYPE}"
    ours, its = socket.socketpair()
    with ours, its:
        ended = subprocess.run(
            ["fusermount3", "-o", options, "--", target],
            env={**os.environ, "_FUSE_COMMFD": str(its.fileno())},
            pass_fds=[its.fileno()],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if ended.returncode:
            raise MountError(ended.stderr.strip() or "fusermount3 failed")
        _, ancillary, *_ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    descriptors = array.array("i")
    descriptors.frombytes(ancillary[0][2])
    os.set_inheritable(descriptors[0], False)
    return descriptors[0]


def _plain(word: str) -> str:
    """A word of the table without its escapes, which are octal."""
    return os.fsdecode(_ESCAPE.sub(lambda octal: bytes([int(octal[1], 8)]), os.fsencode(word)))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
