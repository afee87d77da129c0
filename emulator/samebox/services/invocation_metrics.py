"""Metrics of invocations: what CloudWatch has of each variant of an endpoint, by minute (contract.md §2.13).

No invocation waits for this, but both share one interpreter. So values are added up first, and put by the group.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from samebox.resources.metrics import MetricSeries
from samebox.traffic.observers import Invocation

if TYPE_CHECKING:
    from samebox.traffic.routes import Key

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
_VARIANTS = 1000  # whose series are kept at hand


class PutCounts(Protocol):
    """Adds values to a series, each of which came so many times."""

    def __call__(self, series: MetricSeries, time: float, counts: Mapping[float, float]) -> None: ...


class InvocationMetrics:
    """An observer. Equal values are added up before they are put: that costs less."""

    def __init__(self, put: PutCounts, clock: Callable[[], float]) -> None:
        self._put = put
        self._clock = clock

    def observe(self, invocations: Sequence[Invocation]) -> None:
        """Put the metrics of some invocations, as of now."""
        variants: dict[tuple[Key, str, int], list[Invocation]] = {}
        for one in invocations:
            variants.setdefault((one.key, one.variant, one.instances), []).append(one)
        now = self._clock()
        for (key, variant, instances), some in variants.items():
            values = _values(some, instances)
            for series in _series(key, variant):
                self._put(series, now, values[series.name])


@lru_cache(maxsize=_VARIANTS)
def _series(key: "Key", variant: str) -> tuple[MetricSeries, ...]:
    dimensions = (("EndpointName", key.endpoint), ("VariantName", variant))
    return tuple(
        MetricSeries(key.account, key.region, NAMESPACE, name, dimensions, unit) for name, unit in _UNITS.items()
    )


def _values(some: Sequence[Invocation], instances: int) -> dict[str, Mapping[float, float]]:
    """The values of each metric, with how often each came."""
    statuses = Counter(one.status for one in some)

    def flags(is_error: Callable[[int], bool]) -> Mapping[float, float]:
        errors = sum(count for status, count in statuses.items() if is_error(status))
        return {flag: count for flag, count in ((1.0, errors), (0.0, len(some) - errors)) if count}

    return {
        "Invocations": {1.0: len(some)},
        "InvocationsPerInstance": {1 / max(instances, 1): len(some)},
        "Invocation4XXErrors": flags(lambda status: 400 <= status < 500),
        "Invocation5XXErrors": flags(lambda status: 500 <= status < 600),
        # No whole response is an error of the model's, too: its status is 0.
        "InvocationModelErrors": flags(lambda status: not 200 <= status < 300),
        "ModelLatency": _microseconds(one.model_seconds for one in some),
        "OverheadLatency": _microseconds(max(0.0, one.seconds - one.model_seconds) for one in some),
    }


def _microseconds(seconds: Iterable[float]) -> Mapping[float, float]:
    counts: dict[float, float] = {}
    for one in seconds:
        value = float(round(one * 1e6))
        counts[value] = counts.get(value, 0.0) + 1
    return counts
