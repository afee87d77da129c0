"""Runs the user's program: signals go in, stderr is passed through and its end remembered, orphans are reaped."""

from __future__ import annotations

import contextlib
import os
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
STOP_SECONDS = 110.0  # from SIGTERM on; SIGKILL comes at 120, and how it ended must be written down before


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
) -> Finished:
    """Run a command to its end in a session of its own.

    `deliver(pid, signal)` says how a stop reaches it; by default the whole process group gets it, so that a shell
    script and the Python it started both hear of it.
    """
    send = deliver or signal_group
    read_end, write_end = os.pipe()
    signals.starting()
    try:
        process = subprocess.Popen(command, cwd=directory, stderr=write_end, start_new_session=True)
    finally:
        os.close(write_end)
    signals.deliver_to(lambda number: send(process.pid, number))

    tail = _Tail()
    pump = threading.Thread(target=_pass_through, args=(read_end, tail), name="stderr", daemon=True)
    pump.start()
    code = _wait(process)
    if signals.received is not None:
        # A shell dies of SIGTERM at once. What it started has heard it too, and may be saving the model.
        _wait_for_group(process.pid, STOP_SECONDS - signals.seconds_since)
    signals.ended()
    # Whoever the program left behind would end with the container. Where we are not PID 1 it must end as well, and it
    # may hold the pipe open for ever.
    signal_group(process.pid, signal.SIGKILL)
    pump.join(timeout=5)
    return Finished(tuple(command), code if code >= 0 else 128 - code, tail.text())


def signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def out_of_memory_kills() -> int:
    """How many processes of this container the kernel has killed for memory; 0 where the kernel does not tell."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for the process, burying on the way every orphan that PID 1 inherits."""
    while True:
        # WNOWAIT: look at who died without taking it from Popen, which must learn the exit code itself.
        died = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if died is None or died.si_pid == process.pid:
            return process.wait()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(died.si_pid, 0)


def _wait_for_group(group: int, seconds: float) -> None:
    """Until nobody of the process group is left, burying those whom PID 1 inherits; `seconds` at most."""
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


def _pass_through(descriptor: int, tail: _Tail) -> None:
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        while chunk := stream.read(65536):
            tail.add(chunk)
            # A log nobody reads any more must not block or kill the training.
            with contextlib.suppress(OSError):
                os.write(2, chunk)
