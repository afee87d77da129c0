"""Probes of CloudWatch."""

from collections.abc import Mapping

from tests.laws.probes.values import NOW
from tests.laws.probing import Call, Params, Probe

_BEGIN, _END = NOW // 60_000 * 60 - 600, NOW // 60_000 * 60 + 600
_DIMENSIONS = [{"Name": "a", "Value": "b"}]
_DATUM: Params = {
    "MetricName": "orders",
    "Dimensions": _DIMENSIONS,
    "Timestamp": float(_BEGIN),
    "Values": [1.0, 5.0],
    "Counts": [1.0, 1.0],
}
_SUMS = {"SampleCount": 2.0, "Sum": 3.0, "Minimum": 1.0, "Maximum": 2.0}
_METRIC = {"Namespace": "$", "MetricName": "orders", "Dimensions": _DIMENSIONS}
_STATISTICS: Params = {
    **_METRIC,
    "StartTime": float(_BEGIN),
    "EndTime": float(_END),
    "Period": 60,
    "Statistics": ["Sum"],
}
_QUERIED: Params = {
    "MetricDataQueries": [{"Id": "a", "MetricStat": {"Metric": _METRIC, "Period": 60, "Stat": "Sum"}}],
    "StartTime": float(_BEGIN),
    "EndTime": float(_END),
}
_WITHOUT_VALUES = {name: value for name, value in _DATUM.items() if name not in ("Values", "Counts")}
_LATER = {"Timestamp": _BEGIN + 60.0, "Values": [2.0, 6.0]}
_ALL_STATISTICS = ("SampleCount", "Sum", "Minimum", "Maximum")
_PUBLISHED: tuple[Call, ...] = (
    ("cloudwatch", "PutMetricData", {"Namespace": "$", "MetricData": [_DATUM]}),
    ("cloudwatch", "PutMetricData", {"Namespace": "$", "MetricData": [{**_DATUM, **_LATER}]}),
)
_PLACE = "MetricDataQueries[].MetricStat"
_OTHER_METRIC = {"Namespace": "nowhere", "MetricName": "nowhere", "Dimensions[].Name": "n", "Dimensions[].Value": "v"}

CLOUDWATCH: Mapping[str, Probe] = {
    "PutMetricData": Probe(
        {"Namespace": "$", "MetricData": [_DATUM]},
        after=(
            ("cloudwatch", "ListMetrics", {"Namespace": "$"}),
            (
                "cloudwatch",
                "GetMetricStatistics",
                {**_STATISTICS, "Statistics": list(_ALL_STATISTICS), "ExtendedStatistics": ["p50"]},
            ),
            ("cloudwatch", "GetMetricStatistics", {**_STATISTICS, "Period": 1}),
        ),
        besides={
            "MetricData[].Value": {"MetricData": [{**_WITHOUT_VALUES, "Value": 1.0}]},
            "MetricData[].StatisticValues": {"MetricData": [{**_WITHOUT_VALUES, "StatisticValues": _SUMS}]},
            "MetricData[].Values": {"MetricData": [{**_WITHOUT_VALUES, "Values": [1.0]}]},
            "MetricData[].Counts": {"MetricData": [{**_WITHOUT_VALUES, "Values": [1.0], "Counts": [1.0]}]},
        },
        values={
            "Namespace": "AWS/SageMaker",
            "MetricData[].Timestamp": _BEGIN - 3600.0,
            "MetricData[].Unit": "Bytes",
            "MetricData[].StorageResolution": 1,
        },
    ),
    "GetMetricStatistics": Probe(
        _STATISTICS,
        _PUBLISHED,
        makes=False,
        besides={"ExtendedStatistics": {"Statistics": None}},
        values={
            **_OTHER_METRIC,
            "Unit": "Bytes",
            "StartTime": _BEGIN + 60.0,
            "EndTime": _BEGIN + 60.0,
            "Period": 120,
            "Statistics[]": "Maximum",
            "ExtendedStatistics[]": "p90",
        },
    ),
    "GetMetricData": Probe(
        _QUERIED,
        _PUBLISHED,
        makes=False,
        values={
            **{f"{_PLACE}.Metric.{name}": value for name, value in _OTHER_METRIC.items()},
            f"{_PLACE}.Period": 120,
            f"{_PLACE}.Unit": "Bytes",
            f"{_PLACE}.Stat": "Maximum",
            "MetricDataQueries[].Id": "b",
            "MetricDataQueries[].ReturnData": False,
            "StartTime": _BEGIN + 60.0,
            "EndTime": _BEGIN + 60.0,
            "NextToken": "MQ==",
            "MaxDatapoints": 1,
            "MetricDataQueries[].Expression": "TIME_SERIES(2)",
            "MetricDataQueries[].Period": 120,
        },
        besides={
            "MetricDataQueries[].Expression": {"MetricDataQueries": [{"Id": "a", "Expression": "TIME_SERIES(1)"}]},
            "MetricDataQueries[].Period": {"MetricDataQueries": [{"Id": "a", "Expression": "TIME_SERIES(1)"}]},
        },
    ),
    "ListMetrics": Probe(
        {"Namespace": "$"},
        (
            *_PUBLISHED,
            (
                "cloudwatch",
                "PutMetricData",
                {"Namespace": "$", "MetricData": [{"MetricName": "old", "Value": 1.0, "Timestamp": _BEGIN - 86_400.0}]},
            ),
        ),
        makes=False,
        besides={"Dimensions": {"Dimensions": _DIMENSIONS}},
        values={**_OTHER_METRIC, "NextToken": "MQ=="},
    ),
}
