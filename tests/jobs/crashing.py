"""An emulator process that a test can crash: its threads end at their next call of an engine, S3, log book or store."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from samebox.resources.store import Resource
    from tests.jobs.harness import Harness

LIMIT_SECONDS = 120.0  # a limit and no measurement: machines that run tests are busy

# The name of a call of a dependency, and which of the calls of this name it is, from 1 on.
Step = tuple[str, int]


@dataclass(frozen=True)
class RecordedSteps:
    """A job or endpoint whose emulator is killed at each step. `begin` creates it, and `check` asserts how it ended.

    `calls`: how often each call of a dependency is made for it where nothing disturbs it; those in `repeated` may be
    made more often then, and calls of other names only where `is_complete` is false.
    """

    begin: "Callable[[Harness], Resource]"
    check: "Callable[[Harness, Resource], None]"
    calls: Mapping[str, int]
    repeated: Collection[str] = ()
    is_complete: bool = True
    settle: "Callable[[Harness, Resource], object] | None" = None

    def kills(self) -> list[Any]:
        """The parameters `step` and `after` of a test: a kill before and one after each step."""
        steps = [(name, number) for name, times in self.calls.items() for number in range(1, times + 1)]
        return [
            pytest.param(step, after, id=f"{step[0]}-{step[1]}-{'after' if after else 'before'}")
            for step in steps
            for after in (False, True)
        ]

    def kill_at(self, harness: "Harness", step: Step, after: bool) -> None:
        """Kill the emulator there, and check that the next one goes on as this one would have."""
        resource = self.begin(harness)
        harness.crash_at(step, after)
        harness.crash()
        harness.start()
        self.check(harness, resource)

    def check_calls(self, harness: "Harness") -> None:
        """Check that `calls` are those of a run that nothing disturbs."""
        resource = self.begin(harness)
        harness.start()
        (self.settle or self.check)(harness, resource)
        harness.wait_for_calls(self.calls)
        harness.close()
        made = Counter(call for call in harness.process.calls if self.is_complete or call in self.calls)
        assert Counter(self.calls) <= made
        further = made - Counter(self.calls)
        assert further.keys() <= set(self.repeated), further


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
