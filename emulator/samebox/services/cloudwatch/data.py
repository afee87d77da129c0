"""GetMetricData: metrics and expressions over them, in pages."""

from collections.abc import Iterator, Mapping
from typing import Any

from samebox.services.cloudwatch import pages, queries
from samebox.services.cloudwatch.metric_math import Series
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller


def get_metric_data(services: Services, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """GetMetricData: for each query, times and values; a page has at most MaxDatapoints of all together."""
    refuse("cloudwatch", "GetMetricData", params)
    asked = queries.checked(params["MetricDataQueries"], "GetMetricData", "MetricDataQueries")
    left = most = min(params.get("MaxDatapoints", queries.MOST_POINTS), queries.MOST_POINTS)
    skipped = at = pages.offset(params)
    found = queries.compute(services.metrics, asked, params["StartTime"], params["EndTime"], caller)
    ascending = params.get("ScanBy") == "TimestampAscending"
    results, more = [], False
    for name, series in _each(found):
        points = sorted(series.values.items(), reverse=not ascending)
        page = points[skipped : skipped + left]
        is_cut = len(points) > skipped + left
        skipped, left = max(0, skipped - len(points)), left - len(page)
        more = more or is_cut
        results.append(
            {
                "Id": name,
                "Label": series.label,
                "Timestamps": [time for time, _ in page],
                "Values": [value for _, value in page],
                "StatusCode": "PartialData" if is_cut else "Complete",
            }
        )
    return {"MetricDataResults": results, **({"NextToken": pages.token(at + most)} if more else {})}


def _each(found: Mapping[str, tuple[Series, ...]]) -> Iterator[tuple[str, Series]]:
    """An expression may have several results, all of its id; where an array is empty, it has one without values."""
    for name, several in found.items():
        for series in several or (Series({}, name, name),):
            yield name, series


OPERATIONS: dict[str, Operation] = {"GetMetricData": get_metric_data}
