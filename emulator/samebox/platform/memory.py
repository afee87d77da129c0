"""The peak memory of containers. The page cache is left out, because the kernel reclaims it before it kills a process.

Read from this machine's kernel while they run, where the engine runs here under Linux; elsewhere the engine is asked.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.containers.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from samebox.containers.engine import ContainerApi

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")
_SECONDS = 0.1  # between two looks
_ENGINE_SECONDS = 0.5  # between two questions to the engine, which cost it some milliseconds each
_OF_VERSION_1 = ("total_rss", "total_shmem")
_OF_VERSION_2 = ("anon", "shmem")


class Watch:
    """Looks at containers that have been started, in a thread of its own, until it is closed."""

    def __init__(
        self, engine: ContainerApi, containers: Iterable[str], proc: Path = PROC, groups: Path = GROUPS
    ) -> None:
        self._engine = engine
        found = {container: accounts(container, proc, groups) for container in containers}
        self._files = {container: file for container, file in found.items() if file is not None}
        self._unseen = {container for container, file in found.items() if file is None}
        self._ask_at = 0.0
        self._peaks: dict[str, int] = {}
        self._closed = threading.Event()
        self._look()
        if self._files or self._unseen:
            threading.Thread(target=self._watch, name="the memory of a job", daemon=True).start()

    def peak(self, container: str) -> int | None:
        """Bytes so far; None when they cannot be seen."""
        return self._peaks.get(container)

    def close(self) -> None:
        self._closed.set()

    def _watch(self) -> None:
        while (self._files or self._unseen) and not self._closed.wait(_SECONDS):
            self._look()

    def _look(self) -> None:
        self._read()
        if self._unseen and time.monotonic() >= self._ask_at:
            self._ask()
            self._ask_at = time.monotonic() + _ENGINE_SECONDS

    def _ask(self) -> None:
        for container in list(self._unseen):
            try:
                held = self._engine.memory(container)
            except EngineError:  # it is gone, or the engine is away
                held = None
            if held is None:
                self._unseen.discard(container)
            else:
                self._note(container, held)

    def _read(self) -> None:
        for container, file in list(self._files.items()):
            try:
                held = counted(file.read_text())
            except OSError:  # the container has ended
                del self._files[container]
                continue
            self._note(container, held)

    def _note(self, container: str, held: int) -> None:
        self._peaks[container] = max(held, self._peaks.get(container, 0))


def accounts(container: str, proc: Path = PROC, groups: Path = GROUPS) -> Path | None:
    """The kernel's memory.stat of a running container."""
    for process in proc.iterdir() if proc.is_dir() else ():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # ended since
            for line in (process / "cgroup").read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                if container not in path or controllers not in ("", "memory"):
                    continue
                file = groups / controllers / path.lstrip("/") / "memory.stat"
                if file.exists():
                    return file
    return None


def counted(text: str) -> int:
    """The bytes of a memory.stat that the kernel cannot reclaim."""
    lines = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    names = _OF_VERSION_1 if _OF_VERSION_1[0] in lines else _OF_VERSION_2
    return sum(int(lines.get(name, 0)) for name in names)


def in_words(size: int) -> str:
    """512 MiB, 3.9 GiB."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
