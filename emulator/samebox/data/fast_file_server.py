"""The program that mounts one channel in FastFile mode, and serves it until it is unmounted.

    python -m samebox.data.fast_file_server < CHANNEL.json       (FastChannel.to_json)

It ends when the channel is mounted, with status 0, and leaves a process that serves it: so a job goes on reading when
the emulator was killed. It ends with status 1 and a sentence where nothing can be mounted.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.data import fuse_mounts
from samebox.data.fast_file_readers import Blocks, Descriptors, ObjectReader, PiecesReader
from samebox.data.fast_files import FastChannel
from samebox.data.fuse_protocol import LARGEST_READ, FuseServer, FuseTree

if TYPE_CHECKING:
    from samebox.data.fast_files import S3Address
    from samebox.data.fuse_protocol import FileReader
    from samebox.data.remote_objects import RemoteObjects

_THREADS = 4  # that answer the kernel: one that waits for S3 is not to hold up the others
_START_SECONDS = 60.0


def start(channel: FastChannel) -> None:
    """Mount the channel, served by a process of its own. Raises fuse_mounts.MountError."""
    try:
        ended = subprocess.run(
            [sys.executable, "-m", __spec__.name],
            input=channel.to_json(),
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise fuse_mounts.MountError(f"{channel.target} was not mounted within {_START_SECONDS:g} s") from None
    if ended.returncode:
        raise fuse_mounts.MountError(ended.stderr.strip().rpartition("\n")[2] or "the server of the mount failed")


def main() -> int:
    channel = FastChannel.from_json(sys.stdin.read())
    target = Path(channel.target)
    try:
        descriptor = fuse_mounts.mount(target, channel.name, LARGEST_READ)
    except fuse_mounts.MountError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    fuse_mounts.read_ahead(target)
    if os.fork():
        return 0
    _leave_terminal(channel.log)
    FuseServer(descriptor, _tree(channel)).serve(_THREADS)
    return 0


def _tree(channel: FastChannel) -> FuseTree:
    tree, descriptors, blocks = FuseTree(), Descriptors(), None
    for directory in channel.directories:
        tree.folder(directory)
    for file in channel.files:
        reader: FileReader
        if file.pieces is None and channel.s3 is not None:
            blocks = blocks or Blocks(_s3(channel.s3))
            reader = ObjectReader(file, blocks)
        else:
            reader = PiecesReader(file.pieces or (), descriptors)
        tree.add(file.path, file.size, file.modified, reader)
    return tree


def _s3(address: S3Address) -> RemoteObjects:
    from samebox.data.remote_objects import RemoteObjects  # and boto3, which is slow to load

    return RemoteObjects(address.url, address.access_key, address.secret_key, address.session_token, address.region)


def _leave_terminal(log: str) -> None:
    """A session of its own, so that no Ctrl-C reaches it, and a log in place of what its parent has open."""
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    for number in (1, 2):
        os.dup2(written, number)
    os.close(nothing)
    os.close(written)
    logging.basicConfig(format="%(asctime)s %(message)s")


if __name__ == "__main__":
    sys.exit(main())
