"""Runs the user's program: signals go in, output goes out, the end of stderr is remembered, orphans are reaped."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox_train.signals import Signals

TAIL_BYTES = 64 * 1024
# How often a progress bar is passed on while it moves.
PROGRESS_SECONDS = 1.0
STOP_SECONDS = 110.0  # from SIGTERM on; SIGKILL comes at 120, and how it ended must be written down before

_SET_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h


@dataclass(frozen=True)
class Finished:
    """How a process ended: `code` as a shell shows it (128 + N for a death by signal N), and the end of its stderr."""

    command: tuple[str, ...]
    code: int
    stderr: str


def run(
    command: list[str],
    directory: str,
    signals: Signals,
    deliver: Callable[[int, int], None] | None = None,
    needed: subprocess.Popen[bytes] | None = None,
) -> Finished:
    """Run a command to its end in a session of its own; without the process `needed` it cannot go on, and is killed.

    `deliver(pid, signal)` says how a stop reaches it; by default the whole process group gets it, so that a shell
    script and the Python it started both receive it.
    """
    send = deliver or signal_group
    _adopt_orphans()
    signals.starting()
    process, output = _start(command, directory, start_new_session=True)
    signals.deliver_to(lambda number: send(process.pid, number))
    code = _wait(process, signals, needed)
    if signals.received is not None:
        # A shell dies of SIGTERM at once. Its children received it too, and may be saving the model.
        _wait_for_group(process.pid, STOP_SECONDS - signals.seconds_since)
    signals.ended()
    # Processes that the program left behind would end with the container. Where we are not PID 1 they must end as well,
    # and they may hold the pipes open for ever.
    signal_group(process.pid, signal.SIGKILL)
    return Finished(tuple(command), code if code >= 0 else 128 - code, output.end())


def run_before(command: list[str], directory: str, signals: Signals) -> Finished:
    """Run a command that comes before the user's program, such as pip. A stop ends it as it ends us."""
    process, output = _start(command, directory)
    code = _wait(process, signals)
    return Finished(tuple(command), code if code >= 0 else 128 - code, output.end())


def program_is_there(name: str) -> bool:
    """Whether a program is on PATH."""
    return shutil.which(name) is not None


def signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def out_of_memory_kills() -> int:
    """How many processes of this container the kernel has killed for memory; 0 where the kernel does not count them."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0


def _adopt_orphans() -> None:
    """Have orphans of our children come to us, as to PID 1: one that nothing reaps keeps its process group alive.

    Where we are not PID 1, as with `docker run --init`, an init would reap them when it likes.
    """
    with contextlib.suppress(OSError, AttributeError):  # prctl is Linux's alone
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait(process: subprocess.Popen[bytes], signals: Signals, needed: subprocess.Popen[bytes] | None = None) -> int:
    """Wait for the process, burying on the way every orphan that has come to us."""
    while True:
        # WNOWAIT: look at who died without taking it from Popen, which must learn the exit code itself.
        died = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if died is None:
            signals.wait_for_one()
            continue
        if died.si_pid == process.pid:
            return process.wait()
        if needed is not None and died.si_pid == needed.pid:
            needed.wait()
            signal_group(process.pid, signal.SIGKILL)
            continue
        with contextlib.suppress(ChildProcessError):
            os.waitpid(died.si_pid, 0)


def _wait_for_group(group: int, seconds: float) -> None:
    """Wait until the process group is empty, reaping the orphans that have come to us; `seconds` at most."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)


def _start(
    command: list[str], directory: str, start_new_session: bool = False
) -> tuple[subprocess.Popen[bytes], _Output]:
    pipes = [os.pipe() for _ in range(2)]
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            stdout=pipes[0][1],
            stderr=pipes[1][1],
            start_new_session=start_new_session,
        )
    except BaseException:
        for read_end, _ in pipes:
            os.close(read_end)
        raise
    finally:
        for _, write_end in pipes:
            os.close(write_end)
    return process, _Output(pipes[0][0], pipes[1][0])


class _Output:
    """What a process writes, passed through to our own output as it comes."""

    def __init__(self, stdout: int, stderr: int) -> None:
        self._tail = _Tail()
        self._threads = [
            threading.Thread(target=_pass_through, args=(stdout, 1, lambda _chunk: None), name="stdout", daemon=True),
            threading.Thread(target=_pass_through, args=(stderr, 2, self._tail.add), name="stderr", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> str:
        """Wait for what is still in the pipes, and give the end of stderr."""
        for thread in self._threads:
            thread.join(timeout=5)
        return self._tail.text()


class MovingLines:
    """Ends the lines of a progress bar, so that it is seen while it moves.

    A bar goes back to the beginning of its line, with a carriage return, and writes over what stands there; the line
    ends when the bar is full. Container engines pass whole lines on, so until then nothing would be seen. Here such a
    line is ended before a carriage return, every PROGRESS_SECONDS at most. No byte is lost.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held = b""
        self._ended_at = clock()

    def feed(self, chunk: bytes) -> bytes:
        """What to pass on of what came."""
        if b"\r" not in chunk and not self._held:
            if b"\n" in chunk:
                self._ended_at = self._clock()
            return chunk
        chunk = self._held + chunk
        # Whether the last one ends the line, as on Windows, depends on the byte that follows.
        self._held = b"\r" if chunk.endswith(b"\r") else b""
        chunk = chunk[: len(chunk) - len(self._held)]
        pieces = chunk.split(b"\r")
        passed = [pieces[0]]
        if b"\n" in pieces[0]:
            self._ended_at = self._clock()
        for piece in pieces[1:]:
            now = self._clock()
            if not piece.startswith(b"\n") and now - self._ended_at >= PROGRESS_SECONDS:
                passed.append(b"\n")
                self._ended_at = now
            passed += [b"\r", piece]
            if b"\n" in piece:
                self._ended_at = now
        return b"".join(passed)

    def end(self) -> bytes:
        """What was held back, when no more comes."""
        return self._held


class _Tail:
    """The last TAIL_BYTES or so of a stream."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._size - len(self._chunks[0]) > TAIL_BYTES:
            self._size -= len(self._chunks.popleft())

    def text(self) -> str:
        return b"".join(list(self._chunks)).decode("utf-8", "replace")


def _pass_through(descriptor: int, to: int, seen: Callable[[bytes], None]) -> None:
    lines = MovingLines()
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        while chunk := stream.read(65536):
            seen(chunk)
            _write(to, lines.feed(chunk))
        _write(to, lines.end())


def _write(to: int, data: bytes) -> None:
    # A log without a reader must not block or kill the training.
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(to, data) :]
