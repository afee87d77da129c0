"""Whether the engine answers, found out without waiting for it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.containers.fake import FakeEngine
from samebox.containers.health import EngineHealth

LONG = 60.0


class HangingEngine(FakeEngine):
    """Takes a request and does not answer it until `answering` is set."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.answering = threading.Event()
        self.asked = 0

    def available(self) -> str | None:
        self.asked += 1
        self.answering.wait(LONG)
        return super().available()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[HangingEngine]:
    engine = HangingEngine(tmp_path)
    yield engine
    engine.answering.set()
    engine.close()


def test_an_engine_that_answers_is_healthy(engine: HangingEngine) -> None:
    engine.answering.set()
    health = EngineHealth(engine)
    assert health.why_not(LONG) is None
    engine.unavailable = "it is switched off"
    assert health.why_not(LONG) == "it is switched off"


def test_an_engine_that_hangs_is_reported_and_asked_and_waited_for_once(engine: HangingEngine) -> None:
    health = EngineHealth(engine, clock=iter([100.0, 100.0, 101.0, 207.0, 207.0]).__next__)
    assert health.why_not(0) == "it hangs: a request to it has had no answer for 1 s"
    assert health.why_not(LONG) == "it hangs: a request to it has had no answer for 107 s"
    assert engine.asked == 1


def test_an_engine_that_answers_again_is_healthy_again(engine: HangingEngine) -> None:
    health = EngineHealth(engine)
    assert health.why_not(0) is not None
    engine.answering.set()
    assert health.why_not(LONG) is None


def test_an_error_of_our_own_is_raised(engine: HangingEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str | None:
        raise KeyError("ours")

    monkeypatch.setattr(engine, "available", broken)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with pytest.raises(KeyError, match="ours"):
        EngineHealth(engine).why_not(LONG)
