"""The wait for the names of a job's hosts, with a clock that moves when it is waited."""

from __future__ import annotations

import socket

import pytest

from samebox_train import hosts


class FakeTime:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def waited(self) -> float:
        return self.now - 1000.0


class Names:
    """Host names, and after how many seconds each resolves; one that is not here never does."""

    def __init__(self, clock: FakeTime, after: dict[str, float]) -> None:
        self._clock = clock
        self._after = after
        self.resolved: list[str] = []

    def resolve(self, name: str) -> str:
        if self._clock.waited < self._after.get(name, float("inf")):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        self.resolved.append(name)
        return "10.0.0.1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime()
    monkeypatch.setattr(hosts, "time", clock)
    return clock


def names(monkeypatch: pytest.MonkeyPatch, clock: FakeTime, **after: float) -> Names:
    found = Names(clock, {name.replace("_", "-"): seconds for name, seconds in after.items()})
    monkeypatch.setattr(socket, "gethostbyname", found.resolve)
    return found


def test_host_names_that_resolve_are_not_waited_for(
    clock: FakeTime, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    known = names(monkeypatch, clock, algo_1=0, algo_2=0)
    hosts.wait_until_resolvable(["algo-1", "algo-2"])
    assert known.resolved == ["algo-1", "algo-2"]
    assert clock.waited == 0
    assert capfd.readouterr().err == ""


def test_a_host_name_that_resolves_later_is_waited_for_and_the_log_names_it(
    clock: FakeTime, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    known = names(monkeypatch, clock, algo_1=0, algo_2=40)
    hosts.wait_until_resolvable(["algo-1", "algo-2"])
    assert known.resolved == ["algo-1", "algo-2"]
    assert 40 <= clock.waited < 60
    assert "waiting for the host name algo-2 to resolve" in capfd.readouterr().err


def test_a_host_name_that_never_resolves_is_named_when_the_time_is_up(
    clock: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, clock, algo_1=0)
    with pytest.raises(OSError, match=r"host algo-2 of resourceconfig\.json did not resolve in 900 s"):
        hosts.wait_until_resolvable(["algo-1", "algo-2"])
    assert 890 <= clock.waited <= 900


def test_a_real_name_is_asked_of_the_system() -> None:
    hosts.wait_until_resolvable(["localhost"], limit_seconds=0)
    with pytest.raises(OSError, match=r"host no-such-host\.invalid of resourceconfig\.json did not resolve in 0 s"):
        hosts.wait_until_resolvable(["no-such-host.invalid"], limit_seconds=0)
