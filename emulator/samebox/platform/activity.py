"""The live processes of a container, and how long they have been idle.

Read from /proc on the host where the engine runs on this machine under Linux; elsewhere from the engine's `top`, which
lists no threads and has CPU time in whole seconds.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.engine import ContainerApi

PROC = Path("/proc")
BUSY = 0.01  # of one core: who uses less computes nothing, though a thread of it may look at a clock every second
_SHOWN = 4  # processes
_MOST_SHOWN = 80  # characters of a command
_WAITS = {  # the kernel's name of what a thread sleeps in: what that means, for a person
    "hrtimer_nanosleep": "sleeps",
    "do_wait": "waits for a child",
    "wait4": "waits for a child",
    "kernel_wait4": "waits for a child",
    "pipe_read": "waits for a pipe",
    "pipe_wait": "waits for a pipe",
    "anon_pipe_read": "waits for a pipe",
    "wait_for_partner": "waits for a pipe to be opened",
    "inet_csk_accept": "waits for a connection",
    "wait_woken": "waits for an answer over a connection",
    "do_sigtimedwait": "waits for a signal",
    "do_epoll_wait": "waits for a connection",
    "ep_poll": "waits for a connection",
    "poll_schedule_timeout": "waits for a connection",
    "do_select": "waits for a connection",
    "n_tty_read": "waits for input",
}


@dataclass(frozen=True)
class LiveProcess:
    """One process of a container. `threads` 0: their number is not known; `waits` is empty where that is not known."""

    pid: int
    command: str
    threads: int = 1
    cpu_seconds: float = 0.0  # its own, and that of its children that have ended
    is_at_disk: bool = False
    waits: str = ""

    def __str__(self) -> str:
        parts = [f"process {self.pid}"]
        if self.threads > 1:
            parts.append(f"{self.threads} threads")
        elif self.waits:
            parts.append(self.waits)
        return f"{self.command} ({', '.join(parts)})"


@dataclass(frozen=True)
class Idle:
    """A container that has neither computed nor written a line of log for some time."""

    seconds: float
    alive: tuple[LiveProcess, ...]

    def __str__(self) -> str:
        more = f" and {len(self.alive) - _SHOWN} more" if len(self.alive) > _SHOWN else ""
        return ", ".join(str(one) for one in self.alive[:_SHOWN]) + more

    @property
    def why(self) -> str:
        """What keeps a program that has done its work from ending, and how that is mended."""
        if len(self.alive) > 1:
            return (
                "Processes that it has started live on: terminate and join them, or start them so that they end with "
                "the program."
            )
        if self.alive and self.alive[0].threads > 1:
            return (
                "A thread that is not a daemon keeps a program from ending: start it with daemon=True, or stop and "
                "join it; os._exit(0) ends the process at once."
            )
        if self.alive and not self.alive[0].threads:
            return (
                "Something in it still runs, such as a thread that is not a daemon (daemon=True makes it one): stop "
                "and join it; os._exit(0) ends the process at once."
            )
        return "Its only thread waits for something that never comes: give each wait a time limit, and let it end."


class IdleWatch:
    """How long a container has been idle; polled while it runs."""

    def __init__(
        self,
        look: Callable[[], tuple[LiveProcess, ...]],
        last_line_at: Callable[[], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`look`: its processes; `last_line_at`: the time of its log's last line, in seconds since the epoch."""
        self._look, self._last_line_at, self._clock = look, last_line_at, clock
        self._since = clock()
        self._cpu = -1.0

    def after(self, seconds: float) -> Idle | None:
        """How long it has been idle, if it is at least as long; None too where nothing of it can be seen."""
        alive = self._look()
        if not alive:
            return None
        now = self._clock()
        cpu = sum(one.cpu_seconds for one in alive)
        used = cpu - self._cpu
        # Less than before: a process has ended whose time is counted nowhere any more.
        if not 0 <= used <= BUSY * max(1.0, now - self._since) or any(one.is_at_disk for one in alive):
            self._since, self._cpu = now, cpu
        if now - self._since < seconds:
            return None
        last_line_at = self._last_line_at()  # costs more than a look, and so comes last
        if last_line_at > self._since:
            self._since = last_line_at
        return Idle(now - self._since, alive) if now - self._since >= seconds else None

    @property
    def seconds(self) -> float:
        """For how long it has computed nothing, at the last look."""
        return self._clock() - self._since


def seen(engine: ContainerApi, container: str) -> tuple[LiveProcess, ...]:
    """A container's live processes, from /proc or else from the engine. Raises EngineError."""
    return processes(container) or tuple(
        LiveProcess(one.pid, one.command[:_MOST_SHOWN], 0, one.cpu_seconds) for one in engine.processes(container)
    )


def processes(container: str, proc: Path = PROC) -> tuple[LiveProcess, ...]:
    """Of a running container, its first one first; empty when they cannot be seen."""
    found = []
    for folder in proc.iterdir() if proc.is_dir() else ():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):  # ended since
                if container in (folder / "cgroup").read_text() and (one := _process(folder)):
                    found.append(one)
    return tuple(sorted(found, key=lambda one: one.pid))


def _process(folder: Path) -> LiveProcess | None:
    """None for a process that has ended and that its parent has not waited for."""
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    # The command's name stands in parentheses, and may hold blanks and parentheses itself.
    numbers = (folder / "stat").read_text().rpartition(")")[2].split()
    if numbers[0] in "ZX":
        return None
    ticks = sum(int(one) for one in numbers[11:15])
    words = [part.decode(errors="replace") for part in (folder / "cmdline").read_bytes().split(b"\0") if part]
    return LiveProcess(
        pid=int(status.get("NSpid", status["Pid"]).split()[-1]),
        command=" ".join(words)[:_MOST_SHOWN] or status["Name"].strip(),
        threads=int(status["Threads"]),
        cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"),
        is_at_disk=numbers[0] == "D",
        waits=_waits(folder),
    )


def _waits(folder: Path) -> str:
    with contextlib.suppress(OSError):  # not for us to see
        return _WAITS.get((folder / "wchan").read_text().strip(), "")
    return ""
