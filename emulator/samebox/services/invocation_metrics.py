"""Metrics of invocations: what CloudWatch has of each variant of an endpoint, by minute (contract.md §2.13)."""

from collections.abc import Callable

from samebox.resources.metrics import MetricSeries
from samebox.resources.metrics_store import MetricsStore
from samebox.traffic.observers import Invocation
from samebox.traffic.routes import Key, RoutingTable

NAMESPACE = "AWS/SageMaker"
_UNITS = {
    "Invocations": "None",
    "InvocationsPerInstance": "None",
    "Invocation4XXErrors": "None",
    "Invocation5XXErrors": "None",
    "InvocationModelErrors": "None",
    "ModelLatency": "Microseconds",
    "OverheadLatency": "Microseconds",
}
_MICROSECONDS = 1e6


class InvocationMetrics:
    """An observer of invocations that adds each to the series of its variant. `clock` is epoch seconds."""

    def __init__(self, metrics: MetricsStore, table: RoutingTable, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._table = table
        self._clock = clock
        self._series: dict[tuple[Key, str], dict[str, MetricSeries]] = {}

    def observe(self, invocation: Invocation) -> None:
        """Add an invocation to the series."""
        status = invocation.status
        values = {
            "Invocations": 1.0,
            "InvocationsPerInstance": 1.0 / self._instances(invocation),
            "Invocation4XXErrors": float(400 <= status < 500),
            "Invocation5XXErrors": float(500 <= status < 600),
            # No response is an error of the model's, too: its status is 0.
            "InvocationModelErrors": float(not 200 <= status < 300),
            "ModelLatency": invocation.model_seconds * _MICROSECONDS,
            "OverheadLatency": max(0.0, invocation.seconds - invocation.model_seconds) * _MICROSECONDS,
        }
        series, now = self._of(invocation.key, invocation.variant), self._clock()
        for name, value in values.items():
            self._metrics.put(series[name], now, value)

    def _instances(self, invocation: Invocation) -> int:
        route = self._table.find(invocation.key)
        target = None if route is None else route.variant(invocation.variant)
        return max(1, 0 if target is None else len(target.addresses))

    def _of(self, key: Key, variant: str) -> dict[str, MetricSeries]:
        found = self._series.get((key, variant))
        if found is None:
            dimensions = {"EndpointName": key.endpoint, "VariantName": variant}
            found = self._series[key, variant] = {
                name: MetricSeries.of(key.account, key.region, NAMESPACE, name, dimensions, unit)
                for name, unit in _UNITS.items()
            }
        return found
