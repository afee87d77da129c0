"""Statistics of metrics by period: what a request asks of the metrics store, and how it is checked."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samebox.errors import AwsError
from samebox.resources import histogram
from samebox.resources.metrics import MetricPeriod, MetricSeries
from samebox.resources.metrics_store import MetricsStore
from samebox.services.members.refusal import not_run
from samebox.wire.caller import Caller

_SHORT_PERIODS = (1, 5, 10, 30)
_STATISTICS = {"SampleCount": "count", "Average": "average", "Sum": "total", "Minimum": "minimum", "Maximum": "maximum"}
_PERCENTILE = re.compile(r"p(100|\d{1,2}(?:\.\d{1,10})?)")
# Trimmed and winsorized means, counts, sums and ranks, which are made of the values between two percentiles.
_OTHER_STATISTIC = re.compile(r"(?i)(tm|wm|tc|ts|pr)[\d(]|iqm")


@dataclass(frozen=True)
class PeriodSpan:
    """The time that is asked for, in whole periods from its beginning."""

    begin: float
    end: float
    period: int

    @property
    def points(self) -> float:
        """How many periods it has."""
        return (self.end - self.begin) / self.period


def invalid(message: str) -> AwsError:
    """The refusal of a parameter's value."""
    return AwsError("InvalidParameterValueException", message)


def span(begin: float, end: float, period: int) -> PeriodSpan:
    """The span of a request. AwsError where it is not one."""
    check_period(period)
    if begin >= end:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    whole = 60 if period % 60 == 0 else period
    return PeriodSpan(begin // whole * whole, end, period)


def check_period(period: int) -> None:
    """AwsError where metrics have no such period."""
    if period % 60 and period not in _SHORT_PERIODS:
        raise invalid("The parameter Period must be 1, 5, 10, 30 or a multiple of 60.")


def check_statistic(operation: str, member: str, name: str) -> None:
    """AwsError where the statistic is not one of the five, nor a percentile."""
    if name not in _STATISTICS:
        check_extended(operation, member, name)


def check_extended(operation: str, member: str, name: str) -> None:
    """AwsError where the extended statistic is not a percentile."""
    if _PERCENTILE.fullmatch(name):
        return
    if _OTHER_STATISTIC.match(name):
        raise not_run("cloudwatch", operation, member, name)
    raise invalid(f"The value {name} for parameter {member} is not supported.")


def dimensions_of(metric: Mapping[str, Any]) -> dict[str, str]:
    """The dimensions of a metric in a request."""
    return {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}


def series_of(store: MetricsStore, metric: Mapping[str, Any], unit: str | None, caller: Caller) -> list[MetricSeries]:
    """The series of a metric, one for each unit: its dimensions are these and no others."""
    dimensions = dimensions_of(metric)
    found = store.series(caller.account, caller.region, metric.get("Namespace"), metric.get("MetricName"), dimensions)
    return [one for one in found if len(one.dimensions) == len(dimensions) and unit in (None, one.unit)]


def statistics_of(
    store: MetricsStore, wanted: Mapping[str, Any], of: PeriodSpan, caller: Caller
) -> dict[int, MetricPeriod]:
    """Each period of a MetricStat by its start, the oldest first; all units are one."""
    percentiles = wanted["Stat"] not in _STATISTICS
    periods = _merged(
        one
        for series in series_of(store, wanted["Metric"], wanted.get("Unit"), caller)
        for one in store.read(series, of.begin, of.end, of.period, percentiles)
    )
    return {one.start: one for one in periods}


def points_of(periods: Iterable[MetricPeriod], statistic: str) -> dict[int, float]:
    """The statistic of each period that has one, by its start."""
    return {one.start: value for one in periods if (value := value_of(one, statistic)) is not None}


def value_of(period: MetricPeriod, name: str) -> float | None:
    """A statistic of a period; None where it has no percentiles."""
    if name in _STATISTICS:
        return float(getattr(period, _STATISTICS[name]))
    return period.percentile(percent(name))


def percent(name: str) -> float:
    """Of a percentile, such as p99.9."""
    return float(name.removeprefix("p"))


def extended_of(period: MetricPeriod, names: Sequence[str]) -> dict[str, float]:
    """The extended statistics that a period has."""
    return {name: value for name in names if (value := value_of(period, name)) is not None}


def _merged(periods: Iterable[MetricPeriod]) -> list[MetricPeriod]:
    """One period for each start, the oldest first."""
    total: dict[int, MetricPeriod] = {}
    for one in periods:
        known = total.get(one.start)
        total[one.start] = one if known is None else _sum(known, one)
    return [total[start] for start in sorted(total)]


def _sum(one: MetricPeriod, other: MetricPeriod) -> MetricPeriod:
    counts: dict[int, float] | None = None
    if one.histogram is not None and other.histogram is not None:
        counts = dict(one.histogram)
        histogram.add(counts, other.histogram)
    least, most = min(one.minimum, other.minimum), max(one.maximum, other.maximum)
    return MetricPeriod(one.start, one.total + other.total, least, most, one.count + other.count, counts)
