"""The metrics store: what it adds up is what a plain list of the values comes to, after a kill and a start, too."""

import math
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samebox.resources import metrics_store
from samebox.resources.metrics import MetricPeriod, MetricSeries
from samebox.resources.metrics_store import MetricsStore

START = 1_700_000_040  # a whole minute
DAY = 86_400
LATENCY = MetricSeries.of("123456789012", "us-east-1", "AWS/SageMaker", "ModelLatency", {"EndpointName": "a"})
Open = Callable[..., MetricsStore]


class Moment:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
def opened(tmp_path: Path, clock: Moment) -> Iterator[Open]:
    stores = []

    def open_(**bounds: int) -> MetricsStore:
        stores.append(MetricsStore(tmp_path / "metrics.sqlite", clock, **bounds))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


def rows(periods: list[MetricPeriod]) -> list[tuple[float, ...]]:
    return [(one.start, one.total, one.minimum, one.maximum, one.count) for one in periods]


POINTS = st.lists(
    st.tuples(
        st.integers(0, 600),
        st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).map(lambda value: round(value, 3)),
        st.integers(1, 3),
    ),
    max_size=40,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(points=POINTS, length=st.sampled_from([1, 5, 30, 60, 180]), flush_after=st.integers(0, 40), signed=st.booleans())
def test_a_period_is_what_its_values_come_to(
    opened: Open, points: list[tuple[int, float, int]], length: int, flush_after: int, signed: bool
) -> None:
    store, series = opened(), MetricSeries.of("1", "r", "n", os.urandom(8).hex(), {})
    points = [(at, value if signed else abs(value), count) for at, value, count in points]
    for number, (at, value, count) in enumerate(points):
        store.put(series, START + at + 0.5, value, count, by_second=True)
        if number == flush_after:
            store.flush()
    found = store.read(series, START, START + 3600, length, percentiles=True)
    places = sorted({START + at // length * length for at, _, _ in points})
    assert [one.start for one in found] == places
    for one in found:
        values = [v for at, v, count in points if START + at // length * length == one.start for _ in range(count)]
        assert one.count == len(values)
        assert (one.minimum, one.maximum) == (min(values), max(values))
        assert math.isclose(one.total, sum(values), rel_tol=1e-9, abs_tol=1e-6)
        median = one.percentile(50)
        if min(values) < 0:
            assert median is None
        else:
            assert median is not None
            exact = sorted(values)[math.ceil(len(values) / 2) - 1]
            assert math.isclose(median, exact, rel_tol=0.0101, abs_tol=1e-9)


def test_what_is_before_and_after_is_left_out(opened: Open) -> None:
    store = opened()
    for minute in range(4):
        store.put(LATENCY, START + 60 * minute, float(minute))
    assert rows(store.read(LATENCY, START + 60, START + 180, 60)) == [
        (START + 60, 1.0, 1.0, 1.0, 1.0),
        (START + 120, 2.0, 2.0, 2.0, 1.0),
    ]
    assert rows(store.read(LATENCY, START, START + 240, 240)) == [(START, 6.0, 0.0, 3.0, 4.0)]


def test_sums_without_their_values_have_no_percentiles(opened: Open) -> None:
    store = opened()
    store.put(LATENCY, START, 5.0)
    store.flush()
    store.put_sum(LATENCY, START, 10.0, 1.0, 9.0, 2)
    (found,) = store.read(LATENCY, START, START + 60, 60, percentiles=True)
    assert (found.total, found.minimum, found.maximum, found.count) == (15.0, 1.0, 9.0, 3.0)
    assert (found.percentile(50), found.average) == (None, 5.0)


def test_series_are_found_by_what_they_are(opened: Open) -> None:
    store = opened()
    loss = MetricSeries.of("1", "r", "jobs", "loss", {"TrainingJobName": "a", "Host": "algo-1"})
    other = MetricSeries.of("1", "r", "jobs", "loss", {"TrainingJobName": "b"})
    elsewhere = MetricSeries.of("2", "r", "jobs", "loss", {"TrainingJobName": "a"})
    for one in (loss, other, elsewhere):
        store.put(one, START, 1.0)
    assert store.series("1", "r") == [loss, other]
    assert store.series("1", "r", "jobs", "loss", {"Host": None}) == [loss]
    assert store.series("1", "r", dimensions={"TrainingJobName": "b"}) == [other]
    assert store.series("1", "r", "endpoints") == store.series("1", "r", name="accuracy") == []
    assert store.series("1", "r", since=START) == [loss, other]
    assert store.series("1", "r", since=START + 1) == []


def test_units_are_apart(opened: Open) -> None:
    store = opened()
    seconds = MetricSeries.of("1", "r", "n", "m", {}, "Seconds")
    plain = MetricSeries.of("1", "r", "n", "m", {})
    store.put(seconds, START, 1.0)
    store.put(plain, START, 2.0)
    assert [one.total for one in store.read(seconds, START, START + 60, 60)] == [1.0]
    assert [one.total for one in store.read(plain, START, START + 60, 60)] == [2.0]


def test_the_next_emulator_goes_on(opened: Open) -> None:
    first = opened()
    first.put(LATENCY, START, 1.0)
    first.close()
    second = opened()
    second.put(LATENCY, START, 2.0)
    assert rows(second.read(LATENCY, START, START + 60, 60)) == [(START, 3.0, 1.0, 2.0, 2.0)]


def test_what_is_old_goes_with_its_series(opened: Open, clock: Moment) -> None:
    store = opened(keep_seconds=DAY)
    store.put(LATENCY, START, 1.0)
    store.put(MetricSeries.of("1", "r", "n", "new", {}), START + DAY, 1.0)
    store.flush()
    clock.now = START + DAY + 1
    store.clean()
    assert store.read(LATENCY, START, START + 60, 60) == []
    assert (store.series(LATENCY.account, LATENCY.region), len(store.series("1", "r"))) == ([], 1)
    store.put(LATENCY, START + DAY, 1.0)
    assert len(store.read(LATENCY, START, START + 2 * DAY, 60)) == 1


def test_the_oldest_goes_while_the_file_is_too_large(opened: Open, tmp_path: Path) -> None:
    bound = 400_000
    store = opened(largest_bytes=bound)
    for minute in range(10_000):
        store.put(LATENCY, START + 60 * minute, float(minute))
    store.flush()
    store.clean()
    kept = store.read(LATENCY, START, START + 60 * 10_000, 60)
    assert kept[-1].start == START + 60 * 9_999
    assert 0 < len(kept) < 10_000
    store.close()
    assert (tmp_path / "metrics.sqlite").stat().st_size <= bound


def test_what_cannot_be_written_waits_and_what_is_too_much_is_lost(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(metrics_store, "MOST_WAITING", 2)
    monkeypatch.setattr(metrics_store, "FLUSH_SECONDS", 3600.0)
    store = opened()
    working = store._connection
    store._connection = _Full()  # type: ignore[assignment]
    for minute in range(3):
        store.put(LATENCY, START + 60 * minute, 1.0)
    store.put(LATENCY, START, 1.0)
    with pytest.raises(sqlite3.OperationalError):
        store.flush()
    store.put(LATENCY, START, 1.0)
    store._connection = working
    assert rows(store.read(LATENCY, START, START + 240, 60)) == [
        (START, 3.0, 1.0, 1.0, 3.0),
        (START + 60, 1.0, 1.0, 1.0, 1.0),
    ]
    assert "1 values are lost" in caplog.text


class _Full:
    """The connection to a disk that is full."""

    def __enter__(self) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    def __exit__(self, *_: object) -> None: ...


WRITER = """
import sys, time
from pathlib import Path
from samebox.resources.metrics import MetricSeries
from samebox.resources.metrics_store import MetricsStore
store = MetricsStore(Path(sys.argv[1]), time.time)
number = 0
while True:
    number += 1
    store.put(MetricSeries.of("1", "r", "n", "m", {}), 1_700_000_040 + number % 600, 1.0)
    if number % 1000 == 0:
        store.flush()
        print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_written(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "metrics.sqlite"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(5):
            written = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        written = max([written, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
    periods: Any = opened().read(MetricSeries.of("1", "r", "n", "m", {}), START, START + 660, 660)
    assert periods[0].count >= written
