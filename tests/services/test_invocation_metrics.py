"""Metrics of invocations: each adds to the series of its variant, errors and latencies by what its container did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.resources.metrics_store import MetricsStore
from samebox.services.invocation_metrics import NAMESPACE, InvocationMetrics
from samebox.traffic.observers import Invocation
from samebox.traffic.routes import Key
from tests.laws.whole_emulator import whole_emulator
from tests.scenarios.emulator_process import until

NOW = 1_700_000_040.0
KEY = Key("123456789012", "us-east-1", "digits")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetricsStore]:
    one = MetricsStore(tmp_path / "metrics.sqlite", lambda: NOW)
    yield one
    one.close()


def sums(store: MetricsStore) -> dict[str, float]:
    found = {}
    for series in store.series(KEY.account, KEY.region, NAMESPACE):
        assert dict(series.dimensions) == {"EndpointName": "digits", "VariantName": "all"}
        (period,) = store.read(series, NOW, NOW + 60, 60)
        found[series.name] = round(period.total, 3)
    return found


def invocation(status: int) -> Invocation:
    return Invocation(KEY, "all", 2, status, seconds=0.003, model_seconds=0.002, request_headers={}, request=b"")


def test_invocations_are_counted_by_their_status(store: MetricsStore) -> None:
    observer = InvocationMetrics(store.put_counts, lambda: NOW)
    observer.observe([invocation(status) for status in (200, 200, 404)])
    observer.observe([invocation(status) for status in (500, 0)])
    assert sums(store) == {
        "Invocations": 5.0,
        "InvocationsPerInstance": 2.5,
        "Invocation4XXErrors": 1.0,
        "Invocation5XXErrors": 1.0,
        "InvocationModelErrors": 3.0,
        "ModelLatency": 10_000.0,
        "OverheadLatency": 5_000.0,
    }


def test_an_invocation_of_an_emulator_is_read_through_cloudwatch(tmp_path: Path) -> None:
    with whole_emulator(tmp_path) as whole:
        asked = {"EndpointName": "digits", "Body": b"1", "ContentType": "text/csv"}
        variant = whole.client.ask("sagemaker-runtime", "InvokeEndpoint", asked).parsed["InvokedProductionVariant"]
        dimensions = [{"Name": "EndpointName", "Value": "digits"}, {"Name": "VariantName", "Value": variant}]
        now = whole.emulator.resources.now()
        query = {
            "Namespace": NAMESPACE,
            "MetricName": "Invocations",
            "Dimensions": dimensions,
            "StartTime": now - 3600,
            "EndTime": now + 3600,
            "Period": 7200,
            "Statistics": ["Sum"],
        }

        def counted() -> list[float]:
            points = whole.client.ask("cloudwatch", "GetMetricStatistics", query).parsed["Datapoints"]
            return [point["Sum"] for point in points]

        until(counted, 60, "the invocation is counted")
        assert counted() == [1.0]
