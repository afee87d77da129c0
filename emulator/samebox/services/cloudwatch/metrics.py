"""Metrics: what jobs and clients publish, listed, and read by period as AWS's clients read it."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import AwsError
from samebox.resources.metrics import MetricSeries
from samebox.services.cloudwatch import pages, periods
from samebox.services.cloudwatch.periods import invalid
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

# CW:PutMetricData: a time may lie two weeks back and two hours ahead.
_OLDEST_SECONDS, _NEWEST_SECONDS = 14 * 86_400, 2 * 3600
# CW:GetMetricStatistics, CW:ListMetrics
_MOST_STATISTICS, _PAGE = 1440, 500
_ACTIVE_SECONDS = 3 * 3600
_Params = Mapping[str, Any]


def put_metric_data(services: Services, params: _Params, caller: Caller) -> None:
    """PutMetricData: all of it or nothing."""
    refuse("cloudwatch", "PutMetricData", params)
    if params["Namespace"].startswith("AWS/"):
        raise invalid(f"The value {params['Namespace']} for parameter Namespace is invalid.")
    now = services.clock()
    data = params.get("MetricData", [])
    for place, datum in enumerate(data, 1):
        _check(datum, f"MetricData.member.{place}", now)
    for datum in data:
        dimensions = periods.dimensions_of(datum)
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
    span = periods.span(params["StartTime"], params["EndTime"], params["Period"])
    for name in extended:
        periods.check_extended("GetMetricStatistics", "ExtendedStatistics", name)
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
            **{name: periods.value_of(one, name) for name in usual},
            **({"ExtendedStatistics": found} if (found := periods.extended_of(one, extended)) else {}),
        }
        for series in periods.series_of(services.metrics, params, params.get("Unit"), caller)
        for one in services.metrics.read(series, span.begin, span.end, span.period, bool(extended))
    ]
    return {"Label": params["MetricName"], "Datapoints": sorted(points, key=lambda point: point["Timestamp"])}


def list_metrics(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListMetrics, by namespace, name and dimensions."""
    since = services.clock() - _ACTIVE_SECONDS if params.get("RecentlyActive") else None
    wanted = {one["Name"]: one.get("Value") for one in params.get("Dimensions", ())}
    found = services.metrics.series(
        caller.account, caller.region, params.get("Namespace"), params.get("MetricName"), wanted, since
    )
    # The same in several units is one metric.
    metrics = list(dict.fromkeys((one.namespace, one.name, one.dimensions) for one in found))
    page, more = pages.page(metrics, params, _PAGE)
    shown = [
        {"Namespace": space, "MetricName": name, "Dimensions": [{"Name": key, "Value": value} for key, value in of]}
        for space, name, of in page
    ]
    return {"Metrics": shown, **more}


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
        raise invalid(f"The parameters {place}.Values and {place}.Counts must be of the same size.")
    at = datum.get("Timestamp", now)
    if at < now - _OLDEST_SECONDS:
        raise invalid(f"The parameter {place}.Timestamp must specify a time no more than two weeks in the past.")
    if at > now + _NEWEST_SECONDS:
        raise invalid(f"The parameter {place}.Timestamp must specify a time no more than two hours in the future.")
    if datum.get("StorageResolution", 60) not in (1, 60):
        raise invalid(f"The parameter {place}.StorageResolution must be 1 or 60.")
    if datum.get("StatisticValues", {}).get("SampleCount", 1) <= 0 or any(count <= 0 for count in counts or ()):
        raise invalid(f"The parameter {place} must have counts that are greater than 0.")


OPERATIONS: dict[str, Operation] = {
    "PutMetricData": put_metric_data,
    "GetMetricStatistics": get_metric_statistics,
    "ListMetrics": list_metrics,
}
