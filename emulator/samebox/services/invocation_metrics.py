"""Metrics of invocations: what CloudWatch has of each variant of an endpoint, by minute (contract.md §2.13)."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from samebox.resources.metrics import MetricSeries
from samebox.traffic.observers import Invocation

if TYPE_CHECKING:
    from samebox.traffic.routes import Key

NAMESPACE = "AWS/SageMaker"


class PutMetric(Protocol):
    """Adds a value, which came `count` times, to a series."""

    def __call__(self, series: MetricSeries, time: float, value: float, count: float = 1) -> None: ...


class InvocationMetrics:
    """An observer. Equal values are added up before they are put: that costs less."""

    def __init__(self, put: PutMetric, clock: Callable[[], float]) -> None:
        self._put = put
        self._clock = clock

    def observe(self, invocations: Sequence[Invocation]) -> None:
        """Put the metrics of some invocations, as of now."""
        variants: dict[tuple[Key, str, int], list[Invocation]] = {}
        for one in invocations:
            variants.setdefault((one.key, one.variant, one.instances), []).append(one)
        now = self._clock()
        for (key, variant, instances), some in variants.items():
            dimensions = (("EndpointName", key.endpoint), ("VariantName", variant))
            for name, unit, counts in _values(some, instances):
                series = MetricSeries(key.account, key.region, NAMESPACE, name, dimensions, unit)
                for value, count in counts.items():
                    self._put(series, now, value, count)


def _values(some: Sequence[Invocation], instances: int) -> Iterator[tuple[str, str, Counter[float]]]:
    """Name, unit and the values of each metric, with how often each came."""
    statuses = [one.status for one in some]
    yield "Invocations", "None", Counter({1.0: len(some)})
    yield "InvocationsPerInstance", "None", Counter({1 / max(instances, 1): len(some)})
    yield "Invocation4XXErrors", "None", Counter(float(400 <= status < 500) for status in statuses)
    yield "Invocation5XXErrors", "None", Counter(float(500 <= status < 600) for status in statuses)
    # No whole response is an error of the model's, too: its status is 0.
    yield "InvocationModelErrors", "None", Counter(float(not 200 <= status < 300) for status in statuses)
    model = (one.model_seconds for one in some)
    yield "ModelLatency", "Microseconds", Counter(float(round(seconds * 1e6)) for seconds in model)
    overhead = (max(0.0, one.seconds - one.model_seconds) for one in some)
    yield "OverheadLatency", "Microseconds", Counter(float(round(seconds * 1e6)) for seconds in overhead)
