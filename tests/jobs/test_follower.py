"""The follower: what a container says is in the book at once, all of it, whatever happens to the engine meanwhile."""

import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from samebox.containers.engine import ContainerSpec, EngineError, EngineUnavailable, LogLine
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import Process
from samebox.jobs.follower import Follower
from samebox.jobs.loglines import LogLines
from samebox.platform.background import Background
from samebox.resources.logbook import Logbook

GROUP, STREAM = "/group", "stream"

Follow = Callable[[str, threading.Event], Follower]


@pytest.fixture
def logbook(tmp_path: Path) -> Logbook:
    return Logbook(tmp_path / "logs")


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path / "engine")


@pytest.fixture
def background() -> Iterator[Background]:
    found = Background()
    yield found
    found.close()


def texts(logbook: Logbook) -> list[str]:
    return [event.message for _, event in logbook.read(GROUP, STREAM)]


def run(engine: FakeEngine, *steps: threading.Event) -> str:
    """A container that says a number before each step, and ends after the last."""

    def count(process: Process) -> int:
        for number, step in enumerate(steps):
            process.print(str(number))
            process.wait_until(step.is_set, 10)
        return 4

    engine.add_image("count", {"count": count})
    return engine.run(ContainerSpec("count", command=("count",)))


def step(engine: FakeEngine, event: threading.Event) -> None:
    event.set()
    with engine._changed:
        engine._changed.notify_all()


@pytest.fixture
def follow(engine: FakeEngine, logbook: Logbook, background: Background) -> Follow:
    return lambda container, ended: Follower(
        engine, container, LogLines(logbook, GROUP, STREAM), ended.set, background, give_up_seconds=300.0
    )


def test_a_line_is_logged_while_the_container_runs_and_its_end_is_reported_after_the_last(
    engine: FakeEngine, logbook: Logbook, background: Background
) -> None:
    seen, go, ended = threading.Event(), threading.Event(), threading.Event()
    container = run(engine, go)
    follower = Follower(
        engine, container, LogLines(logbook, GROUP, STREAM), ended.set, background, lambda _: seen.set(),
        give_up_seconds=300.0,
    )  # fmt: skip  # `seen` is called after the write
    assert seen.wait(60)
    assert texts(logbook) == ["0"]
    assert not follower.done
    step(engine, go)
    assert ended.wait(60)
    assert follower.state is not None
    assert follower.state.exit_code == 4


def test_a_follower_that_is_closed_leaves_the_rest_to_the_next(
    engine: FakeEngine, logbook: Logbook, follow: Follow
) -> None:
    first, second, ended = threading.Event(), threading.Event(), threading.Event()
    container = run(engine, first, second)
    follower = follow(container, ended)
    follower.close()
    assert not ended.is_set()
    step(engine, first)
    again = follow(container, ended)
    step(engine, second)
    assert again.wait(60)
    assert texts(logbook) == ["0", "1"]


def test_an_engine_that_goes_away_in_the_middle_of_a_stream_costs_no_line(
    engine: FakeEngine, logbook: Logbook, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, ended = threading.Event(), threading.Event(), threading.Event()
    monkeypatch.setattr("samebox.jobs.follower.RETRY_SECONDS", 0.01)
    whole, broken = engine.follow, list[int]()

    async def breaks_once(container: str, since: int | None = None) -> AsyncGenerator[Sequence[LogLine], None]:
        async with contextlib.aclosing(whole(container, since)) as batches:
            async for batch in batches:
                yield batch
                if not broken:
                    broken.append(1)
                    raise EngineUnavailable("dockerd restarts")

    monkeypatch.setattr(engine, "follow", breaks_once)
    container = run(engine, first, second)
    follower = follow(container, ended)
    step(engine, first)
    step(engine, second)
    assert follower.wait(60)
    assert broken
    assert texts(logbook) == ["0", "1"]


def test_an_engine_that_is_away_for_long_is_logged_once_and_once_when_it_is_back(
    engine: FakeEngine,
    logbook: Logbook,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    go, ended, refused = threading.Event(), threading.Event(), list[int]()
    monkeypatch.setattr("samebox.jobs.follower.RETRY_SECONDS", 0.01)
    whole = engine.follow

    def away_ten_times(container: str, since: int | None = None) -> AsyncGenerator[Sequence[LogLine], None]:
        if len(refused) < 10:
            refused.append(1)
            raise EngineUnavailable("the engine hangs")
        return whole(container, since)

    monkeypatch.setattr(engine, "follow", away_ten_times)
    caplog.set_level("INFO", "samebox.jobs.follower")
    container = run(engine, go)
    follower = follow(container, ended)
    step(engine, go)
    assert follower.wait(10)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert texts(logbook) == ["0"]


def test_a_container_whose_logs_cannot_be_read_ends_all_the_same(
    engine: FakeEngine, logbook: Logbook, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, ended = threading.Event(), threading.Event()
    container = run(engine, go)

    def none(*_: object, **__: object) -> None:
        raise EngineError("configured logging driver does not support reading")

    monkeypatch.setattr(engine, "follow", none)
    follower = follow(container, ended)
    step(engine, go)
    assert ended.wait(60)
    assert follower.state is not None
    assert texts(logbook) == []


def test_a_removed_container_is_reported_as_lost(engine: FakeEngine, logbook: Logbook, follow: Follow) -> None:
    go, ended = threading.Event(), threading.Event()
    container = run(engine, go)
    follower = follow(container, ended)
    engine.remove(container)
    assert ended.wait(60)
    assert follower.state is None
