"""A start that the engine gave up is tried again, and a program runs once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.check import engine_calls
from samebox.containers.engine import ContainerSpec, EngineUnavailable
from samebox.containers.fake import FakeEngine
from samebox.platform import retrying

if TYPE_CHECKING:
    from pathlib import Path

SPEC = ContainerSpec("box", command=("work",))


class GivesUp(FakeEngine):
    """Gives up its first starts: before the program has run, or after."""

    def __init__(self, folder: Path, times: int, has_run: bool) -> None:
        super().__init__(folder)
        self.runs = 0
        self.add_image("box", {"work": self._work})
        self._times, self._has_run = times, has_run

    def _work(self, _: object) -> int:
        self.runs += 1
        return 0

    def start(self, container: str) -> None:
        self._times -= 1
        if self._times < 0 or self._has_run:
            super().start(container)
            self.wait(container, 60)
        if self._times >= 0:
            raise EngineUnavailable("ttrpc: closed: unknown")


@pytest.mark.parametrize("has_run", [False, True])
def test_a_start_that_was_given_up_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_run: bool
) -> None:
    monkeypatch.setattr(retrying, "RETRY_SECONDS", 0.01)
    engine = GivesUp(tmp_path, 1, has_run)
    container = engine_calls.run(engine, SPEC)
    state = engine.wait(container, 60)
    assert state is not None
    assert (state.exit_code, engine.runs) == (0, 1)


def test_an_engine_that_stays_away_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_calls, "SECONDS", 0.0)
    engine = GivesUp(tmp_path, 100, has_run=False)
    with pytest.raises(EngineUnavailable):
        engine_calls.run(engine, SPEC)
    assert engine.runs == 0
