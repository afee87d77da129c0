"""The faults of one emulator: those that were set for all of it, and those that a job or an endpoint has as tags."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from samebox.faults.kinds import BadFault, Fault, Point, is_fault_tag


@dataclass
class _Set:
    fault: Fault
    struck: int = 0

    @property
    def is_over(self) -> bool:
        times = self.fault.parameters.get("times")
        return times is not None and self.struck >= int(float(times))


class FaultTable:
    """Set until they are cleared or the emulator ends. Threads may share it; without any, asking costs nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: list[_Set] = []
        self._jobs: dict[tuple[str, str], int] = {}  # what struck a job or an endpoint, by its id and the fault

    def set(self, text: str) -> Fault:
        """Set one more. Raises BadFault."""
        fault = Fault.read(text)
        fault.check_set()
        with self._lock:
            self._set.append(_Set(fault))
        return fault

    def list(self) -> list[str]:
        """Those that are set, in their order, with how often each has struck."""
        with self._lock:
            return [f"{one.fault} (struck {one.struck} times)" for one in self._set]

    def clear(self) -> int:
        """Clear all; how many there were."""
        with self._lock:
            count = len(self._set)
            self._set.clear()
            self._jobs.clear()
        return count

    @property
    def is_any_set(self) -> bool:
        return bool(self._set)

    def is_set(self, fault: Fault) -> bool:
        """Whether this one was set and not cleared since."""
        return any(one.fault is fault for one in self._set)

    def take(self, point: Point, **about: str) -> Fault | None:
        """The first fault that strikes here, which counts as one time; `about` is what it can be restricted to."""
        if not self._set:
            return None
        with self._lock:
            for one in self._set:
                if point in one.fault.kind.points and not one.is_over and one.fault.fits({"job": "", **about}):
                    one.struck += 1
                    return one.fault
        return None

    def of(self, identity: str, name: str, noun: str, tags: Mapping[str, str]) -> "OwnFaults":
        """The faults of a job or an endpoint, by its unique id; `noun` is `job` or `endpoint`, `tags` are its own."""
        return OwnFaults(self, identity, name, noun, tags)

    def take_own(self, identity: str, name: str, noun: str, tags: Mapping[str, str], point: Point) -> Fault | None:
        """The first that strikes this job or endpoint here: each does so once, or `times`."""
        tagged = [text for key, text in sorted(tags.items()) if is_fault_tag(key)]
        if not tagged and not self._set:
            return None
        with self._lock:
            wanted = [one.fault for one in self._set if _is_for(one.fault, noun, name)]
            most = math.inf if point is Point.PING else 1
            for fault in (*wanted, *_readable(tagged)):
                key = (identity, str(fault))
                if fault.point is point and self._jobs.get(key, 0) < fault.number("times", most):
                    self._jobs[key] = self._jobs.get(key, 0) + 1
                    for one in self._set:
                        one.struck += one.fault is fault
                    return fault
        return None

    def has_struck_own(self, identity: str, kind: str) -> bool:
        """Whether one of this kind was taken for the job or endpoint of this unique id."""
        with self._lock:
            return any(one == identity and text.split()[0] == kind for one, text in self._jobs)


@dataclass(frozen=True)
class OwnFaults:
    """The faults of one job or endpoint."""

    faults: FaultTable
    identity: str
    name: str
    noun: str
    tags: Mapping[str, str]

    def take(self, point: Point) -> Fault | None:
        return self.faults.take_own(self.identity, self.name, self.noun, self.tags, point)

    def has_struck(self, kind: str) -> bool:
        """Whether one of this kind was taken for this job or endpoint since the emulator started."""
        return self.faults.has_struck_own(self.identity, kind)

    def late(self) -> float:
        """Seconds by which the next answer to a /ping is late."""
        fault = self.take(Point.PING)
        return 0.0 if fault is None else fault.number("seconds", 3.0)


NO_FAULTS = OwnFaults(FaultTable(), "", "", "job", {})


def _is_for(fault: Fault, noun: str, name: str) -> bool:
    """Whether a fault that was set strikes this job or endpoint: it names it, or strikes all and nothing else."""
    if not {"job", "endpoint"}.isdisjoint(fault.parameters):
        return fault.parameters.get(noun) == name
    return {Point.API, Point.S3}.isdisjoint(fault.kind.points)


def _readable(texts: list[str]) -> list[Fault]:
    found = []
    for text in texts:
        try:
            found.append(Fault.read(text))
        except BadFault:
            continue  # requests with such a tag are refused (api.py); a job of another version may have one
    return found
