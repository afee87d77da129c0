"""An emulator process that a test can crash: its threads end at their next call of an engine, S3, log book or store."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pytest

LIMIT_SECONDS = 120.0  # a limit and no measurement: machines that run tests are busy

# The name of a call of a dependency, and which of the calls of this name it is, from 1 on.
Step = tuple[str, int]


def steps(calls: Mapping[str, int]) -> list[Any]:
    """The parameters of a test that crashes at each step, given how often each call is made."""
    found = [(name, number) for name, times in calls.items() for number in range(1, times + 1)]
    return [pytest.param(step, id=f"{step[0]}-{step[1]}") for step in found]


def check_recorded(made: Sequence[str], calls: Mapping[str, int], repeated: Collection[str]) -> None:
    """The calls of an undisturbed run are the recorded ones; only those in `repeated` may be made more often."""
    further = Counter(made) - Counter(calls)
    assert Counter(calls) <= Counter(made)
    assert further.keys() <= set(repeated), further


class EmulatorKilled(BaseException):
    """Ends a thread of a process that was killed."""


class CrashableEmulator:
    """One process of the emulator, as threads of this one. Once killed, each thread ends at its next call.

    `kill_at` names a call of a dependency, as `("engine.start", 1)`, at which it kills itself; `after`: once that
    call is done.
    """

    def __init__(self, kill_at: "Step | None" = None, after: bool = False) -> None:
        self.calls: list[str] = []
        self.killed = threading.Event()
        self._kill_at = kill_at
        self._after = after
        self._lock = threading.Condition()
        self._under_way = 0

    def kill(self) -> None:
        """Kill it, and wait for the calls under way: a thread of ours cannot be ended in the middle of one."""
        self.killed.set()
        with self._lock:
            assert self._lock.wait_for(lambda: not self._under_way, LIMIT_SECONDS)

    def crashable(self, dependency: Any, name: str) -> Any:
        """The dependency, with each of its calls counted and refused once the process is killed."""
        return _Crashable(self, dependency, name)

    def call(self, name: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self._lock:
            self.calls.append(name)
            step = (name, self.calls.count(name))
            waits = name in ("engine.wait", "engine.ended")  # changes nothing, and may take long
            self._under_way += not waits
        try:
            return self._call(self._kill_at == step, function, *arguments, **named)
        finally:
            with self._lock:
                self._under_way -= not waits
                self._lock.notify_all()

    def _call(self, dies: bool, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        if dies and not self._after:
            self.killed.set()
        self.check()
        try:
            return function(*arguments, **named)
        finally:
            if dies:
                self.killed.set()
            self.check()

    def check(self) -> None:
        if self.killed.is_set():
            raise EmulatorKilled


class _Crashable:
    def __init__(self, process: CrashableEmulator, dependency: Any, name: str) -> None:
        self._process, self._dependency, self._name = process, dependency, name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._dependency, attribute)
        if not callable(found) or attribute == "now":
            return found
        if attribute == "of":
            return lambda *whose: _Crashable(self._process, found(*whose), self._name)
        return lambda *arguments, **named: self._process.call(f"{self._name}.{attribute}", found, *arguments, **named)
