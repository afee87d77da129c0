"""Metrics: a series of values by time, and what a period of it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from samebox.resources import histogram


@dataclass(frozen=True)
class MetricSeries:
    """Values of one name and one set of dimensions, in one unit. Dimensions are in the order of their names."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    unit: str = "None"

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # Once: each value that comes looks its series up.
        return hash((self.account, self.region, self.namespace, self.name, self.dimensions, self.unit))

    @staticmethod
    def of(
        account: str, region: str, namespace: str, name: str, dimensions: Mapping[str, str], unit: str = "None"
    ) -> "MetricSeries":
        """The series of these dimensions, in whatever order they come."""
        return MetricSeries(account, region, namespace, name, tuple(sorted(dimensions.items())), unit)


@dataclass(frozen=True)
class MetricPeriod:
    """What all values of a series in one period come to; `start` is epoch seconds.

    `histogram` counts them by bucket. It is None where there can be none: of negative values, and of sums that came
    without their values.
    """

    start: int
    total: float
    minimum: float
    maximum: float
    count: float
    histogram: Mapping[int, float] | None = field(default=None, repr=False)

    @property
    def average(self) -> float:
        """The mean value."""
        return self.total / self.count

    def percentile(self, percent: float) -> float | None:
        """The value that `percent` of the values are not above, to one percent; None without a histogram."""
        if self.histogram is None:
            return None
        return min(max(histogram.percentile(self.histogram, percent), self.minimum), self.maximum)
