"""CloudWatch over the metrics store: what jobs and clients publish, read by period as AWS's clients read it."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samebox.errors import AwsError
from samebox.resources import histogram
from samebox.resources.metrics import MetricPeriod, MetricSeries
from samebox.services.context import Operation, Services
from samebox.services.members.refusal import not_run
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

# CW:PutMetricData: a time may lie two weeks back and two hours ahead.
_OLDEST_SECONDS, _NEWEST_SECONDS = 14 * 86_400, 2 * 3600
# CW:GetMetricStatistics, CW:GetMetricData, CW:ListMetrics
_MOST_STATISTICS, _MOST_DATA, _PAGE = 1440, 100_800, 500
_SHORT_PERIODS = (1, 5, 10, 30)
_ACTIVE_SECONDS = 3 * 3600
_PERCENTILE = re.compile(r"p(100|\d{1,2}(?:\.\d{1,10})?)")
# Trimmed and winsorized means, counts, sums and ranks, which are made of the values between two percentiles.
_OTHER_STATISTIC = re.compile(r"(?i)(tm|wm|tc|ts|pr)[\d(]|iqm")
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_Params = Mapping[str, Any]


@dataclass(frozen=True)
class _Span:
    """The time that is asked for, in whole periods from its beginning."""

    begin: float
    end: float
    period: int

    @property
    def points(self) -> float:
        """How many periods it has."""
        return (self.end - self.begin) / self.period


def put_metric_data(services: Services, params: _Params, caller: Caller) -> None:
    """PutMetricData: all of it or nothing."""
    refuse("cloudwatch", "PutMetricData", params)
    if params["Namespace"].startswith("AWS/"):
        raise _invalid(f"The value {params['Namespace']} for parameter Namespace is invalid.")
    now = services.clock()
    data = params.get("MetricData", [])
    for place, datum in enumerate(data, 1):
        _check(datum, f"MetricData.member.{place}", now)
    for datum in data:
        dimensions = {one["Name"]: one["Value"] for one in datum.get("Dimensions", ())}
        unit = datum.get("Unit", "None")
        series = MetricSeries.of(
            caller.account, caller.region, params["Namespace"], datum["MetricName"], dimensions, unit
        )
        at, fine = datum.get("Timestamp", now), datum.get("StorageResolution") == 1
        if "StatisticValues" in datum:
            sums = datum["StatisticValues"]
            services.metrics.put_sum(
                series, at, sums["Sum"], sums["Minimum"], sums["Maximum"], sums["SampleCount"], fine
            )
        else:
            values = [datum["Value"]] if "Value" in datum else datum["Values"]
            for value, count in zip(values, datum.get("Counts") or [1.0] * len(values), strict=True):
                services.metrics.put(series, at, value, count, fine)


def get_metric_statistics(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetMetricStatistics: the data points of each unit, the oldest first."""
    usual, extended = params.get("Statistics", []), params.get("ExtendedStatistics", [])
    if not usual and not extended:
        raise AwsError(
            "MissingRequiredParameterException",
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        )
    span = _span(params["StartTime"], params["EndTime"], params["Period"])
    for name in extended:
        _check_extended("GetMetricStatistics", "ExtendedStatistics", name)
    if span.points > _MOST_STATISTICS:
        raise AwsError(
            "InvalidParameterCombinationException",
            f"You have requested up to {int(span.points):,} datapoints, which exceeds the limit of "
            f"{_MOST_STATISTICS:,}. You may reduce the datapoints requested by increasing Period, or decreasing the "
            "time range.",
        )
    points = [
        {
            "Timestamp": one.start,
            "Unit": series.unit,
            **{name: _statistic(one, name) for name in usual},
            **({"ExtendedStatistics": found} if (found := _extended(one, extended)) else {}),
        }
        for series in _series(services, params, params.get("Unit"), caller)
        for one in services.metrics.read(series, span.begin, span.end, span.period, bool(extended))
    ]
    return {"Label": params["MetricName"], "Datapoints": sorted(points, key=lambda point: point["Timestamp"])}


def get_metric_data(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetMetricData: for each query, times and values; a page has at most MaxDatapoints of all together."""
    refuse("cloudwatch", "GetMetricData", params)
    queries = params["MetricDataQueries"]
    _check_queries(queries)
    left = most = min(params.get("MaxDatapoints", _MOST_DATA), _MOST_DATA)
    skipped = at = _offset(params)
    results, more = [], False
    for query in queries:
        if not query.get("ReturnData", True):
            continue
        points = _points(services, query["MetricStat"], params, caller)
        page = points[skipped : skipped + left]
        is_cut = len(points) > skipped + left
        skipped, left = max(0, skipped - len(points)), left - len(page)
        more = more or is_cut
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label", query["MetricStat"]["Metric"].get("MetricName", "")),
                "Timestamps": [time for time, _ in page],
                "Values": [value for _, value in page],
                "StatusCode": "PartialData" if is_cut else "Complete",
            }
        )
    return {"MetricDataResults": results, **({"NextToken": _token(at + most)} if more else {})}


def list_metrics(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListMetrics, by namespace, name and dimensions."""
    since = services.clock() - _ACTIVE_SECONDS if params.get("RecentlyActive") else None
    wanted = {one["Name"]: one.get("Value") for one in params.get("Dimensions", ())}
    found = services.metrics.series(
        caller.account, caller.region, params.get("Namespace"), params.get("MetricName"), wanted, since
    )
    # The same in several units is one metric.
    metrics = list(dict.fromkeys((one.namespace, one.name, one.dimensions) for one in found))
    start = _offset(params)
    shown = [
        {"Namespace": space, "MetricName": name, "Dimensions": [{"Name": key, "Value": value} for key, value in of]}
        for space, name, of in metrics[start : start + _PAGE]
    ]
    return {"Metrics": shown, **({"NextToken": _token(start + _PAGE)} if len(metrics) > start + _PAGE else {})}


def _check(datum: _Params, place: str, now: float) -> None:
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    # Choice: CloudWatch's words for most of these are not known.
    if not given:
        raise AwsError("MissingRequiredParameterException", f"The parameter {place}.Value is required.")
    if len(given) > 1:
        raise AwsError(
            "InvalidParameterCombinationException",
            f"The parameters {' and '.join(f'{place}.{name}' for name in given)} are mutually exclusive and you have "
            "specified both.",
        )
    counts = datum.get("Counts")
    if counts is not None and len(counts) != len(datum.get("Values", ())):
        raise _invalid(f"The parameters {place}.Values and {place}.Counts must be of the same size.")
    at = datum.get("Timestamp", now)
    if at < now - _OLDEST_SECONDS:
        raise _invalid(f"The parameter {place}.Timestamp must specify a time no more than two weeks in the past.")
    if at > now + _NEWEST_SECONDS:
        raise _invalid(f"The parameter {place}.Timestamp must specify a time no more than two hours in the future.")
    if datum.get("StorageResolution", 60) not in (1, 60):
        raise _invalid(f"The parameter {place}.StorageResolution must be 1 or 60.")
    if datum.get("StatisticValues", {}).get("SampleCount", 1) <= 0 or any(count <= 0 for count in counts or ()):
        raise _invalid(f"The parameter {place} must have counts that are greater than 0.")


def _span(begin: float, end: float, period: int) -> _Span:
    if period % 60 and period not in _SHORT_PERIODS:
        raise _invalid("The parameter Period must be 1, 5, 10, 30 or a multiple of 60.")
    if begin >= end:
        raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
    whole = 60 if period % 60 == 0 else period
    return _Span(begin // whole * whole, end, period)


def _check_queries(queries: Sequence[_Params]) -> None:
    for place, query in enumerate(queries, 1):
        if not _ID.fullmatch(query["Id"]):
            raise _invalid(
                f"The value {query['Id']} for parameter MetricDataQueries.member.{place}.Id is not matching the "
                "expected pattern ^[a-z][a-zA-Z0-9_]*$."
            )
        if "MetricStat" not in query:
            raise AwsError(
                "MissingRequiredParameterException",
                f"The parameter MetricDataQueries.member.{place}.MetricStat is required.",
            )
    if len({query["Id"] for query in queries}) < len(queries):
        raise _invalid("The values for parameter id in MetricDataQueries are not unique.")


def _points(services: Services, wanted: _Params, params: _Params, caller: Caller) -> list[tuple[int, float]]:
    """Time and value of each period, in the order that is asked for; all units are one."""
    statistic = wanted["Stat"]
    if statistic not in _STATISTICS:
        _check_extended("GetMetricData", "Stat", statistic)
    span = _span(params["StartTime"], params["EndTime"], wanted["Period"])
    periods = _merged(
        one
        for series in _series(services, wanted["Metric"], wanted.get("Unit"), caller)
        for one in services.metrics.read(series, span.begin, span.end, span.period, statistic not in _STATISTICS)
    )
    values = [(one.start, value) for one in periods if (value := _statistic(one, statistic)) is not None]
    return values if params.get("ScanBy") == "TimestampAscending" else values[::-1]


def _series(services: Services, metric: _Params, unit: str | None, caller: Caller) -> list[MetricSeries]:
    """The series of a metric, one for each unit: its dimensions are these and no others."""
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}
    found = services.metrics.series(
        caller.account, caller.region, metric.get("Namespace"), metric.get("MetricName"), dimensions
    )
    return [one for one in found if len(one.dimensions) == len(dimensions) and unit in (None, one.unit)]


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


_STATISTICS = {"SampleCount": "count", "Average": "average", "Sum": "total", "Minimum": "minimum", "Maximum": "maximum"}


def _statistic(period: MetricPeriod, name: str) -> float | None:
    if name in _STATISTICS:
        return float(getattr(period, _STATISTICS[name]))
    return period.percentile(_percent(name))


def _extended(period: MetricPeriod, names: Sequence[str]) -> dict[str, float]:
    return {name: value for name in names if (value := period.percentile(_percent(name))) is not None}


def _check_extended(operation: str, member: str, name: str) -> None:
    if _PERCENTILE.fullmatch(name):
        return
    if _OTHER_STATISTIC.match(name):
        raise not_run("cloudwatch", operation, member, name)
    raise _invalid(f"The value {name} for parameter {member} is not supported.")


def _percent(name: str) -> float:
    return float(name.removeprefix("p"))


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode()


def _offset(params: _Params) -> int:
    if not params.get("NextToken"):
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(params["NextToken"].encode()).decode()[:15]))
    except ValueError:
        raise AwsError("InvalidNextToken", "The specified nextToken is invalid.") from None


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


OPERATIONS: dict[str, Operation] = {
    "PutMetricData": put_metric_data,
    "GetMetricStatistics": get_metric_statistics,
    "GetMetricData": get_metric_data,
    "ListMetrics": list_metrics,
}
