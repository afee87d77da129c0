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
        self._kept: dict[str, Callable[[], None]] = {}  # the longest kept first

    def reserve(self, key: str, memory_bytes: int, gpus: int, notify: Callable[[], None]) -> Reservation | None:
        """A reservation, or None: then `notify` is called when it is worth asking again. Raises EngineError.

        What no host has in all is given up to what a host has: it is for the caller to refuse such a job. Where
        there is not enough room otherwise, what is kept is taken.
        """
        hosts = self._hosts()
        with self._lock:
            if self._held is None:
                self._held = dict(self._running())
            if key in self._held:
                return self._held[key]
            found, without = self._place(hosts, memory_bytes, gpus) if self._is_next(key, gpus > 0) else (None, ())
            if found is None:
                self._waiting.setdefault(key, _Waiting(gpus > 0, notify))
                return None
            losers = [self._kept.pop(one) for one in without]
            self._held = {one: held for one, held in self._held.items() if one not in without} | {key: found}
            self._waiting.pop(key, None)
        for lost in losers:
            lost()
        return found

    def keep(self, key: str, lost: Callable[[], None]) -> bool:
        """Keep what it has until another needs it, and call `lost` then; False if it has nothing."""
        with self._lock:
            if key not in (self._held or {}):
                return False
            self._kept[key] = lost
            return True

    def hand_over(self, key: str, to: str) -> None:
        """Give what one has to another; nothing, if it has nothing."""
        with self._lock:
            self._kept.pop(key, None)
            if self._held is not None and key in self._held:
                self._held[to] = self._held.pop(key)

    def release(self, key: str) -> None:
        """Give back what it has, or stop waiting for it. Releasing twice is not an error."""
        with self._lock:
            self._waiting.pop(key, None)
            self._kept.pop(key, None)
            if self._held is not None:
                self._held.pop(key, None)
            waiting = list(self._waiting.values())
        for one in waiting:
            one.notify()

    def _is_next(self, key: str, wants_gpu: bool) -> bool:
        first = next((other for other, one in self._waiting.items() if one.wants_gpu == wants_gpu), key)
        return first == key

    def _place(
        self, hosts: Sequence[Capacity], memory_bytes: int, gpus: int
    ) -> tuple[Reservation | None, tuple[str, ...]]:
        """A place, and whose kept room it needs: that of the longest kept, and no more of them than it takes."""
        kept = tuple(self._kept)
        for count in range(len(kept) + 1):
            held = [one for key, one in (self._held or {}).items() if key not in kept[:count]]
            for number, host in enumerate(hosts):
                if (found := _on(number, host, held, memory_bytes, gpus)) is not None:
                    return found, kept[:count]
        return None, ()


def _on(
    number: int, host: Capacity, reserved: Sequence[Reservation], memory_bytes: int, gpus: int
) -> Reservation | None:
    held = [one for one in reserved if one.host == number]
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


def gpus_of(labels: Mapping[str, str]) -> tuple[str, ...]:
    """The GPUs of the container that bears these labels, by the driver's indices."""
    return _read(labels[RESERVED_LABEL]).gpus if RESERVED_LABEL in labels else ()


def _read(label: str) -> Reservation:
    facts = json.loads(label)
    return Reservation(facts["memory"], tuple(facts["gpus"]), facts["host"])
