"""Channels in Pipe mode: one named pipe per channel and epoch, fed as SageMaker feeds them (contract §1.5).

The next pipe appears when the last one was read to its end or closed by its reader; data flows once it is opened. Where
contract.md has no answer: the pipes belong to root with mode 0644, and stay after they were read.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.data import recordio
from samebox.data.channels import ChannelError
from samebox.data.objects import S3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    Epoch = Callable[[int], Generator[bytes]]  # what an epoch sends, by its number

LATE_SECONDS = 0.5  # until the next epoch's pipe is there: "your code may need to retry until the pipe is created"
_LOOK_SECONDS = 0.02
_CHUNK = 1 << 18
_PIPE = 1 << 18  # what a pipe holds; Linux gives 64 KiB, and then a fast reader waits for our thread's turn too often
_READ = 1 << 20
_END_SECONDS = 10.0  # for the threads that feed, once they are to end


class PipesUnavailable(Exception):
    """Named pipes of this machine do not reach the engine's containers."""


@dataclass
class Taken:
    """What became of a channel. `epochs`: pipes that were opened; `whole`: those that were read to their end."""

    epochs: int = 0
    whole: int = 0
    bytes: int = 0


def epoch(files: Iterable[Path], record_io: bool) -> Generator[bytes]:
    """Files one after another, as one epoch's pipe gives them; with `record_io`, each wrapped as a RecordIO record.

    Raises ValueError for an object that is too large for a record.
    """
    for file in files:
        if record_io:
            yield recordio.frame(file.read_bytes())
            continue
        with file.open("rb") as opened:
            while chunk := opened.read(_READ):
                yield chunk


class Pipes:
    """The pipes of one host's channels, below a folder.

    Where a channel cannot be fed, `problem` has the reason, `failed` is called, and the pipe ends.
    """

    def __init__(self, folder: Path, late: bool = True, failed: Callable[[], None] = lambda: None) -> None:
        if sys.platform != "linux":
            raise PipesUnavailable(
                "named pipes reach containers only where the engine runs on this machine, under Linux"
            )
        self._folder, self._late, self._failed = folder, late, failed
        self._closed = threading.Event()
        self._feeders: list[threading.Thread] = []
        self._paths: dict[str, str] = {}
        self.taken: dict[str, Taken] = {}
        self.problem = ""

    def add(self, channel: str, epoch_of: Epoch, path: str = "") -> None:
        """Make the pipe of epoch 0, and feed its readers. Channels are independent of each other.

        `path`: of its pipes below the folder, without the number of the epoch, where it is not the channel's name.
        """
        self.taken[channel] = Taken()
        self._paths[channel] = path or channel
        self._make(channel, 0)
        feeder = threading.Thread(
            target=self._feed, args=(channel, epoch_of), name=f"the pipes of {channel}", daemon=True
        )
        self._feeders.append(feeder)
        feeder.start()

    def close(self) -> None:
        """Feed no more: a pipe that is being read ends."""
        self._closed.set()
        for feeder in self._feeders:
            feeder.join(_END_SECONDS)

    @property
    def are_untouched(self) -> bool:
        return not any(taken.epochs for taken in self.taken.values())

    def in_words(self) -> str:
        """What was read, for a person."""
        parts = []
        for channel, taken in self.taken.items():
            epochs = f"{taken.epochs} epoch{'' if taken.epochs == 1 else 's'}" if taken.epochs else "never opened"
            parts.append(f"{channel}: {epochs}" + (f", {taken.bytes:,} bytes" if taken.epochs else ""))
        return "; ".join(parts)

    def _feed(self, channel: str, epoch_of: Epoch) -> None:
        taken = self.taken[channel]
        try:
            while (pipe := self._opened(self._path(channel, taken.epochs))) is not None:
                number, taken.epochs = taken.epochs, taken.epochs + 1
                try:
                    with contextlib.closing(epoch_of(number)) as chunks:
                        taken.whole += self._pour(pipe, chunks, taken)
                    if not self._late:
                        self._make(channel, taken.epochs)
                finally:
                    os.close(pipe)
                if self._late:
                    self._closed.wait(LATE_SECONDS)
                    self._make(channel, taken.epochs)
        except (OSError, ValueError, S3Error, ChannelError) as error:
            if not self._closed.is_set():
                self.problem = f"{channel} could not be fed: {error}"
                self._failed()

    def _opened(self, path: Path) -> int | None:
        """The pipe, once a reader has opened it; None if that never happened."""
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # it has no reader yet
                    raise
        return None

    def _pour(self, pipe: int, chunks: Iterator[bytes], taken: Taken) -> bool:
        """Whether all of it was taken: a reader may close early, which is not a fault."""
        with contextlib.suppress(OSError):  # users without rights have a limit for all their pipes
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
        waiting = select.poll()
        waiting.register(pipe, select.POLLOUT)
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                if self._closed.is_set():
                    return False
                try:
                    count = os.write(pipe, rest[:_CHUNK])
                except BlockingIOError:
                    waiting.poll(100)
                    continue
                except BrokenPipeError:
                    return False
                taken.bytes += count
                rest = rest[count:]
        return True

    def _make(self, channel: str, epoch: int) -> None:
        path = self._path(channel, epoch)
        path.unlink(missing_ok=True)  # of a start that was interrupted
        os.mkfifo(path)
        path.chmod(0o644)

    def _path(self, channel: str, epoch: int) -> Path:
        return self._folder / f"{self._paths[channel]}_{epoch}"
