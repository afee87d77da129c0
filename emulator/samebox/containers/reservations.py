"""What each job has of its host's memory and GPUs, so that all together have no more than there is.

A job that does not fit waits until others end. The longest waiting goes first, of those with and those without GPUs.
Nothing is stored: after a restart, the labels of what runs tell what is reserved.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from samebox.containers.engine import Capacity, ContainerApi, Engine

RESERVED_LABEL = "samebox.reserved"  # value: a reservation as JSON


@dataclass(frozen=True)
class Reservation:
    """On one host, by its number in the list of hosts: memory, and GPUs by the indices that the driver gives them."""

    memory_bytes: int
    gpus: tuple[str, ...] = ()
    host: int = 0

    @property
    def label(self) -> dict[str, str]:
        """For the container that has it."""
        return {RESERVED_LABEL: json.dumps({"memory": self.memory_bytes, "gpus": self.gpus, "host": self.host})}


@dataclass(frozen=True)
class _Waiting:
    wants_gpu: bool
    notify: Callable[[], None]


class Reservations:
    """Threads may share it. `hosts` gives what each host has; `running` what is reserved at the start, by key."""

    def __init__(
        self, hosts: Callable[[], Sequence[Capacity]], running: Callable[[], Mapping[str, Reservation]]
    ) -> None:
        self._hosts = hosts
        self._running = running
        self._lock = threading.Lock()
        self._held: dict[str, Reservation] | None = None
        self._waiting: dict[str, _Waiting] = {}

    def reserve(self, key: str, memory_bytes: int, gpus: int, notify: Callable[[], None]) -> Reservation | None:
        """A reservation, or None: then `notify` is called when it is worth asking again. Raises EngineError.

        What no host has in all is given up to what a host has: it is for the caller to refuse such a job.
        """
        hosts = self._hosts()
        with self._lock:
            if self._held is None:
                self._held = dict(self._running())
            if key in self._held:
                return self._held[key]
            if not self._is_next(key, gpus > 0):
                found = None
            else:
                found = next(
                    (one for number, host in enumerate(hosts) if (one := self._on(number, host, memory_bytes, gpus))),
                    None,
                )
            if found is None:
                self._waiting.setdefault(key, _Waiting(gpus > 0, notify))
                return None
            self._held[key] = found
            self._waiting.pop(key, None)
            return found

    def release(self, key: str) -> None:
        """Give back what it has, or stop waiting for it. Releasing twice is no error."""
        with self._lock:
            self._waiting.pop(key, None)
            if self._held is not None:
                self._held.pop(key, None)
            waiting = list(self._waiting.values())
        for one in waiting:
            one.notify()

    def _is_next(self, key: str, wants_gpu: bool) -> bool:
        first = next((other for other, one in self._waiting.items() if one.wants_gpu == wants_gpu), key)
        return first == key

    def _on(self, number: int, host: Capacity, memory_bytes: int, gpus: int) -> Reservation | None:
        held = [one for one in (self._held or {}).values() if one.host == number]
        memory_bytes = min(memory_bytes, host.memory_bytes)
        taken = {gpu for one in held for gpu in one.gpus}
        free = [str(gpu) for gpu in range(host.gpus) if str(gpu) not in taken]
        if sum(one.memory_bytes for one in held) + memory_bytes > host.memory_bytes or len(free) < gpus:
            return None
        return Reservation(memory_bytes, tuple(free[:gpus]), number)


def of_engine(engine: Engine, instance: str) -> Reservations:
    """Those of one emulator's jobs on the one host that an engine is."""
    return Reservations(lambda: [engine.capacity()], lambda: of_running(engine, {INSTANCE_LABEL: instance}))


def of_running(engine: ContainerApi, labels: Mapping[str, str | None]) -> dict[str, Reservation]:
    """What containers with these labels have that run or are about to, by the ARN of what they serve."""
    found: dict[str, Reservation] = {}
    for one in engine.find({**labels, RESERVED_LABEL: None, ARN_LABEL: None}):
        if one.status != "exited":
            arn, own = one.labels[ARN_LABEL], _read(one.labels[RESERVED_LABEL])
            before = found.get(arn, Reservation(0, host=own.host))
            found[arn] = Reservation(before.memory_bytes + own.memory_bytes, (*before.gpus, *own.gpus), own.host)
    return found


def _read(label: str) -> Reservation:
    facts = json.loads(label)
    return Reservation(facts["memory"], tuple(facts["gpus"]), facts["host"])
