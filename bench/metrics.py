"""The metrics store: how fast values are taken, and how long a read over a million of them takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.figures import Bar, Row, median
from samebox.resources.metrics import MetricSeries
from samebox.resources.metrics_store import MetricsStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stand import Stand

METRICS = "metrics"
VALUES = 1_000_000
DAY = 86_400
LATENCY = MetricSeries.of("000000000000", "us-east-1", "AWS/SageMaker", "ModelLatency", {"EndpointName": "bench"})
READ_BAR = Bar("ours", 100.0)


def measure(stand: Stand, rounds: int) -> list[Row]:
    """A million values of a day, spread over two decades, and reads of all of them."""
    store = MetricsStore(stand.folder / "metrics.sqlite", time.time)
    try:
        begin = int(time.time()) // 60 * 60 - DAY
        began = time.monotonic()
        for number in range(VALUES):
            store.put(LATENCY, begin + number * DAY / VALUES, 1000.0 + number * 7919 % 99_000)
        store.flush()
        taken = VALUES / (time.monotonic() - began)
        stand.report(f"{VALUES:,} values are there")

        def read(length: int, percent: float | None = None) -> None:
            periods = store.read(LATENCY, begin, begin + DAY, length, percentiles=percent is not None)
            assert sum(one.count for one in periods) == VALUES
            if percent is not None:
                assert all(one.percentile(percent) for one in periods)

        minutes = _milliseconds(rounds, lambda: read(60))
        day = _milliseconds(rounds, lambda: read(DAY))
        percentiles = _milliseconds(rounds, lambda: read(60, 99.0))
    finally:
        store.close()
    of = f"{VALUES:,} values of a day"
    return [
        Row(METRICS, "metrics: values taken and written", "per s", taken),
        Row(METRICS, f"metrics: {of} by minute", "ms", minutes, bar=READ_BAR),
        Row(METRICS, f"metrics: {of} as one period", "ms", day, bar=READ_BAR),
        Row(METRICS, f"metrics: {of} by minute, p99", "ms", percentiles),
    ]


def _milliseconds(rounds: int, work: Callable[[], None]) -> float:
    taken = []
    for _ in range(rounds):
        began = time.monotonic()
        work()
        taken.append((time.monotonic() - began) * 1e3)
    return median(taken)
